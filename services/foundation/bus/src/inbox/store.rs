//! Queries on the inbox.

use std::collections::HashMap;

use paymesh_kernel::{
    Database, Timestamp,
    database::{DatabaseError, bulk},
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement,
};
use uuid::Uuid;

use crate::{
    event::Aggregate,
    inbox::entity::{
        cursor,
        waiting::{self, State},
    },
};

/// Waiting events loaded at once.
pub(crate) const PAGE: u64 = 64;

/// The inbox of one queue.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    database: Database,
    queue: String,
}

/// What waits in an inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxDepth {
    /// Events that wait for an earlier one of their aggregate.
    pub gaps: u64,
    /// Events that are tried again.
    pub retries: u64,
    /// Events that wait for a person.
    pub dead: u64,
    /// Since when the oldest gap is open.
    pub oldest_gap_at: Option<Timestamp>,
}

// === impl Inbox ===

impl Inbox {
    pub(crate) const fn new(database: Database, queue: String) -> Self {
        Self { database, queue }
    }

    /// Cursors of these aggregates.
    pub(crate) async fn cursors(
        &self,
        aggregates: &[Aggregate],
    ) -> Result<HashMap<Aggregate, cursor::Model>, DatabaseError> {
        let keys = aggregates.iter().map(|aggregate| aggregate.id.into());
        let rows = bulk::find_by::<cursor::Entity>(
            self.database.reader(),
            cursor::Column::AggregateId,
            keys.collect(),
        )
        .await?;
        let rows = rows.into_iter().filter(|row| row.queue == self.queue);
        Ok(rows
            .map(|row| (aggregate(row.aggregate_id, &row.aggregate_type), row))
            .collect())
    }

    /// The lowest waiting sequence of each of these aggregates that has waiting events.
    pub(crate) async fn lowest_waiting(
        &self,
        aggregates: &[Aggregate],
    ) -> Result<HashMap<Aggregate, i64>, DatabaseError> {
        #[derive(FromQueryResult)]
        struct Lowest {
            aggregate_id: Uuid,
            aggregate_type: String,
            sequence: i64,
        }
        let rows = waiting::Entity::find()
            .select_only()
            .column(waiting::Column::AggregateId)
            .column(waiting::Column::AggregateType)
            .column_as(waiting::Column::Sequence.min(), "sequence")
            .filter(waiting::Column::Queue.eq(&self.queue))
            .filter(waiting::Column::AggregateId.is_in(aggregates.iter().map(|a| a.id)))
            .group_by(waiting::Column::AggregateId)
            .group_by(waiting::Column::AggregateType)
            .into_model::<Lowest>()
            .all(self.database.reader())
            .await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| {
                (
                    aggregate(row.aggregate_id, &row.aggregate_type),
                    row.sequence,
                )
            })
            .collect())
    }

    /// The event that waits at this place.
    pub(crate) async fn waiting_at(
        &self,
        aggregate: &Aggregate,
        sequence: i64,
    ) -> Result<Option<waiting::Model>, DatabaseError> {
        let key = (
            aggregate.id,
            aggregate.kind.to_string(),
            self.queue.clone(),
            sequence,
        );
        Ok(waiting::Entity::find_by_id(key)
            .one(self.database.reader())
            .await?)
    }

    /// Events of an aggregate that wait beyond `sequence`, without holes from the next one on.
    pub(crate) async fn following(
        &self,
        aggregate: &Aggregate,
        sequence: i64,
    ) -> Result<Vec<waiting::Model>, DatabaseError> {
        let rows = waiting::Entity::find()
            .filter(waiting::Column::AggregateId.eq(aggregate.id))
            .filter(waiting::Column::AggregateType.eq(aggregate.kind.as_ref()))
            .filter(waiting::Column::Queue.eq(&self.queue))
            .filter(waiting::Column::Sequence.gt(sequence))
            .order_by_asc(waiting::Column::Sequence)
            .limit(PAGE)
            .all(self.database.reader())
            .await?;
        let contiguous = rows
            .into_iter()
            .zip(sequence.saturating_add(1)..)
            .take_while(|(row, expected)| row.sequence == *expected)
            .map(|(row, _)| row);
        Ok(contiguous.collect())
    }

    /// Events whose time has come, earliest first.
    pub(crate) async fn due(&self, now: Timestamp) -> Result<Vec<waiting::Model>, DatabaseError> {
        Ok(waiting::Entity::find()
            .filter(waiting::Column::Queue.eq(&self.queue))
            .filter(waiting::Column::State.is_in([State::Retry, State::Skip]))
            .filter(waiting::Column::RetryAt.lte(now))
            .order_by_asc(waiting::Column::RetryAt)
            .limit(PAGE)
            .all(self.database.reader())
            .await?)
    }

    /// When the next event is due.
    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, DatabaseError> {
        let row = waiting::Entity::find()
            .filter(waiting::Column::Queue.eq(&self.queue))
            .filter(waiting::Column::State.is_in([State::Retry, State::Skip]))
            .order_by_asc(waiting::Column::RetryAt)
            .one(self.database.reader())
            .await?;
        Ok(row.and_then(|row| row.retry_at))
    }

    /// Parked events whose gap has been closed by somebody else meanwhile.
    pub(crate) async fn closable(&self) -> Result<Vec<waiting::Model>, DatabaseError> {
        let sql = format!(
            "SELECT w.* FROM inbox_waiting w JOIN inbox_cursors c ON c.aggregate_id = w.aggregate_id \
             AND c.aggregate_type = w.aggregate_type AND c.queue = w.queue \
             WHERE w.queue = $1 AND w.state = 'gap' AND w.sequence <= c.sequence + 1 ORDER BY w.sequence LIMIT {PAGE}"
        );
        let statement = Statement::from_sql_and_values(
            self.database.backend().into(),
            sql,
            [self.queue.clone().into()],
        );
        Ok(waiting::Entity::find()
            .from_raw_sql(statement)
            .all(self.database.reader())
            .await?)
    }

    /// Counts what waits.
    pub(crate) async fn depth(&self) -> Result<InboxDepth, DatabaseError> {
        let statement = Statement::from_sql_and_values(
            self.database.backend().into(),
            "SELECT state, count(*) AS events, min(since) AS since FROM inbox_waiting WHERE queue = $1 GROUP BY state",
            [self.queue.clone().into()],
        );
        let mut depth = InboxDepth::default();
        for row in self.database.reader().query_all_raw(statement).await? {
            let events = u64::try_from(row.try_get::<i64>("", "events")?).unwrap_or(0);
            match row.try_get::<State>("", "state")? {
                State::Gap => {
                    depth.gaps = events;
                    depth.oldest_gap_at = row.try_get("", "since")?;
                }
                State::Retry | State::Skip => depth.retries += events,
                State::Dead => depth.dead = events,
            }
        }
        Ok(depth)
    }
}

fn aggregate(id: Uuid, kind: &str) -> Aggregate {
    Aggregate {
        id,
        kind: kind.to_owned().into(),
    }
}
