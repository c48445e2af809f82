//! What an operator may do with events that a handler refused or failed on too often.
//!
//! Rows are only marked here; the consumer's runner does the rest, in order.

use std::sync::Arc;

use paymesh_kernel::{Database, Timestamp, database::DatabaseError};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Expr,
};

use crate::{
    broker::{DeadLetter, Selection},
    event::Event,
    inbox::entity::waiting::{self, State},
};

/// Dead events of a queue, oldest first.
pub(crate) async fn dead(
    database: &Database,
    queue: &str,
    limit: u64,
) -> Result<Vec<DeadLetter>, DatabaseError> {
    let rows = waiting::Entity::find()
        .filter(waiting::Column::Queue.eq(queue))
        .filter(waiting::Column::State.eq(State::Dead))
        .order_by_asc(waiting::Column::Since)
        .limit(limit)
        .all(database.reader())
        .await?;
    let letters = rows.into_iter().map(|row| DeadLetter {
        event: Event::decode(&row.event).map(Arc::new),
        reason: row.reason,
        died_at: Some(row.since),
    });
    Ok(letters.collect())
}

/// Has dead events handled again, with all their attempts before them; says how many.
pub(crate) async fn replay(
    database: &Database,
    queue: &str,
    selection: Selection,
    now: Timestamp,
) -> Result<u64, DatabaseError> {
    mark(database, queue, selection, State::Retry, now).await
}

/// Has dead events passed over: their aggregates go on without their effect. Says how many.
pub(crate) async fn purge(
    database: &Database,
    queue: &str,
    selection: Selection,
    now: Timestamp,
) -> Result<u64, DatabaseError> {
    mark(database, queue, selection, State::Skip, now).await
}

async fn mark(
    database: &Database,
    queue: &str,
    selection: Selection,
    state: State,
    now: Timestamp,
) -> Result<u64, DatabaseError> {
    let update = waiting::Entity::update_many()
        .col_expr(waiting::Column::State, Expr::value(state))
        .col_expr(waiting::Column::Attempts, Expr::value(0_i64))
        .col_expr(waiting::Column::RetryAt, Expr::value(now))
        .filter(waiting::Column::Queue.eq(queue))
        .filter(waiting::Column::State.eq(State::Dead));
    let update = match selection {
        Selection::All => update,
        Selection::Event(id) => update.filter(waiting::Column::EventId.eq(id)),
    };
    let done = update.exec(database.writer()).await?;
    Ok(done.rows_affected)
}
