//! The schema, on SQLite and PostgreSQL alike.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};

use Kind::{BigInt, Int, Key, MaybeBigInt, MaybeText, Text, TextKey, Uuid};

/// How a column is declared.
#[derive(Clone, Copy)]
enum Kind {
    Key,
    TextKey,
    Uuid,
    Text,
    BigInt,
    Int,
    MaybeText,
    MaybeBigInt,
}

type TableShape = (&'static str, &'static [(&'static str, Kind)]);

const TABLES: &[TableShape] = &[
    (
        "rate_sources",
        &[
            ("id", Key),
            ("name", Text),
            ("base_currency", Text),
            ("imported_at", BigInt),
            ("created_at", BigInt),
            ("version", BigInt),
        ],
    ),
    (
        "rate_days",
        &[
            ("source_id", Key),
            ("rate_date", TextKey),
            ("rates", Text),
            ("revision", BigInt),
            ("imported_at", BigInt),
        ],
    ),
    (
        "rate_imports",
        &[
            ("id", Key),
            ("source_id", Uuid),
            ("imported_count", BigInt),
            ("oldest_date", Text),
            ("newest_date", Text),
            ("created_at", BigInt),
        ],
    ),
    (
        "quotes",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("created_by", Text),
            ("side", Text),
            ("spread_side", Text),
            ("source_currency", Text),
            ("target_currency", Text),
            ("source_minor", BigInt),
            ("target_minor", BigInt),
            ("spread_minor", BigInt),
            ("mid_source_minor", BigInt),
            ("mid_target_minor", BigInt),
            ("mid_rate", Text),
            ("customer_rate", Text),
            ("spread_bp", Int),
            ("rate_source", Text),
            ("rate_date", Text),
            ("consumed_by", MaybeText),
            ("consumed_at", MaybeBigInt),
            ("business_at", BigInt),
            ("expires_at", BigInt),
            ("created_at", BigInt),
            ("fingerprint", Uuid),
            ("version", BigInt),
        ],
    ),
];

const UNIQUE: &[(&str, &[&str])] = &[("rate_sources", &["name"])];

const INDEXES: &[(&str, &[&str])] = &[
    ("rate_days", &["source_id", "revision"]),
    ("rate_imports", &["created_at"]),
    ("quotes", &["tenant_id", "created_at", "id"]),
];

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "currency_0001_tables"
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
            let index = index(&name, table, columns).unique().to_owned();
            manager.create_index(index).await?;
        }
        for (table, columns) in INDEXES {
            let name = format!("{table}_{}_idx", columns.join("_"));
            manager.create_index(index(&name, table, columns)).await?;
        }
        let connection = manager.get_connection();
        // What is thrown away is looked for among the few quotes that nobody consumed.
        connection
            .execute_unprepared(
                "CREATE INDEX quotes_unused_idx ON quotes (expires_at) WHERE consumed_by IS NULL",
            )
            .await?;
        if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            let sql = "ALTER TABLE quotes SET (fillfactor = 70)";
            connection.execute_unprepared(sql).await?;
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
        Kind::Key | Kind::Uuid => column.uuid().not_null(),
        Kind::Text | Kind::TextKey => column.text().not_null(),
        Kind::BigInt => column.big_integer().not_null(),
        Kind::Int => column.integer().not_null(),
        Kind::MaybeText => column.text().null(),
        Kind::MaybeBigInt => column.big_integer().null(),
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
