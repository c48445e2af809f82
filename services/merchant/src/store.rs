//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

mod entity;
pub(crate) mod merchants;
mod migration;
pub(crate) mod terminals;

use paymesh_kernel::{Database, ErrorKind, Fault, Timestamp, database::DatabaseError};
use sea_orm::DbErr;
use sea_orm_migration::MigrationTrait;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of merchants.
pub(crate) const MERCHANT_INDEX: &str = "merchants_pkey";
/// Primary key of terminals.
pub(crate) const TERMINAL_INDEX: &str = "terminals_pkey";

/// The schema of the component.
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(paymesh_chassis::idempotency::Migration),
        Box::new(migration::Tables),
    ]
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
        match self.kind() {
            ErrorKind::Unavailable => "STORAGE_UNAVAILABLE",
            ErrorKind::InvalidArgument
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::FailedPrecondition
            | ErrorKind::Aborted
            | ErrorKind::ResourceExhausted
            | ErrorKind::DeadlineExceeded
            | ErrorKind::Internal => "STORAGE_REFUSED",
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        (self.kind() == ErrorKind::Unavailable).then_some(1_000)
    }
}

/// Takes away keys of commands that are too old to count.
pub(crate) async fn purge(database: &Database, now: Timestamp) -> Result<u64, StoreError> {
    Ok(paymesh_chassis::idempotency::purge(database, now).await?)
}
