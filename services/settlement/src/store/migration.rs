//! The schema, on SQLite and PostgreSQL alike.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};

/// Tables whose rows change again and again: room on their pages keeps updates where they are.
const CHANGING: [&str; 7] = [
    "payouts",
    "positions",
    "releases",
    "activities",
    "statement_lines",
    "breaks",
    "batches",
];

/// An index: its table, its columns, and whether rows differ in them.
struct Key(&'static str, &'static [&'static str], Differ);

/// Whether rows differ in the columns of an index.
#[derive(PartialEq, Eq)]
enum Differ {
    Always,
    Perhaps,
}

const KEYS: &[Key] = &[
    Key(
        "batches",
        &["tenant_id", "currency", "number"],
        Differ::Always,
    ),
    Key("batches", &["next_wake_at"], Differ::Perhaps),
    Key("batches", &["tenant_id", "id"], Differ::Perhaps),
    Key(
        "positions",
        &["batch_id", "merchant_id", "available_at"],
        Differ::Always,
    ),
    Key("positions", &["tenant_id", "id"], Differ::Perhaps),
    Key("positions", &["merchant_id", "id"], Differ::Perhaps),
    Key(
        "positions",
        &["released_at", "release_id", "available_at"],
        Differ::Perhaps,
    ),
    Key("positions", &["release_id"], Differ::Perhaps),
    Key("releases", &["next_wake_at"], Differ::Perhaps),
    Key("activities", &["is_open", "available_at"], Differ::Perhaps),
    Key("activities", &["tenant_id", "business_at"], Differ::Perhaps),
    Key("payouts", &["next_wake_at"], Differ::Perhaps),
    Key("payouts", &["tenant_id", "id"], Differ::Perhaps),
    Key("payouts", &["transaction_id"], Differ::Always),
    Key(
        "statements",
        &["tenant_id", "content_sha256"],
        Differ::Always,
    ),
    Key("statements", &["tenant_id", "id"], Differ::Perhaps),
    Key("statements", &["next_wake_at"], Differ::Perhaps),
    Key(
        "statement_lines",
        &["statement_id", "number"],
        Differ::Always,
    ),
    Key("statement_lines", &["identity"], Differ::Perhaps),
    Key("statement_lines", &["transaction_id"], Differ::Perhaps),
    Key("statement_lines", &["reference"], Differ::Perhaps),
    Key("statement_lines", &["settlement"], Differ::Perhaps),
    Key(
        "statement_lines",
        &["tenant_id", "booked_at"],
        Differ::Perhaps,
    ),
    Key("reconciliations", &["tenant_id", "id"], Differ::Perhaps),
    Key("breaks", &["tenant_id", "subject"], Differ::Always),
    Key("breaks", &["tenant_id", "id"], Differ::Perhaps),
    Key("breaks", &["next_wake_at"], Differ::Perhaps),
];

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "settlement_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            batches(),
            positions(),
            releases(),
            activities(),
            cursors(),
            payouts(),
            statements(),
            statement_lines(),
            reconciliations(),
            breaks(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        for Key(table, columns, differ) in KEYS {
            let mut index = Index::create();
            let (suffix, is_unique) = match differ {
                Differ::Always => ("key", true),
                Differ::Perhaps => ("idx", false),
            };
            index
                .name(format!("{table}_{}_{suffix}", columns.join("_")))
                .table(Alias::new(*table));
            if is_unique {
                index.unique();
            }
            for column in *columns {
                index.col(Alias::new(*column));
            }
            manager.create_index(index).await?;
        }
        if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            for table in CHANGING {
                let sql = format!("ALTER TABLE {table} SET (fillfactor = 70)");
                manager.get_connection().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

/// Says of each payout which line confirmed it and which returned it.
#[derive(Debug)]
pub(crate) struct Claims;

impl MigrationName for Claims {
    fn name(&self) -> &'static str {
        "settlement_0002_claims"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Claims {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["seen_line_id", "returned_line_id"] {
            let table = Table::alter()
                .table(Alias::new("payouts"))
                .add_column(optional(column).uuid())
                .to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}

/// Lets one line alone be the first to tell of a movement.
#[derive(Debug)]
pub(crate) struct Tellings;

impl MigrationName for Tellings {
    fn name(&self) -> &'static str {
        "settlement_0003_tellings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tellings {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = [
            // What was taken twice before the rule shows as a duplicate in the next reconciliation.
            "UPDATE statement_lines SET telling = 'twice' WHERE telling = 'first' AND EXISTS (\
             SELECT 1 FROM statement_lines AS earlier WHERE earlier.tenant_id = statement_lines.tenant_id \
             AND earlier.identity = statement_lines.identity AND earlier.telling = 'first' \
             AND earlier.id < statement_lines.id)",
            "CREATE UNIQUE INDEX statement_lines_tenant_id_identity_key \
             ON statement_lines (tenant_id, identity) WHERE telling = 'first'",
        ];
        for sql in statements {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

/// Says of each payout how long it is held.
#[derive(Debug)]
pub(crate) struct Holds;

impl MigrationName for Holds {
    fn name(&self) -> &'static str {
        "settlement_0004_holds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Holds {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Alias::new("payouts"))
            .add_column(optional("held_until").big_integer())
            .to_owned();
        manager.alter_table(table).await
    }
}

fn batches() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("batches"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("currency").text())
        .col(required("number").big_integer())
        .col(required("state").text())
        .col(required("from_height").big_integer())
        .col(required("until_height").big_integer())
        .col(required("gross_minor").big_integer())
        .col(required("fees_minor").big_integer())
        .col(required("refunds_minor").big_integer())
        .col(required("chargebacks_minor").big_integer())
        .col(required("transaction_count").big_integer())
        .col(optional("next_wake_at").big_integer())
        .col(required("attempts").integer())
        .col(required("opened_at").big_integer())
        .col(optional("closed_at").big_integer())
        .col(required("event_sequence").big_integer())
        .col(required("version").big_integer())
        .to_owned()
}

fn positions() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("positions"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("batch_id").uuid())
        .col(required("merchant_id").uuid())
        .col(required("currency").text())
        .col(required("gross_minor").big_integer())
        .col(required("fees_minor").big_integer())
        .col(required("refunds_minor").big_integer())
        .col(required("chargebacks_minor").big_integer())
        .col(required("transaction_count").big_integer())
        .col(required("pending_minor").big_integer())
        .col(required("available_at").big_integer())
        .col(optional("release_id").uuid())
        .col(optional("released_at").big_integer())
        .col(required("version").big_integer())
        .to_owned()
}

fn releases() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("releases"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("merchant_id").uuid())
        .col(required("currency").text())
        .col(required("amount_minor").big_integer())
        .col(required("pending_account_id").uuid())
        .col(required("available_account_id").uuid())
        .col(required("transfer_id").uuid())
        .col(optional("next_wake_at").big_integer())
        .col(required("attempts").integer())
        .col(required("created_at").big_integer())
        .col(required("version").big_integer())
        .to_owned()
}

fn activities() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("activities"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("merchant_id").uuid())
        .col(required("currency").text())
        .col(required("available_at").big_integer())
        .col(required("business_at").big_integer())
        .col(required("is_charged_back").boolean())
        .col(required("is_open").boolean())
        .col(required("version").big_integer())
        .to_owned()
}

fn cursors() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("cursors"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("height").big_integer())
        .col(required("account_version").big_integer())
        .to_owned()
}

fn payouts() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("payouts"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("owner_kind").text())
        .col(required("owner_id").text())
        .col(required("account_id").uuid())
        .col(required("currency").text())
        .col(required("amount_minor").big_integer())
        .col(required("destination").text())
        .col(optional("batch_id").uuid())
        .col(optional("transaction_id").uuid())
        .col(required("reason").text())
        .col(required("created_by").text())
        .col(required("state").text())
        .col(required("step").text())
        .col(required("transfer_base_id").uuid())
        .col(required("attempts").integer())
        .col(required("is_seen").boolean())
        .col(optional("asked_at").big_integer())
        .col(optional("next_wake_at").big_integer())
        .col(required("business_at").big_integer())
        .col(required("created_at").big_integer())
        .col(optional("sent_at").big_integer())
        .col(optional("finished_at").big_integer())
        .col(required("event_sequence").big_integer())
        .col(required("version").big_integer())
        .to_owned()
}

fn statements() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("statements"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("kind").text())
        .col(required("source").text())
        .col(required("content_sha256").text())
        .col(required("line_count").big_integer())
        .col(required("from_at").big_integer())
        .col(required("until_at").big_integer())
        .col(optional("next_wake_at").big_integer())
        .col(required("attempts").integer())
        .col(required("imported_at").big_integer())
        .col(required("version").big_integer())
        .to_owned()
}

fn statement_lines() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("statement_lines"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("statement_id").uuid())
        .col(required("side").text())
        .col(required("source").text())
        .col(required("number").big_integer())
        .col(required("kind").text())
        .col(required("reference").text())
        .col(required("settlement").text())
        .col(optional("transaction_id").uuid())
        .col(required("currency").text())
        .col(required("amount_minor").big_integer())
        .col(required("fee_minor").big_integer())
        .col(required("booked_at").big_integer())
        .col(required("identity").uuid())
        .col(required("telling").text())
        .col(required("match_state").text())
        .col(required("transfer_base_id").uuid())
        .col(required("is_booked").boolean())
        .col(required("is_suspended").boolean())
        .col(required("version").big_integer())
        .to_owned()
}

fn reconciliations() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("reconciliations"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("from_at").big_integer())
        .col(required("until_at").big_integer())
        .col(required("currency").text())
        .col(required("ledger_height").big_integer())
        .col(required("matched_count").big_integer())
        .col(required("break_count").big_integer())
        .col(required("ledger_minor").big_integer())
        .col(required("provider_minor").big_integer())
        .col(required("bank_minor").big_integer())
        .col(required("started_at").big_integer())
        .col(required("finished_at").big_integer())
        .to_owned()
}

fn breaks() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("breaks"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("kind").text())
        .col(required("state").text())
        .col(required("reconciliation_id").uuid())
        .col(required("subject").text())
        .col(required("reference").text())
        .col(required("currency").text())
        .col(optional("ledger_minor").big_integer())
        .col(optional("ledger_currency").text())
        .col(optional("stated_minor").big_integer())
        .col(required("difference_minor").big_integer())
        .col(required("book").text())
        .col(optional("line_id").uuid())
        .col(optional("statement_id").uuid())
        .col(required("line_number").big_integer())
        .col(optional("transaction_id").uuid())
        .col(required("assignee").text())
        .col(required("note").text())
        .col(required("requested_by").text())
        .col(required("approved_by").text())
        .col(required("transfer_id").uuid())
        .col(optional("next_wake_at").big_integer())
        .col(required("attempts").integer())
        .col(required("opened_at").big_integer())
        .col(optional("closed_at").big_integer())
        .col(required("event_sequence").big_integer())
        .col(required("version").big_integer())
        .to_owned()
}

fn required(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).not_null().to_owned()
}

fn optional(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).null().to_owned()
}
