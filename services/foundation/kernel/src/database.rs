//! The handle to a component's own database: SQLite or PostgreSQL, one pool for reads and one for writes.
//!
//! On SQLite all writes go through one connection (WAL, `synchronous=FULL`), so that writers queue here rather than fail with
//! "database is locked". On PostgreSQL the writing pool is small: the group-commit writer needs one connection, background work
//! the others. Nothing that decides about money reads from a replica.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of sea-orm and sqlx grow with their versions and have dozens of members"
)]

pub mod bulk;
pub mod error;
pub mod table;

use std::{fmt, path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction,
    DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use serde::{Deserialize, Serialize};

pub use error::{DatabaseError, StoreError};

/// How long a statement waits for a connection of the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// PostgreSQL's planner for reads. A plan that was cached while a table was small would scan it for as long as the connection
/// lives (a third of the server's time in a bench of payments), so scans are left for tables without an index that fits. A scan
/// that is made dear would also look worth compiling, which it is not.
const READING: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];
/// The same for set-based writes, which join a handful of rows to a table by its key: a nested loop over the index and nothing
/// else, planned once a connection and not for each of the first five batches of a shape.
const WRITING: [(&str, &str); 5] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// Which engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One file, in the process.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is, and how many connections it may take.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite:<path>` or `postgres://user:password@host:port/name`. Empty: a file in the data folder.
    #[serde(serialize_with = "redacted")]
    pub url: String,
    /// Connections for reads.
    pub read_connections: u32,
    /// Connections for writes; SQLite always has one.
    pub write_connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            read_connections: 4,
            write_connections: 4,
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &redact(&self.url))
            .field("read_connections", &self.read_connections)
            .field("write_connections", &self.write_connections)
            .finish()
    }
}

fn redacted<S: serde::Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&redact(url))
}

/// A component's database. Clones share the pools.
#[derive(Clone, Debug)]
pub struct Database {
    backend: Backend,
    read: DatabaseConnection,
    write: DatabaseConnection,
}

// === impl Database ===

impl Database {
    /// Opens the database, and makes the file when it is SQLite.
    ///
    /// # Errors
    /// When the URL is of neither engine or no connection can be had.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        if config.url.starts_with("sqlite:") {
            Self::open_sqlite(config).await
        } else if config.url.starts_with("postgres://") || config.url.starts_with("postgresql://") {
            Self::open_postgres(config).await
        } else {
            Err(DatabaseError::UnknownEngine)
        }
    }

    /// The SQLite URL of a file.
    #[must_use]
    pub fn sqlite_url(file: &Path) -> String {
        format!("sqlite:{}?mode=rwc", file.display())
    }

    async fn open_sqlite(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        // The writer first: it makes the file and sets the journal mode.
        let write = connect(sqlite_options(&config.url, 1)).await?;
        let read = connect(sqlite_options(&config.url, config.read_connections.max(1))).await?;
        Ok(Self {
            backend: Backend::Sqlite,
            read,
            write,
        })
    }

    async fn open_postgres(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        let write = connect(postgres_options(
            config,
            config.write_connections.max(2),
            &WRITING,
        ))
        .await?;
        let read = connect(postgres_options(
            config,
            config.read_connections.max(1),
            &READING,
        ))
        .await?;
        Ok(Self {
            backend: Backend::Postgres,
            read,
            write,
        })
    }

    /// The engine.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// For queries outside of any tx. Each statement sees all that was committed before it began.
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For single writing statements and migrations. Prefer the [`Writer`](crate::Writer).
    #[must_use]
    pub const fn writer(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Begins a tx on a writing connection. On SQLite it holds the only one: keep it short and call nobody meanwhile.
    ///
    /// # Errors
    /// When no connection can be had in time.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: match self.backend {
                Backend::Sqlite => Some(SqliteTransactionMode::Immediate),
                Backend::Postgres => None,
            },
            ..TransactionOptions::default()
        };
        self.write.begin_with_options(options).await
    }

    /// True when a trivial query is answered.
    pub async fn is_alive(&self) -> bool {
        self.read.execute_unprepared("SELECT 1").await.is_ok()
    }

    /// The setting that decides whether a commit survives a power cut: `synchronous` on SQLite (2 is FULL), `fsync` and
    /// `synchronous_commit` on PostgreSQL. Tests assert it.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn durability(&self) -> Result<String, DbErr> {
        let sql = match self.backend {
            Backend::Sqlite => {
                "SELECT 'synchronous=' || synchronous AS setting FROM pragma_synchronous"
            }
            Backend::Postgres => {
                "SELECT 'fsync=' || current_setting('fsync') || ' synchronous_commit=' || current_setting('synchronous_commit') AS setting"
            }
        };
        let statement = sea_orm::Statement::from_string(self.write.get_database_backend(), sql);
        let row = self.write.query_one_raw(statement).await?;
        row.map_or(Ok(String::new()), |row| row.try_get("", "setting"))
    }

    /// Closes both pools.
    pub async fn close(self) {
        self.read.close().await.ok();
        self.write.close().await.ok();
    }
}

impl From<Backend> for DatabaseBackend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite,
            Backend::Postgres => Self::Postgres,
        }
    }
}

fn sqlite_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = base_options(url, connections);
    options.map_sqlx_sqlite_opts(|options| {
        options
            .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
            .synchronous(sea_orm::sqlx::sqlite::SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("cache_size", "-4096")
    });
    options
}

fn postgres_options(
    config: &DatabaseConfig,
    connections: u32,
    settings: &'static [(&'static str, &'static str)],
) -> ConnectOptions {
    let mut options = base_options(&config.url, connections);
    options.map_sqlx_postgres_opts(|options| options.options(settings.iter().copied()));
    options
}

fn base_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that opens databases"
)]
async fn connect(options: ConnectOptions) -> Result<DatabaseConnection, DatabaseError> {
    sea_orm::Database::connect(options)
        .await
        .map_err(DatabaseError::from)
}

/// A database URL without its password.
#[must_use]
pub fn redact(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}://{user}:***@{}", &url[..scheme], &url[at + 1..])
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show() {
        let config = DatabaseConfig {
            url: "postgres://paymesh:s3cret@db:5432/account".to_owned(),
            ..DatabaseConfig::default()
        };
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(
            shown.contains("postgres://paymesh:***@db:5432/account"),
            "{shown}"
        );
    }
}
