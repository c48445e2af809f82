//! The broker's file: logs, queues with their cursors, dead letters.

use std::{fmt, sync::Arc};

use paymesh_kernel::{Clock, Database, Timestamp, database::DatabaseError, id::EventId};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, QueryResult, Statement, Value,
};

use super::{commit::Letter, queue::Content};
use crate::{
    broker::{BrokerError, DeadLetter, Selection},
    event::Event,
};

/// Events read from a log at once.
const PAGE: i64 = 256;
/// Rows of one statement. Few sizes, so that few statements are prepared.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS logs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS queues (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, \
     log INTEGER NOT NULL REFERENCES logs (id), cursor INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS messages (log INTEGER NOT NULL, position INTEGER NOT NULL, event BLOB NOT NULL, \
     PRIMARY KEY (log, position)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS dead_letters (queue INTEGER NOT NULL REFERENCES queues (id), event_id BLOB NOT NULL, \
     event BLOB NOT NULL, reason TEXT NOT NULL, died_at INTEGER NOT NULL, replaying INTEGER NOT NULL, \
     PRIMARY KEY (queue, event_id))",
];

/// Access to the file.
#[derive(Clone)]
pub(super) struct Store {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// A queue as it is in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredQueue {
    pub(super) id: i64,
    pub(super) cursor: i64,
    /// Highest position of its log.
    pub(super) head: i64,
    /// Events beyond the cursor.
    pub(super) waiting: u64,
}

// === impl Store ===

impl Store {
    /// Makes the tables when they are missing.
    pub(super) async fn init(
        database: Database,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BrokerError> {
        for sql in SCHEMA {
            let done = database.writer().execute_unprepared(sql).await;
            done.map_err(DatabaseError::from)?;
        }
        Ok(Self { database, clock })
    }

    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, BrokerError> {
        Ok(self.database.begin().await.map_err(DatabaseError::from)?)
    }

    /// The id of a log, which is made when it is missing.
    pub(super) async fn declare_log(&self, name: &str) -> Result<i64, BrokerError> {
        let sql = "INSERT INTO logs (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id";
        let row = self.write_one(sql, [name.into()]).await?;
        number(&row, "id")
    }

    /// A queue, which is made when it is missing: it then begins with what is published from now on.
    pub(super) async fn declare_queue(
        &self,
        name: &str,
        log: i64,
    ) -> Result<StoredQueue, BrokerError> {
        let last = self.last_position().await?;
        let sql = "INSERT INTO queues (name, log, cursor) VALUES ($1, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, cursor";
        let row = self
            .write_one(sql, [name.into(), log.into(), last.into()])
            .await?;
        let (id, cursor) = (number(&row, "id")?, number(&row, "cursor")?);
        let sql = "SELECT count(*) AS waiting, coalesce(max(position), $2) AS head FROM messages WHERE log = $1 AND position > $2";
        let rows = self.read(sql, [log.into(), cursor.into()]).await?;
        let row = rows.first().ok_or_else(missing_row)?;
        Ok(StoredQueue {
            id,
            cursor,
            head: number(row, "head")?,
            waiting: u64::try_from(number(row, "waiting")?).unwrap_or(0),
        })
    }

    /// The highest position that was ever given, as far as anything remembers it.
    pub(super) async fn last_position(&self) -> Result<i64, BrokerError> {
        let sql = "SELECT max(coalesce((SELECT max(position) FROM messages), 0), coalesce((SELECT max(cursor) FROM queues), 0)) AS last";
        let rows = self.read(sql, []).await?;
        number(rows.first().ok_or_else(missing_row)?, "last")
    }

    /// The next events of a log.
    pub(super) async fn page(
        &self,
        log: i64,
        after: i64,
    ) -> Result<Vec<(i64, Content)>, BrokerError> {
        let sql = "SELECT position, event FROM messages WHERE log = $1 AND position > $2 ORDER BY position LIMIT $3";
        let rows = self
            .read(sql, [log.into(), after.into(), PAGE.into()])
            .await?;
        let mut page = Vec::with_capacity(rows.len());
        for row in rows {
            page.push((number(&row, "position")?, content(&row)?));
        }
        Ok(page)
    }

    pub(super) async fn count_dead(&self, queue: i64) -> Result<u64, BrokerError> {
        let sql = "SELECT count(*) AS dead FROM dead_letters WHERE queue = $1 AND replaying = 0";
        let rows = self.read(sql, [queue.into()]).await?;
        let dead = number(rows.first().ok_or_else(missing_row)?, "dead")?;
        Ok(u64::try_from(dead).unwrap_or(0))
    }

    pub(super) async fn dead_letters(
        &self,
        queue: i64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, BrokerError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT event, reason, died_at FROM dead_letters WHERE queue = $1 AND replaying = 0 \
                   ORDER BY died_at, event_id LIMIT $2";
        let rows = self.read(sql, [queue.into(), limit.into()]).await?;
        let mut letters = Vec::with_capacity(rows.len());
        for row in rows {
            let reason = row.try_get("", "reason").map_err(DatabaseError::from)?;
            let died_at = Timestamp::from_micros(number(&row, "died_at")?);
            letters.push(DeadLetter {
                event: content(&row)?,
                reason,
                died_at: Some(died_at),
            });
        }
        Ok(letters)
    }

    /// Marks dead letters as under way again, and gives them.
    pub(super) async fn replay(
        &self,
        queue: i64,
        selection: Selection,
    ) -> Result<Vec<Arc<Event>>, BrokerError> {
        let sql = "UPDATE dead_letters SET replaying = 1 WHERE queue = $1 AND replaying = 0 AND ($2 IS NULL OR event_id = $2) \
                   RETURNING event";
        let statement = statement(sql, [queue.into(), selected(selection)]);
        let rows = self.database.writer().query_all_raw(statement).await;
        events(&rows.map_err(DatabaseError::from)?)
    }

    /// Dead letters that were under way again when the process ended.
    pub(super) async fn replaying(&self, queue: i64) -> Result<Vec<Arc<Event>>, BrokerError> {
        let sql = "SELECT event FROM dead_letters WHERE queue = $1 AND replaying = 1 ORDER BY died_at, event_id";
        events(&self.read(sql, [queue.into()]).await?)
    }

    pub(super) async fn purge(
        &self,
        queue: i64,
        selection: Selection,
    ) -> Result<usize, BrokerError> {
        let sql = "DELETE FROM dead_letters WHERE queue = $1 AND replaying = 0 AND ($2 IS NULL OR event_id = $2)";
        let statement = statement(sql, [queue.into(), selected(selection)]);
        let done = self.database.writer().execute_raw(statement).await;
        let done = done.map_err(DatabaseError::from)?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
    }

    pub(super) async fn append_in_tx(
        tx: &DatabaseTransaction,
        log: i64,
        entries: &[(i64, Arc<Event>)],
    ) -> Result<(), BrokerError> {
        let mut rest = entries;
        for size in CHUNKS {
            while rest.len() >= size {
                let (chunk, after) = rest.split_at(size);
                rest = after;
                let rows = vec!["(?,?,?)"; size].join(",");
                let sql = format!("INSERT INTO messages (log, position, event) VALUES {rows}");
                let values = chunk.iter().flat_map(|(position, event)| {
                    [log.into(), (*position).into(), event.encode().into()]
                });
                execute(tx, &sql, values).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn bury_in_tx(
        &self,
        tx: &DatabaseTransaction,
        queue: i64,
        letters: &[Letter],
    ) -> Result<(), BrokerError> {
        let now = self.clock.now().as_micros();
        let sql = "INSERT OR REPLACE INTO dead_letters (queue, event_id, event, reason, died_at, replaying) \
                   VALUES ($1, $2, $3, $4, $5, 0)";
        for Letter { event, reason } in letters {
            let values: [Value; 5] = [
                queue.into(),
                event.id.into(),
                event.encode().into(),
                reason.clone().into(),
                now.into(),
            ];
            execute(tx, sql, values).await?;
        }
        Ok(())
    }

    pub(super) async fn forget_in_tx(
        tx: &DatabaseTransaction,
        queue: i64,
        events: &[EventId],
    ) -> Result<(), BrokerError> {
        let sql = "DELETE FROM dead_letters WHERE queue = $1 AND event_id = $2 AND replaying = 1";
        for event in events {
            execute(tx, sql, [queue.into(), (*event).into()]).await?;
        }
        Ok(())
    }

    pub(super) async fn save_cursor_in_tx(
        tx: &DatabaseTransaction,
        queue: i64,
        cursor: i64,
    ) -> Result<(), BrokerError> {
        let sql = "UPDATE queues SET cursor = $2 WHERE id = $1";
        execute(tx, sql, [queue.into(), cursor.into()]).await
    }

    pub(super) async fn prune_in_tx(
        tx: &DatabaseTransaction,
        log: i64,
        passed: i64,
    ) -> Result<(), BrokerError> {
        let sql = "DELETE FROM messages WHERE log = $1 AND position <= $2";
        execute(tx, sql, [log.into(), passed.into()]).await
    }

    async fn read(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, BrokerError> {
        let rows = self.database.reader();
        let rows = rows.query_all_raw(statement(sql, values)).await;
        Ok(rows.map_err(DatabaseError::from)?)
    }

    async fn write_one(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<QueryResult, BrokerError> {
        let row = self.database.writer();
        let row = row.query_one_raw(statement(sql, values)).await;
        row.map_err(DatabaseError::from)?.ok_or_else(missing_row)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

async fn execute(
    tx: &DatabaseTransaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<(), BrokerError> {
    let done = tx.execute_raw(statement(sql, values)).await;
    done.map_err(DatabaseError::from)?;
    Ok(())
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DatabaseBackend::Sqlite, sql, values)
}

/// The id to select by; NULL selects all.
fn selected(selection: Selection) -> Value {
    match selection {
        Selection::All => Value::Uuid(None),
        Selection::Event(id) => id.into(),
    }
}

fn number(row: &QueryResult, column: &str) -> Result<i64, BrokerError> {
    Ok(row.try_get("", column).map_err(DatabaseError::from)?)
}

fn content(row: &QueryResult) -> Result<Content, BrokerError> {
    let bytes: Vec<u8> = row.try_get("", "event").map_err(DatabaseError::from)?;
    Ok(Event::decode(&bytes).map(Arc::new))
}

fn events(rows: &[QueryResult]) -> Result<Vec<Arc<Event>>, BrokerError> {
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        match content(row)? {
            Ok(event) => events.push(event),
            Err(error) => tracing::error!(%error, "a dead letter is unreadable"),
        }
    }
    Ok(events)
}

fn missing_row() -> BrokerError {
    BrokerError::unavailable(std::io::Error::other("a statement gave no row"))
}
