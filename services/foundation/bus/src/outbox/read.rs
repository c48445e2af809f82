//! Queries on the outbox.

use std::{collections::HashSet, sync::Arc};

use paymesh_kernel::{
    Database, Timestamp,
    database::DatabaseError,
    id::{EventId, TenantId},
};
use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement};
use uuid::Uuid;

use crate::event::Event;

/// A row of the outbox with its position.
#[derive(Debug, FromQueryResult)]
struct Row {
    position: i64,
    id: EventId,
    aggregatetype: String,
    aggregateid: Uuid,
    kind: String,
    sequence: i64,
    tenant_id: Option<TenantId>,
    causation_id: String,
    correlation_id: String,
    occurred_at: Timestamp,
    business_at: Timestamp,
    traceparent: Option<String>,
    payload: Vec<u8>,
    /// How often the broker refused the next event of the aggregate.
    failures: Option<i64>,
    blocked_at: Option<Timestamp>,
}

/// An event to publish.
#[derive(Clone, Debug)]
pub(crate) struct Unsent {
    pub(crate) position: i64,
    pub(crate) event: Arc<Event>,
    /// Set when the broker has refused it before.
    pub(crate) refusal: Option<Refusal>,
}

/// How an event was refused so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) failures: i64,
    pub(crate) since: Timestamp,
}

/// What is read.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    /// The publishing component.
    pub(crate) stream: &'static str,
    /// Condition on the shards, if not all are held.
    pub(crate) shards: Option<&'a str>,
    /// Only rows beyond this position.
    pub(crate) after: i64,
    pub(crate) limit: u32,
    pub(crate) now: Timestamp,
}

/// Rows to publish, in order, without those of aggregates that are held up. Says also whether there may be more.
pub(crate) async fn unsent(
    database: &Database,
    query: Query<'_>,
) -> Result<(Vec<Unsent>, bool), DatabaseError> {
    let shards = query
        .shards
        .map(|condition| format!("AND {condition} "))
        .unwrap_or_default();
    let sql = format!(
        "SELECT o.position, o.id, o.aggregatetype, o.aggregateid, o.type AS kind, o.sequence, o.tenant_id, o.causation_id, \
         o.correlation_id, o.occurred_at, o.business_at, o.traceparent, o.payload, b.failures, b.blocked_at \
         FROM outbox o LEFT JOIN outbox_blocked b ON b.aggregate_id = o.aggregateid AND b.aggregate_type = o.aggregatetype \
         WHERE o.position > $1 {shards}AND (b.retry_at IS NULL OR b.retry_at <= $2) ORDER BY o.position LIMIT $3"
    );
    let values = [
        query.after.into(),
        query.now.as_micros().into(),
        i64::from(query.limit).into(),
    ];
    let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
    let rows = database.reader().query_all_raw(statement).await?;
    let is_full = rows.len() >= usize::try_from(query.limit).unwrap_or(usize::MAX);
    let mut unsent = Vec::with_capacity(rows.len());
    let mut tried = HashSet::new();
    for row in rows {
        let row = Row::from_query_result(&row, "")?;
        let refusal = row.failures.zip(row.blocked_at);
        let refusal = refusal.map(|(failures, since)| Refusal { failures, since });
        let (position, event) = (row.position, event(row, query.stream));
        // Of an aggregate that is held up, the refused event goes alone; the others follow when it got through.
        if refusal.is_none() || tried.insert(event.aggregate()) {
            unsent.push(Unsent {
                position,
                event: Arc::new(event),
                refusal,
            });
        }
    }
    Ok((unsent, is_full))
}

/// What waits in an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxDepth {
    /// Rows not confirmed by the broker yet.
    pub unsent: u64,
    /// Aggregates held up by an event that the broker refused.
    pub blocked: u64,
    /// When the oldest unsent fact was decided.
    pub oldest_at: Option<Timestamp>,
}

/// Counts what waits.
pub(crate) async fn depth(database: &Database) -> Result<OutboxDepth, DatabaseError> {
    let sql = "SELECT (SELECT count(*) FROM outbox) AS unsent, (SELECT count(*) FROM outbox_blocked) AS blocked, \
               (SELECT occurred_at FROM outbox ORDER BY position LIMIT 1) AS oldest_at";
    let statement = Statement::from_string(database.backend().into(), sql);
    let Some(row) = database.reader().query_one_raw(statement).await? else {
        return Ok(OutboxDepth::default());
    };
    let count = |name| {
        row.try_get::<i64>("", name)
            .map(|count| u64::try_from(count).unwrap_or(0))
    };
    Ok(OutboxDepth {
        unsent: count("unsent")?,
        blocked: count("blocked")?,
        oldest_at: row.try_get("", "oldest_at")?,
    })
}

fn event(row: Row, stream: &'static str) -> Event {
    Event {
        id: row.id,
        tenant: row.tenant_id,
        stream: stream.into(),
        kind: row.kind.into(),
        aggregate_type: row.aggregatetype.into(),
        aggregate_id: row.aggregateid,
        sequence: row.sequence,
        causation_id: row.causation_id,
        correlation_id: row.correlation_id,
        occurred_at: row.occurred_at,
        business_at: row.business_at,
        traceparent: row.traceparent,
        payload: row.payload,
    }
}
