//! The outbox's tables. They are only appended to and deleted from, so vacuum is told to come early and the fill is full.

use sea_orm_migration::prelude::*;

use crate::outbox::SHARDS;

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "bus_0001_outbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres;
        let (position, bytes, options) = if postgres {
            (
                "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                "BYTEA",
                " WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, \
                 autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0)",
            )
        } else {
            ("INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB", "")
        };
        let shards: Vec<String> = (0..SHARDS)
            .map(|shard| format!("({shard}, '', 0)"))
            .collect();
        for sql in [
            format!(
                "CREATE TABLE outbox (position {position}, id UUID NOT NULL, aggregatetype TEXT NOT NULL, \
                 aggregateid UUID NOT NULL, type TEXT NOT NULL, sequence BIGINT NOT NULL CHECK (sequence > 0), \
                 tenant_id UUID, causation_id TEXT NOT NULL, correlation_id TEXT NOT NULL, occurred_at BIGINT NOT NULL, \
                 business_at BIGINT NOT NULL, traceparent TEXT, shard SMALLINT NOT NULL, payload {bytes} NOT NULL){options}"
            ),
            "CREATE TABLE outbox_blocked (aggregate_id UUID NOT NULL, aggregate_type TEXT NOT NULL, event_id UUID NOT NULL, \
             failures BIGINT NOT NULL, reason TEXT NOT NULL, blocked_at BIGINT NOT NULL, retry_at BIGINT NOT NULL, \
             PRIMARY KEY (aggregate_id, aggregate_type))"
                .to_owned(),
            "CREATE TABLE relay_leases (shard SMALLINT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, expires_at BIGINT NOT NULL)"
                .to_owned(),
            format!("INSERT INTO relay_leases (shard, holder, expires_at) VALUES {}", shards.join(", ")),
        ] {
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
