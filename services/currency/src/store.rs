//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

mod entity;
mod migration;
pub(crate) mod quotes;
pub(crate) mod rates;

use paymesh_kernel::{ErrorKind, Fault, database::DatabaseError};
use sea_orm::DbErr;
use sea_orm_migration::MigrationTrait;

/// What [`migrations`] gives.
pub type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of quotes.
pub(crate) const QUOTE_KEY: &str = "quotes_pkey";
/// Primary key of imports.
pub(crate) const IMPORT_KEY: &str = "rate_imports_pkey";
/// Names of sources are unique.
pub(crate) const SOURCE_NAME_KEY: &str = "rate_sources_name_key";

/// The schema of the component.
#[must_use]
pub(crate) fn migrations() -> Migrations {
    vec![Box::new(migration::Tables)]
}

/// Why something could not be read. Its text never leaves the process.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
