//! The ledger's rows: what is loaded for a batch, what a batch writes, and what is read for answers.
//!
//! Writing is [`ledger::LedgerTx`] alone. Everything else reads committed rows, which include all that its caller was told of.

pub mod account;
mod entity;
pub mod entry;
pub mod ledger;
mod map;
mod migration;
pub mod proof;
pub mod report;
pub mod transfer;

use paymesh_kernel::{ErrorKind, Fault, database::DatabaseError};
use sea_orm::DbErr;
use sea_orm_migration::MigrationTrait;

/// Why rows could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the ledger's database failed")]
    Database(#[from] DatabaseError),
    /// A row does not say what it must: somebody changed it by hand, or it is of a newer version.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// Of what.
        what: &'static str,
    },
}

/// Rows wanted of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page<K> {
    /// At most so many; one more is asked for, to know whether there is another page.
    pub size: u64,
    /// Behind this one.
    pub after: Option<K>,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Database(DatabaseError::Unavailable(_) | DatabaseError::Lost(_)) => {
                ErrorKind::Unavailable
            }
            Self::Database(DatabaseError::Retry(_)) => ErrorKind::ResourceExhausted,
            Self::Database(
                DatabaseError::Duplicate { .. }
                | DatabaseError::Check { .. }
                | DatabaseError::Stale
                | DatabaseError::UnknownEngine
                | DatabaseError::Other(_),
            )
            | Self::Corrupt { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self.kind() {
            ErrorKind::Unavailable => "STORAGE_UNAVAILABLE",
            ErrorKind::ResourceExhausted => "STORAGE_BUSY",
            ErrorKind::InvalidArgument
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::FailedPrecondition
            | ErrorKind::Aborted
            | ErrorKind::DeadlineExceeded
            | ErrorKind::Internal => "STORAGE_REFUSED",
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self.kind() {
            ErrorKind::Unavailable => Some(1_000),
            ErrorKind::ResourceExhausted => Some(100),
            ErrorKind::InvalidArgument
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::FailedPrecondition
            | ErrorKind::Aborted
            | ErrorKind::DeadlineExceeded
            | ErrorKind::Internal => None,
        }
    }
}

/// Migrations in order.
pub type Migrations = Vec<Box<dyn MigrationTrait>>;

/// The schema.
#[must_use]
pub fn migrations() -> Migrations {
    vec![Box::new(migration::Ledger)]
}
