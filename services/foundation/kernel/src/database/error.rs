//! What can go wrong in a database, told apart by codes and constraint names.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::table::Table;
use crate::{ErrorKind, Fault};

/// SQLSTATE of the division that a stale update makes fail (see `bulk`).
const DIVISION_BY_ZERO: &str = "22012";

/// A database error in our terms.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A unique index refused the row. Named `<table>_pkey` or `<table>_<columns>_key` on both engines.
    #[error("a row with the same value exists ({constraint})")]
    Duplicate {
        /// The index.
        constraint: String,
    },
    /// A check refused the row.
    #[error("a check refused the row ({constraint})")]
    Check {
        /// The check.
        constraint: String,
    },
    /// An update found another version than the one it was made for.
    #[error("the row was changed meanwhile")]
    Stale,
    /// Deadlock, serialization failure or a busy file: the same again may succeed.
    #[error("the database asks to try again")]
    Retry(#[source] DbErr),
    /// No connection: nothing was executed.
    #[error("the database cannot be reached")]
    Unavailable(#[source] DbErr),
    /// The connection broke while the statement was under way.
    #[error("the connection to the database broke")]
    Lost(#[source] DbErr),
    /// The URL is neither `sqlite:` nor `postgres://`.
    #[error("the database URL must begin with sqlite: or postgres://")]
    UnknownEngine,
    /// Anything else: a statement of ours is wrong.
    #[error("the database refused a statement")]
    Other(#[source] DbErr),
}

/// Why a component could not read what it stores. Its text never leaves the process.
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

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error),
            DbErr::Exec(RuntimeErr::SqlxError(sqlx))
            | DbErr::Query(RuntimeErr::SqlxError(sqlx)) => {
                let sqlx = sqlx.clone();
                classify(error, &sqlx)
            }
            _ => Self::Other(error),
        }
    }
}

// === impl StoreError ===

impl StoreError {
    /// A row that holds what nobody writes.
    #[must_use]
    pub const fn malformed(table: &'static str, column: &'static str) -> Self {
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

fn classify(error: DbErr, sqlx: &SqlxError) -> DatabaseError {
    let Some(database) = sqlx.as_database_error() else {
        return match sqlx {
            SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::Configuration(_) => {
                DatabaseError::Unavailable(error)
            }
            SqlxError::Io(_)
            | SqlxError::Protocol(_)
            | SqlxError::WorkerCrashed
            | SqlxError::Tls(_) => DatabaseError::Lost(error),
            _ => DatabaseError::Other(error),
        };
    };
    let code = database.code().unwrap_or_default();
    let constraint = || {
        database
            .constraint()
            .map_or_else(|| sqlite_constraint(database.message()), ToOwned::to_owned)
    };
    match code.as_ref() {
        // PostgreSQL 23505; SQLite's extended codes for UNIQUE, PRIMARY KEY and ROWID.
        "23505" | "2067" | "1555" | "2579" => DatabaseError::Duplicate {
            constraint: constraint(),
        },
        "23514" | "275" => DatabaseError::Check {
            constraint: constraint(),
        },
        DIVISION_BY_ZERO => DatabaseError::Stale,
        // Serialization failure, deadlock, lock not available; SQLite's BUSY, LOCKED and BUSY_SNAPSHOT.
        "40001" | "40P01" | "55P03" | "5" | "6" | "517" => DatabaseError::Retry(error),
        // The server is going away or coming up.
        "57P01" | "57P02" | "08006" | "08003" => DatabaseError::Lost(error),
        "57P03" | "53300" | "08001" | "08004" => DatabaseError::Unavailable(error),
        _ => DatabaseError::Other(error),
    }
}

/// SQLite has no constraint names in its errors: `UNIQUE constraint failed: orders.tenant_id, orders.key` becomes
/// `orders_tenant_id_key_key`, and the columns of the primary key become `orders_pkey`, as PostgreSQL names them.
fn sqlite_constraint(message: &str) -> String {
    let Some((kind, columns)) = message.split_once(" constraint failed: ") else {
        return message.to_owned();
    };
    if kind != "UNIQUE" {
        return columns.to_owned();
    }
    let mut table = "";
    let mut names = Vec::new();
    for column in columns.split(", ") {
        if let Some((owner, name)) = column.split_once('.') {
            table = owner;
            names.push(name);
        }
    }
    if Table::is_primary_key(table, &names) {
        return format!("{table}_pkey");
    }
    format!("{table}_{}_key", names.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_violation_of_sqlite_gets_the_name_that_postgresql_gives() {
        let name = sqlite_constraint("UNIQUE constraint failed: orders.tenant_id, orders.key");
        assert_eq!(name, "orders_tenant_id_key_key");
    }
}
