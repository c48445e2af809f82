//! The schema, on SQLite and PostgreSQL.
//!
//! Rows of attempts and operations change twice within a moment, so their pages keep room for that. What waits is found by a
//! partial index that holds only what waits.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

/// The tables of payments.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "payment_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            attempts(),
            operations(),
            disputes(),
            dispute_evidence(),
            payment_methods(),
            webhook_events(),
        ] {
            manager.create_table(table).await?;
        }
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            for table in ["attempts", "operations", "webhook_events"] {
                let sql = format!("ALTER TABLE {table} SET (fillfactor = 70)");
                manager.get_connection().execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    }
}

const INDEXES: [&str; 12] = [
    "CREATE UNIQUE INDEX attempts_connector_reference_key ON attempts (connector, reference)",
    "CREATE INDEX attempts_tenant_id_created_at_idx ON attempts (tenant_id, created_at, id)",
    "CREATE INDEX attempts_transaction_id_idx ON attempts (transaction_id)",
    "CREATE INDEX attempts_payment_method_id_idx ON attempts (payment_method_id)",
    "CREATE INDEX operations_attempt_id_idx ON operations (attempt_id)",
    "CREATE INDEX operations_wake_at_idx ON operations (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE UNIQUE INDEX disputes_connector_connector_reference_key ON disputes (connector, connector_reference)",
    "CREATE INDEX disputes_attempt_id_idx ON disputes (attempt_id)",
    "CREATE INDEX disputes_tenant_id_opened_at_idx ON disputes (tenant_id, opened_at, id)",
    "CREATE INDEX payment_methods_customer_id_idx ON payment_methods (tenant_id, customer_id, created_at, id)",
    "CREATE INDEX webhook_events_wake_at_idx ON webhook_events (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE INDEX webhook_events_received_at_idx ON webhook_events (received_at)",
];

// === free functions ===

fn column(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).not_null().to_owned()
}

fn optional(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name))
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(Alias::new(name)).to_owned()
}

fn texts(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(column(name).text());
    }
}

fn optional_texts(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(optional(name).text());
    }
}

/// Minor units and moments.
fn numbers(table: &mut TableCreateStatement, names: &[&'static str]) {
    for name in names {
        table.col(column(name).big_integer());
    }
}

fn attempts() -> TableCreateStatement {
    let mut table = table("attempts");
    table.col(column("id").uuid().primary_key());
    for name in ["tenant_id", "transaction_id", "payment_method_id"] {
        table.col(column(name).uuid());
    }
    for name in ["customer_id", "merchant_id"] {
        table.col(optional(name).uuid());
    }
    texts(&mut table, &["connector", "reference", "state", "capture"]);
    texts(&mut table, &["three_ds", "currency", "correlation_id"]);
    optional_texts(&mut table, &["connector_reference", "decline_reason"]);
    optional_texts(&mut table, &["decline_code", "action_url", "action_id"]);
    optional_texts(&mut table, &["statement_descriptor", "return_url"]);
    numbers(
        &mut table,
        &[
            "amount_minor",
            "authorized_minor",
            "captured_minor",
            "released_minor",
            "refunded_minor",
            "charged_back_minor",
            "business_at",
            "event_sequence",
            "created_at",
            "updated_at",
            "version",
        ],
    );
    for name in ["action_expires_at", "authorization_expires_at"] {
        table.col(optional(name).big_integer());
    }
    table.col(column("is_abandoned").boolean());
    table.col(column("dispute_count").integer());
    // P1 and P2 once more, where nobody can pass them by.
    table.check(Expr::cust(
        "captured_minor + released_minor <= authorized_minor AND authorized_minor <= amount_minor",
    ));
    table.check(Expr::cust(
        "refunded_minor >= 0 AND charged_back_minor >= 0 \
         AND refunded_minor + charged_back_minor <= captured_minor",
    ));
    table
}

fn operations() -> TableCreateStatement {
    let mut table = table("operations");
    table.col(column("id").uuid().primary_key());
    for name in ["attempt_id", "tenant_id", "subject_id", "fingerprint"] {
        table.col(column(name).uuid());
    }
    texts(&mut table, &["key", "kind", "state", "origin", "reason"]);
    optional_texts(&mut table, &["connector_reference"]);
    optional_texts(&mut table, &["decline_reason", "decline_code"]);
    numbers(&mut table, &["amount_minor", "sent_at", "created_at"]);
    numbers(&mut table, &["updated_at", "version"]);
    table.col(optional("wake_at").big_integer());
    for name in ["sends", "asks", "position"] {
        table.col(column(name).integer());
    }
    for name in ["is_final", "is_in_flight"] {
        table.col(column(name).boolean());
    }
    table
}

fn disputes() -> TableCreateStatement {
    let mut table = table("disputes");
    table.col(column("id").uuid().primary_key());
    for name in ["tenant_id", "attempt_id", "transaction_id"] {
        table.col(column(name).uuid());
    }
    for name in ["customer_id", "merchant_id"] {
        table.col(optional(name).uuid());
    }
    texts(&mut table, &["connector", "connector_reference", "state"]);
    texts(&mut table, &["currency", "reason"]);
    numbers(&mut table, &["amount_minor", "fee_minor"]);
    numbers(&mut table, &["event_sequence", "opened_at", "updated_at"]);
    numbers(&mut table, &["version"]);
    table.col(optional("evidence_due_at").big_integer());
    table
}

fn dispute_evidence() -> TableCreateStatement {
    let mut table = table("dispute_evidence");
    table.col(column("operation_id").uuid());
    table.col(column("position").integer());
    for name in ["dispute_id", "tenant_id"] {
        table.col(column(name).uuid());
    }
    texts(&mut table, &["kind", "text", "media_type"]);
    table.col(column("file").blob());
    numbers(&mut table, &["created_at"]);
    let mut key = Index::create();
    key.col(Alias::new("operation_id"))
        .col(Alias::new("position"));
    table.primary_key(&mut key);
    table
}

fn payment_methods() -> TableCreateStatement {
    let mut table = table("payment_methods");
    table.col(column("id").uuid().primary_key());
    for name in ["tenant_id", "customer_id"] {
        table.col(column(name).uuid());
    }
    texts(
        &mut table,
        &["connector", "kind", "provider_token", "brand"],
    );
    texts(&mut table, &["last4", "issuer_country", "fingerprint"]);
    numbers(&mut table, &["created_at", "version"]);
    for name in ["expiry_month", "expiry_year"] {
        table.col(column(name).integer());
    }
    for name in ["expires_at", "detached_at"] {
        table.col(optional(name).big_integer());
    }
    table
}

fn webhook_events() -> TableCreateStatement {
    let mut table = table("webhook_events");
    table.col(column("id").uuid().primary_key());
    texts(&mut table, &["connector", "connector_account", "event_id"]);
    texts(&mut table, &["kind", "state"]);
    optional_texts(&mut table, &["connector_reference", "reference"]);
    optional_texts(&mut table, &["hint", "part"]);
    numbers(&mut table, &["received_at", "updated_at", "version"]);
    table.col(optional("wake_at").big_integer());
    table.col(column("tries").integer());
    table
}
