//! What an operator may do with an event that the broker refuses.

use paymesh_kernel::{Database, Timestamp, database::DatabaseError, id::EventId};
use sea_orm::{
    ConnectionTrait as _, EntityTrait as _, QueryOrder as _, QuerySelect as _, Statement,
};
use uuid::Uuid;

use crate::{event::SKIPPED, outbox::entity::blocked};

/// An aggregate that is held up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedAggregate {
    /// What it is.
    pub aggregate_type: String,
    /// Which one.
    pub aggregate_id: Uuid,
    /// The event that the broker refused.
    pub event_id: EventId,
    /// How often.
    pub failures: i64,
    /// Why, the last time.
    pub reason: String,
    /// Since when.
    pub blocked_at: Timestamp,
    /// When it is tried again by itself.
    pub retry_at: Timestamp,
}

/// Aggregates that are held up, longest first, at most `limit`.
pub(crate) async fn blocked(
    database: &Database,
    limit: u64,
) -> Result<Vec<BlockedAggregate>, DatabaseError> {
    let rows = blocked::Entity::find()
        .order_by_asc(blocked::Column::BlockedAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    let rows = rows.into_iter().map(|row| BlockedAggregate {
        aggregate_type: row.aggregate_type,
        aggregate_id: row.aggregate_id,
        event_id: row.event_id,
        failures: row.failures,
        reason: row.reason,
        blocked_at: row.blocked_at,
        retry_at: row.retry_at,
    });
    Ok(rows.collect())
}

/// Has the refused event published again now. False when no such event is refused.
pub(crate) async fn retry(database: &Database, event: EventId) -> Result<bool, DatabaseError> {
    let statement = Statement::from_sql_and_values(
        database.backend().into(),
        "UPDATE outbox_blocked SET retry_at = 0 WHERE event_id = $1",
        [event.into()],
    );
    let done = database.writer().execute_raw(statement).await?;
    Ok(done.rows_affected() > 0)
}

/// Takes what the refused event says out of the stream: it is published without its payload, as a kind that no handler sees, so
/// that the sequence of its aggregate has no gap. False when no such event is refused.
pub(crate) async fn skip(database: &Database, event: EventId) -> Result<bool, DatabaseError> {
    let statement = Statement::from_sql_and_values(
        database.backend().into(),
        "UPDATE outbox SET type = $1, payload = $2 WHERE id = $3 AND EXISTS (SELECT 1 FROM outbox_blocked b \
         WHERE b.event_id = $3 AND b.aggregate_id = outbox.aggregateid)",
        [SKIPPED.into(), Vec::<u8>::new().into(), event.into()],
    );
    let done = database.writer().execute_raw(statement).await?;
    Ok(done.rows_affected() > 0 && retry(database, event).await?)
}
