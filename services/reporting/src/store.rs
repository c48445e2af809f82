//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

pub(crate) mod definitions;
mod entity;
pub(crate) mod fees;
pub(crate) mod files;
pub(crate) mod ledger;
mod migration;
pub(crate) mod risk;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod settlement;
mod sql;
pub(crate) mod transactions;

use paymesh_kernel::{ErrorKind, Fault, Timestamp, database::DatabaseError};
use sea_orm::DbErr;
use sea_orm_migration::MigrationTrait;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of definitions.
pub(crate) const DEFINITIONS_KEY: &str = "definitions_pkey";
/// Names of definitions.
pub(crate) const NAMES_KEY: &str = "definitions_tenant_id_name_key";
/// Primary key of schedules.
pub(crate) const SCHEDULES_KEY: &str = "schedules_pkey";
/// Primary key of runs.
pub(crate) const RUNS_KEY: &str = "runs_pkey";
/// Table of runs, to be watched.
pub(crate) const RUNS: &str = "runs";
/// Table of schedules, to be watched.
pub(crate) const SCHEDULES: &str = "schedules";

/// Which rows of a read model: a span of time in one tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) tenant: paymesh_kernel::id::TenantId,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// The schema of the component.
pub(crate) fn migrations() -> Migrations {
    vec![Box::new(migration::Tables)]
}

/// Why something could not be read. Its text never leaves the process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The database.
    #[error("stored data cannot be read")]
    Database(#[source] DatabaseError),
    /// A row holds what nobody writes.
    #[error("a row of {table} holds something unknown in {column}")]
    Malformed {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

// === impl StoreError ===

impl StoreError {
    pub(crate) const fn malformed(table: &'static str, column: &'static str) -> Self {
        Self::Malformed { table, column }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Database(
                DatabaseError::Unavailable(_) | DatabaseError::Lost(_) | DatabaseError::Retry(_),
            ) => ErrorKind::Unavailable,
            Self::Database(
                DatabaseError::Duplicate { .. }
                | DatabaseError::Check { .. }
                | DatabaseError::Stale
                | DatabaseError::UnknownEngine
                | DatabaseError::Other(_),
            )
            | Self::Malformed { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        if self.kind() == ErrorKind::Unavailable {
            "STORAGE_UNAVAILABLE"
        } else {
            "STORAGE_REFUSED"
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        (self.kind() == ErrorKind::Unavailable).then_some(1_000)
    }
}
