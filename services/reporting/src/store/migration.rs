//! The schema, on SQLite and PostgreSQL alike.

use sea_orm::DatabaseBackend;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};

use Kind::{
    BigInt, BigIntKey, Bool, Bytes, Int, IntKey, MaybeBigInt, MaybeUuid, Text, TextKey, Uuid,
    UuidKey,
};

/// How a column is declared.
#[derive(Clone, Copy)]
enum Kind {
    UuidKey,
    TextKey,
    IntKey,
    BigIntKey,
    Uuid,
    MaybeUuid,
    Text,
    BigInt,
    MaybeBigInt,
    Int,
    Bool,
    Bytes,
}

type TableShape = (&'static str, &'static [(&'static str, Kind)]);

const TABLES: &[TableShape] = &[
    (
        "definitions",
        &[
            ("id", UuidKey),
            ("tenant_id", Uuid),
            ("name", Text),
            ("kind", Text),
            ("format", Text),
            ("parameters", Text),
            ("event_sequence", BigInt),
            ("updated_by", Text),
            ("updated_at", BigInt),
            ("deleted_at", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
    (
        "schedules",
        &[
            ("id", UuidKey),
            ("tenant_id", Uuid),
            ("definition_id", Uuid),
            ("cadence", Text),
            ("minute_of_day", Int),
            ("is_enabled", Bool),
            ("next_at", MaybeBigInt),
            ("covered_until", BigInt),
            ("created_by", Text),
            ("edition", BigInt),
            ("updated_at", BigInt),
            ("deleted_at", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
    (
        "runs",
        &[
            ("id", UuidKey),
            ("tenant_id", Uuid),
            ("definition_id", Uuid),
            ("schedule_id", MaybeUuid),
            ("state", Text),
            ("kind", Text),
            ("format", Text),
            ("parameters", Text),
            ("from_at", MaybeBigInt),
            ("until_at", MaybeBigInt),
            ("row_count", BigInt),
            ("size_bytes", BigInt),
            ("content_sha256", Text),
            ("reason", Text),
            ("created_by", Text),
            ("created_at", BigInt),
            ("finished_at", MaybeBigInt),
            ("attempts", Int),
            ("file_attempt", Int),
            ("wake_at", MaybeBigInt),
            ("version", BigInt),
        ],
    ),
    (
        "file_chunks",
        &[
            ("run_id", UuidKey),
            ("attempt", IntKey),
            ("number", BigIntKey),
            ("content", Bytes),
        ],
    ),
    (
        "transactions",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("kind", Text),
            ("status", Text),
            ("currency", Text),
            ("amount_minor", BigInt),
            ("authorized_minor", BigInt),
            ("captured_minor", BigInt),
            ("refunded_minor", BigInt),
            ("fee_minor", BigInt),
            ("fee_currency", Text),
            ("payer_user_id", Text),
            ("payee_user_id", Text),
            ("merchant_id", Text),
            ("terminal_id", Text),
            ("country", Text),
            ("connector", Text),
            ("purpose", Text),
            ("decline_reason", Text),
            ("risk_decision_id", Text),
            ("risk_score", Int),
            ("business_at", BigInt),
            ("created_at", BigInt),
            ("updated_at", BigInt),
        ],
    ),
    (
        "charges",
        &[
            ("event_id", UuidKey),
            ("kind", TextKey),
            ("tenant_id", Uuid),
            ("transaction_id", Text),
            ("merchant_id", Text),
            ("currency", Text),
            ("amount_minor", BigInt),
            ("business_at", BigInt),
        ],
    ),
    (
        "ledger_accounts",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("class", Text),
            ("purpose", Text),
            ("currency", Text),
            ("opened_at", BigInt),
        ],
    ),
    (
        "ledger_balances",
        &[
            ("account_id", TextKey),
            ("height", BigIntKey),
            ("debits_posted_minor", BigInt),
            ("credits_posted_minor", BigInt),
            ("debits_pending_minor", BigInt),
            ("credits_pending_minor", BigInt),
            ("booked_at", BigInt),
        ],
    ),
    (
        "risk_decisions",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("transaction_id", Text),
            ("decision", Text),
            ("score", Int),
            ("reasons", Text),
            ("amount_minor", BigInt),
            ("currency", Text),
            ("customer_id", Text),
            ("merchant_id", Text),
            ("terminal_id", Text),
            ("business_at", BigInt),
            ("decided_at", BigInt),
        ],
    ),
    (
        "settlement_batches",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("currency", Text),
            ("from_height", BigInt),
            ("until_height", BigInt),
            ("is_complete", Bool),
            ("closed_at", BigInt),
            ("version", BigInt),
        ],
    ),
    (
        "settlement_positions",
        &[
            ("batch_id", TextKey),
            ("merchant_id", TextKey),
            ("tenant_id", Uuid),
            ("currency", Text),
            ("gross_minor", BigInt),
            ("fees_minor", BigInt),
            ("refunds_minor", BigInt),
            ("chargebacks_minor", BigInt),
            ("net_minor", BigInt),
            ("transaction_count", BigInt),
            ("available_at", MaybeBigInt),
            ("released_at", MaybeBigInt),
        ],
    ),
    (
        "payouts",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("state", Text),
            ("owner_kind", Text),
            ("owner_id", Text),
            ("account_id", Text),
            ("amount_minor", BigInt),
            ("currency", Text),
            ("end_to_end_id", Text),
            ("batch_id", Text),
            ("transaction_id", Text),
            ("reason", Text),
            ("created_at", BigInt),
            ("sent_at", MaybeBigInt),
            ("finished_at", MaybeBigInt),
        ],
    ),
    (
        "reconciliations",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("currency", Text),
            ("from_at", MaybeBigInt),
            ("until_at", MaybeBigInt),
            ("ledger_height", BigInt),
            ("matched_count", BigInt),
            ("break_count", BigInt),
            ("ledger_minor", BigInt),
            ("provider_minor", BigInt),
            ("bank_minor", BigInt),
            ("started_at", BigInt),
            ("finished_at", MaybeBigInt),
        ],
    ),
    (
        "breaks",
        &[
            ("id", TextKey),
            ("tenant_id", Uuid),
            ("kind", Text),
            ("state", Text),
            ("reconciliation_id", Text),
            ("reference", Text),
            ("currency", Text),
            ("ledger_minor", MaybeBigInt),
            ("statement_minor", MaybeBigInt),
            ("difference_minor", MaybeBigInt),
            ("statement_id", Text),
            ("line_number", BigInt),
            ("transaction_id", Text),
            ("assignee", Text),
            ("opened_at", BigInt),
            ("closed_at", MaybeBigInt),
        ],
    ),
];

/// Indexes as both engines read them. A name is free again when its definition is deleted.
const INDEXES: &[&str] = &[
    "CREATE UNIQUE INDEX definitions_tenant_id_name_key ON definitions (tenant_id, name) WHERE deleted_at IS NULL",
    "CREATE INDEX schedules_tenant_id_id_idx ON schedules (tenant_id, id)",
    "CREATE INDEX schedules_definition_id_idx ON schedules (definition_id)",
    "CREATE INDEX schedules_next_at_idx ON schedules (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX runs_tenant_id_created_at_id_idx ON runs (tenant_id, created_at, id)",
    "CREATE INDEX runs_definition_id_created_at_id_idx ON runs (definition_id, created_at, id)",
    "CREATE INDEX runs_wake_at_idx ON runs (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE INDEX runs_finished_at_idx ON runs (finished_at) WHERE finished_at IS NOT NULL",
    "CREATE INDEX transactions_tenant_id_business_at_id_idx ON transactions (tenant_id, business_at, id)",
    "CREATE INDEX charges_tenant_id_business_at_idx ON charges (tenant_id, business_at)",
    "CREATE INDEX ledger_accounts_tenant_id_purpose_idx ON ledger_accounts (tenant_id, purpose)",
    "CREATE INDEX ledger_balances_account_id_booked_at_idx ON ledger_balances (account_id, booked_at, height)",
    "CREATE INDEX risk_decisions_tenant_id_business_at_id_idx ON risk_decisions (tenant_id, business_at, id)",
    "CREATE INDEX settlement_batches_tenant_id_closed_at_id_idx ON settlement_batches (tenant_id, closed_at, id)",
    "CREATE INDEX payouts_tenant_id_created_at_id_idx ON payouts (tenant_id, created_at, id)",
    "CREATE INDEX reconciliations_tenant_id_started_at_id_idx ON reconciliations (tenant_id, started_at, id)",
    "CREATE INDEX breaks_tenant_id_opened_at_id_idx ON breaks (tenant_id, opened_at, id)",
];

/// Tables whose rows change often: PostgreSQL leaves room in their pages.
const OFTEN_UPDATED: &[&str] = &["runs", "schedules", "transactions", "payouts"];

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "reporting_0001_tables"
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
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            for name in OFTEN_UPDATED {
                let sql = format!("ALTER TABLE {name} SET (fillfactor = 70)");
                manager.get_connection().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

/// Finds old sums by their day.
#[derive(Debug)]
pub(crate) struct OldBalances;

impl MigrationName for OldBalances {
    fn name(&self) -> &'static str {
        "reporting_0002_old_balances"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OldBalances {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX ledger_balances_booked_at_idx ON ledger_balances (booked_at)";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}

fn table(name: &'static str, columns: &[(&'static str, Kind)]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(Alias::new(name));
    let mut key = Index::create();
    for (column, kind) in columns {
        table.col(definition(column, *kind));
        if matches!(
            kind,
            Kind::UuidKey | Kind::TextKey | Kind::IntKey | Kind::BigIntKey
        ) {
            key.col(Alias::new(*column));
        }
    }
    table.primary_key(&mut key);
    table
}

fn definition(name: &'static str, kind: Kind) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    match kind {
        Kind::UuidKey | Kind::Uuid | Kind::MaybeUuid => column.uuid(),
        Kind::Text | Kind::TextKey => column.text(),
        Kind::BigInt | Kind::MaybeBigInt | Kind::BigIntKey => column.big_integer(),
        Kind::Int | Kind::IntKey => column.integer(),
        Kind::Bool => column.boolean(),
        Kind::Bytes => column.blob(),
    };
    match kind {
        Kind::MaybeBigInt | Kind::MaybeUuid => column.null(),
        Kind::UuidKey
        | Kind::TextKey
        | Kind::IntKey
        | Kind::BigIntKey
        | Kind::Uuid
        | Kind::Text
        | Kind::BigInt
        | Kind::Int
        | Kind::Bool
        | Kind::Bytes => column.not_null(),
    };
    column
}
