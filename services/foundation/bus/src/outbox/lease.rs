//! Leases on the shards of an outbox: one statement renews what is held and takes over what has expired.
//!
//! A holder that stalls beyond its lease may publish beside its successor. Nothing is lost or doubled in effect by that:
//! consumers go by the sequence.

use std::time::Duration;

use paymesh_kernel::{
    Database, Timestamp,
    database::{Backend, DatabaseError},
};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::outbox::SHARDS;

/// How long a lease lasts without renewal: the longest silence after a replica is lost.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How long before its end a lease is renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(10);

/// The shards that this relay may publish from, and until when.
#[derive(Debug)]
pub(crate) struct Leases {
    holder: String,
    shards: Vec<i16>,
    expires_at: Timestamp,
}

// === impl Leases ===

impl Leases {
    /// None yet. `holder` differs between replicas and stays the same over a restart of one.
    pub(crate) const fn new(holder: String) -> Self {
        Self {
            holder,
            shards: Vec::new(),
            expires_at: Timestamp::EPOCH,
        }
    }

    /// The shards held at `now`.
    pub(crate) fn held(&self, now: Timestamp) -> &[i16] {
        if now < self.expires_at {
            &self.shards
        } else {
            &[]
        }
    }

    /// The condition on column `o.shard` for the shards held; None when all are.
    pub(crate) fn condition(&self) -> Option<String> {
        if self.shards.len() == usize::try_from(SHARDS).unwrap_or(usize::MAX) {
            return None;
        }
        let shards: Vec<String> = self.shards.iter().map(ToString::to_string).collect();
        Some(format!("o.shard IN ({})", shards.join(", ")))
    }

    /// True when it is time to renew, or to see whether another holder has gone.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        now.plus(RENEW_BEFORE) >= self.expires_at
    }

    /// Renews what is held and takes what is free.
    pub(crate) async fn renew(
        &mut self,
        database: &Database,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let expires_at = now.plus(LEASE);
        // A file belongs to one process: whoever held it before is gone.
        let free = match database.backend() {
            Backend::Sqlite => "TRUE OR expires_at <= $3",
            Backend::Postgres => "holder = $1 OR expires_at <= $3",
        };
        let sql = format!(
            "UPDATE relay_leases SET holder = $1, expires_at = $2 WHERE {free} RETURNING shard"
        );
        let statement = Statement::from_sql_and_values(
            database.backend().into(),
            sql,
            [
                self.holder.clone().into(),
                expires_at.as_micros().into(),
                now.as_micros().into(),
            ],
        );
        let rows = database.writer().query_all_raw(statement).await?;
        let mut shards = Vec::with_capacity(rows.len());
        for row in rows {
            shards.push(row.try_get("", "shard")?);
        }
        shards.sort_unstable();
        if shards != self.shards {
            tracing::debug!(holder = self.holder, shards = shards.len(), "relay leases");
        }
        self.shards = shards;
        self.expires_at = expires_at;
        Ok(())
    }

    /// Gives everything back, so that another replica need not wait.
    pub(crate) async fn release(&mut self, database: &Database) -> Result<(), DatabaseError> {
        let statement = Statement::from_sql_and_values(
            database.backend().into(),
            "UPDATE relay_leases SET holder = '', expires_at = 0 WHERE holder = $1",
            [self.holder.clone().into()],
        );
        self.shards.clear();
        database.writer().execute_raw(statement).await?;
        Ok(())
    }
}
