//! Databases that live as long as one test.

use std::sync::Arc;

use paymesh_kernel::{Database, DatabaseConfig, Ids, SystemClock};
use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;
use uuid::Uuid;

use crate::servers;

/// An empty database, gone after the test.
#[derive(Debug)]
pub struct TestDatabase {
    /// How to open it again, as after a crash.
    pub config: DatabaseConfig,
    /// The open handle.
    pub database: Database,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A SQLite file in a temporary folder.
    ///
    /// # Panics
    /// When the folder or the file cannot be made.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let config = DatabaseConfig {
            url: Database::sqlite_url(&folder.path().join("test.db")),
            ..DatabaseConfig::default()
        };
        Self {
            database: open(&config).await,
            config,
            _folder: Some(folder),
        }
    }

    /// A new database on the PostgreSQL server of the tests; None when there is no server and the test may be skipped.
    /// It stays on the server until that ends, so that a failure can be looked into.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn postgres() -> Option<Self> {
        let server = servers::postgres_url()?;
        let name: Uuid = Ids::new(Arc::new(SystemClock)).next();
        let name = format!("test_{}", name.simple());
        let admin = DatabaseConfig {
            url: server.clone(),
            ..DatabaseConfig::default()
        };
        let admin = open(&admin).await;
        admin
            .writer()
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("the test server lets us create databases");
        admin.close().await;
        let config = DatabaseConfig {
            url: with_database(&server, &name),
            ..DatabaseConfig::default()
        };
        Some(Self {
            database: open(&config).await,
            config,
            _folder: None,
        })
    }
}

/// The URL of another database on the same server.
#[must_use]
pub fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server
        .split_once('?')
        .map_or((server, None), |(a, q)| (a, Some(q)));
    let authority_end = address.find("://").map_or(0, |scheme| scheme + 3);
    let base = address[authority_end..]
        .find('/')
        .map_or(address, |slash| &address[..authority_end + slash]);
    match query {
        Some(query) => format!("{base}/{name}?{query}"),
        None => format!("{base}/{name}"),
    }
}

async fn open(config: &DatabaseConfig) -> Database {
    Database::open(config)
        .await
        .expect("the test database opens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_changes() {
        assert_eq!(
            with_database("postgres://u:p@h:1/postgres?sslmode=disable", "x"),
            "postgres://u:p@h:1/x?sslmode=disable"
        );
        assert_eq!(with_database("postgres://u@h", "x"), "postgres://u@h/x");
    }
}
