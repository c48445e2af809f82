//! The inbox's tables.

use sea_orm_migration::prelude::*;

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "bus_0002_inbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres;
        // Room on each page keeps updates of a cursor next to their old row.
        let (bytes, options) = if postgres {
            ("BYTEA", " WITH (fillfactor = 70)")
        } else {
            ("BLOB", " WITHOUT ROWID")
        };
        for sql in [
            format!(
                "CREATE TABLE inbox_cursors (aggregate_id UUID NOT NULL, aggregate_type TEXT NOT NULL, queue TEXT NOT NULL, \
                 sequence BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL, \
                 PRIMARY KEY (aggregate_id, aggregate_type, queue)){options}"
            ),
            format!(
                "CREATE TABLE inbox_waiting (aggregate_id UUID NOT NULL, aggregate_type TEXT NOT NULL, queue TEXT NOT NULL, \
                 sequence BIGINT NOT NULL, event_id UUID NOT NULL, \
                 state TEXT NOT NULL CHECK (state IN ('gap', 'retry', 'dead', 'skip')), attempts BIGINT NOT NULL, \
                 retry_at BIGINT, reason TEXT NOT NULL, since BIGINT NOT NULL, event {bytes} NOT NULL, \
                 PRIMARY KEY (aggregate_id, aggregate_type, queue, sequence))"
            ),
            "CREATE INDEX inbox_waiting_queue_state_retry_at_idx ON inbox_waiting (queue, state, retry_at)".to_owned(),
        ] {
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
