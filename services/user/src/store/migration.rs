//! The schema, on SQLite and PostgreSQL alike.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};

use Kind::{
    BigInt, Bool, Bytes, Int, Key, MaybeBigInt, MaybeBytes, MaybeText, MaybeUuid, Text, TextKey,
    Uuid,
};

/// Tables whose rows change often leave room on their pages, so that PostgreSQL updates them in place.
const OFTEN_UPDATED: [&str; 3] = ["users", "sessions", "login_attempts"];

/// How a column is declared.
#[derive(Clone, Copy)]
enum Kind {
    Key,
    TextKey,
    Uuid,
    Text,
    BigInt,
    Int,
    Bool,
    Bytes,
    MaybeUuid,
    MaybeText,
    MaybeBigInt,
    MaybeBytes,
}

type TableShape = (&'static str, &'static [(&'static str, Kind)]);

const TABLES: &[TableShape] = &[
    (
        "tenants",
        &[
            ("id", Key),
            ("name", Text),
            ("mode", Text),
            ("country", Text),
            ("default_currency", Text),
            ("standing", Text),
            ("created_at", BigInt),
        ],
    ),
    (
        "users",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("state", Text),
            ("email_hash", MaybeText),
            ("sealed", MaybeBytes),
            ("country", Text),
            ("currency", Text),
            ("roles", Text),
            ("consents", Text),
            ("merchant_id", MaybeUuid),
            ("account_id", MaybeUuid),
            ("erases_at", MaybeBigInt),
            ("next_wake_at", MaybeBigInt),
            ("attempts", Int),
            ("event_sequence", BigInt),
            ("version", BigInt),
            ("created_at", BigInt),
            ("updated_at", BigInt),
        ],
    ),
    (
        "user_roles",
        &[("tenant_id", Key), ("role", TextKey), ("user_id", Key)],
    ),
    (
        "consents",
        &[
            ("id", Key),
            ("user_id", Uuid),
            ("purpose", Text),
            ("granted", Bool),
            ("text_version", Text),
            ("recorded_at", BigInt),
        ],
    ),
    (
        "subject_keys",
        &[("user_id", Key), ("wrapped", Bytes), ("created_at", BigInt)],
    ),
    (
        "credentials",
        &[
            ("user_id", Key),
            ("password_hash", Text),
            ("sessions_valid_from", BigInt),
            ("version", BigInt),
        ],
    ),
    (
        "sessions",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("user_id", Uuid),
            ("generation", BigInt),
            ("salt", Bytes),
            ("created_at", BigInt),
            ("refresh_expires_at", BigInt),
            ("expires_at", BigInt),
            ("ended_at", MaybeBigInt),
            ("end_reason", MaybeText),
            ("version", BigInt),
        ],
    ),
    (
        "login_attempts",
        &[
            ("id", Key),
            ("count", BigInt),
            ("began_at", BigInt),
            ("locked_until", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
    (
        "signing_keys",
        &[
            ("id", Key),
            ("generation", BigInt),
            ("sealed", Bytes),
            ("activates_at", BigInt),
            ("created_at", BigInt),
        ],
    ),
    (
        "api_keys",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("secret_hash", Text),
            ("mode", Text),
            ("name", Text),
            ("hint", Text),
            ("roles", Text),
            ("merchant_id", MaybeUuid),
            ("created_by", Text),
            ("created_at", BigInt),
            ("last_used_at", MaybeBigInt),
            ("expires_at", MaybeBigInt),
            ("revoked_at", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
];

/// Unique indexes: table and columns.
const UNIQUE: &[(&str, &[&str])] = &[
    ("users", &["tenant_id", "email_hash"]),
    ("signing_keys", &["generation"]),
    ("api_keys", &["secret_hash"]),
];

/// Other indexes.
const INDEXES: &[(&str, &[&str])] = &[
    ("users", &["tenant_id", "id"]),
    ("users", &["next_wake_at"]),
    ("consents", &["user_id"]),
    ("sessions", &["expires_at"]),
    ("login_attempts", &["began_at"]),
    ("api_keys", &["tenant_id", "id"]),
];

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "user_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in TABLES {
            manager.create_table(table(name, columns)).await?;
        }
        for (table, columns) in UNIQUE {
            let name = format!("{table}_{}_key", columns.join("_"));
            manager
                .create_index(index(&name, table, columns).unique().to_owned())
                .await?;
        }
        for (table, columns) in INDEXES {
            let name = format!("{table}_{}_idx", columns.join("_"));
            manager.create_index(index(&name, table, columns)).await?;
        }
        if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            for name in OFTEN_UPDATED {
                let sql = format!("ALTER TABLE {name} SET (fillfactor = 70)");
                manager.get_connection().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

fn table(name: &'static str, columns: &[(&'static str, Kind)]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(Alias::new(name));
    let mut key = Index::create();
    for (column, kind) in columns {
        table.col(definition(column, *kind));
        if matches!(kind, Kind::Key | Kind::TextKey) {
            key.col(Alias::new(*column));
        }
    }
    table.primary_key(&mut key);
    table
}

fn definition(name: &'static str, kind: Kind) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    match kind {
        Kind::Key | Kind::Uuid | Kind::MaybeUuid => column.uuid(),
        Kind::Text | Kind::TextKey | Kind::MaybeText => column.text(),
        Kind::BigInt | Kind::MaybeBigInt => column.big_integer(),
        Kind::Int => column.integer(),
        Kind::Bool => column.boolean(),
        Kind::Bytes | Kind::MaybeBytes => column.blob(),
    };
    match kind {
        Kind::MaybeUuid | Kind::MaybeText | Kind::MaybeBigInt | Kind::MaybeBytes => column.null(),
        Kind::Key
        | Kind::TextKey
        | Kind::Uuid
        | Kind::Text
        | Kind::BigInt
        | Kind::Int
        | Kind::Bool
        | Kind::Bytes => column.not_null(),
    };
    column
}

fn index(name: &str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(Alias::new(table));
    for column in columns {
        index.col(Alias::new(*column));
    }
    index
}
