//! The schema, on SQLite and PostgreSQL alike.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};

use Kind::{BigInt, Bool, Bytes, Int, Key, MaybeBigInt, Text, TextKey, Uuid};

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
    MaybeBigInt,
}

type TableShape = (&'static str, &'static [(&'static str, Kind)]);

const TABLES: &[TableShape] = &[
    ("tenants", &[("id", Key), ("created_at", BigInt)]),
    (
        "payments",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("transaction_id", Text),
            ("kind", Text),
            ("amount_minor", BigInt),
            ("currency", Text),
            ("customer_id", Text),
            ("payee_id", Text),
            ("payment_method", Text),
            ("is_new_method", Bool),
            ("issuer_country", Text),
            ("merchant_id", Text),
            ("terminal_id", Text),
            ("country", Text),
            ("business_at", BigInt),
            ("recorded_at", BigInt),
            ("node", BigInt),
            ("fraud_at", MaybeBigInt),
            ("decision", Text),
            ("score", Int),
            ("fingerprint", Uuid),
            ("detail", Bytes),
        ],
    ),
    (
        "labels",
        &[
            ("payment_id", Key),
            ("kind", TextKey),
            ("tenant_id", Uuid),
            ("known_at", BigInt),
            ("customer_id", Text),
            ("payment_method", Text),
            ("terminal_id", Text),
            ("business_at", BigInt),
            ("recorded_at", BigInt),
        ],
    ),
    (
        "rules",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("name", Text),
            ("expression", Text),
            ("decision", Text),
            ("points", Int),
            ("priority", Int),
            ("state", Text),
            ("updated_by", Text),
            ("updated_at", BigInt),
            ("deleted_at", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
    (
        "list_entries",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("kind", Text),
            ("subject", Text),
            ("value", Text),
            ("note", Text),
            ("created_by", Text),
            ("expires_at", MaybeBigInt),
            ("created_at", BigInt),
            ("updated_at", BigInt),
            ("deleted_at", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
    (
        "alerts",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("kind", Text),
            ("decision_id", Uuid),
            ("transaction_id", Text),
            ("customer_id", Text),
            ("merchant_id", Text),
            ("terminal_id", Text),
            ("score", Int),
            ("text", Text),
            ("business_at", BigInt),
            ("raised_at", BigInt),
        ],
    ),
    (
        "import_chunks",
        &[
            ("id", Key),
            ("tenant_id", Uuid),
            ("fingerprint", Uuid),
            ("imported_count", BigInt),
            ("created_at", BigInt),
        ],
    ),
];

/// Indexes as both engines read them. Partial ones leave imported history out of what only decisions are looked up by.
const INDEXES: &[&str] = &[
    "CREATE INDEX payments_tenant_id_business_at_id_idx ON payments (tenant_id, business_at, id)",
    "CREATE INDEX payments_recorded_at_idx ON payments (recorded_at)",
    "CREATE INDEX payments_transaction_id_idx ON payments (transaction_id) WHERE decision <> ''",
    "CREATE INDEX payments_tenant_id_recorded_at_id_idx ON payments (tenant_id, recorded_at, id) WHERE decision <> ''",
    "CREATE INDEX payments_tenant_id_customer_id_idx ON payments (tenant_id, customer_id, recorded_at, id) WHERE decision <> ''",
    "CREATE INDEX payments_tenant_id_terminal_id_idx ON payments (tenant_id, terminal_id, recorded_at, id) \
     WHERE decision <> '' AND terminal_id <> ''",
    "CREATE INDEX labels_tenant_id_business_at_idx ON labels (tenant_id, business_at)",
    "CREATE INDEX labels_recorded_at_idx ON labels (recorded_at)",
    "CREATE UNIQUE INDEX rules_tenant_id_name_key ON rules (tenant_id, name)",
    "CREATE INDEX rules_tenant_id_priority_id_idx ON rules (tenant_id, priority, id)",
    "CREATE INDEX rules_updated_at_idx ON rules (updated_at)",
    "CREATE INDEX list_entries_tenant_id_id_idx ON list_entries (tenant_id, id)",
    "CREATE INDEX list_entries_updated_at_idx ON list_entries (updated_at)",
    "CREATE INDEX alerts_tenant_id_raised_at_id_idx ON alerts (tenant_id, raised_at, id)",
];

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "risk_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in TABLES {
            manager.create_table(table(name, columns)).await?;
        }
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
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
        Kind::Key | Kind::Uuid => column.uuid(),
        Kind::Text | Kind::TextKey => column.text(),
        Kind::BigInt | Kind::MaybeBigInt => column.big_integer(),
        Kind::Int => column.integer(),
        Kind::Bool => column.boolean(),
        Kind::Bytes => column.blob(),
    };
    match kind {
        Kind::MaybeBigInt => column.null(),
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
