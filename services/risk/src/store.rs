//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

pub(crate) mod alerts;
mod detail;
mod entity;
pub(crate) mod history;
pub(crate) mod labels;
pub(crate) mod lists;
mod migration;
pub(crate) mod payments;
pub(crate) mod rules;
pub(crate) mod tenants;

use paymesh_kernel::{ErrorKind, Fault, database::DatabaseError, id::reexport::Uuid};
use sea_orm::DbErr;
use sea_orm_migration::MigrationTrait;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of payments.
pub(crate) const PAYMENTS_KEY: &str = "payments_pkey";
/// Primary key of rules.
pub(crate) const RULES_KEY: &str = "rules_pkey";
/// Unique index of the names of rules.
pub(crate) const RULE_NAMES: &str = "rules_tenant_id_name_key";
/// Primary key of entries.
pub(crate) const ENTRIES_KEY: &str = "list_entries_pkey";
/// Primary key of pieces of history.
pub(crate) const CHUNKS_KEY: &str = "import_chunks_pkey";
/// Primary key of tenants.
pub(crate) const TENANTS_KEY: &str = "tenants_pkey";

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

/// Where a page begins: after this moment and id, or before them when the newest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: i64,
    pub(crate) id: Uuid,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) from: Option<Place>,
    pub(crate) limit: u64,
}

/// A half-open span of business time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from_us: Option<i64>,
    pub(crate) until_us: Option<i64>,
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
