//! The schema. Rows that are changed often leave room in their page, so that PostgreSQL updates them in place.

use sea_orm::{ConnectionTrait as _, DatabaseBackend};
use sea_orm_migration::prelude::*;

/// Makes the tables of transactions and their sagas.
#[derive(Debug)]
pub(crate) struct Transactions;

/// Makes the tables of the read models.
#[derive(Debug)]
pub(crate) struct ReadModels;

impl MigrationName for Transactions {
    fn name(&self) -> &'static str {
        "transaction_0001_transactions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Transactions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, &[TRANSACTIONS, OPERATIONS], TRANSACTION_INDEXES).await
    }
}

impl MigrationName for ReadModels {
    fn name(&self) -> &'static str {
        "transaction_0002_read_models"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ReadModels {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, &[VIEWS, USER_TRANSACTIONS], VIEW_INDEXES).await
    }
}

async fn create(
    manager: &SchemaManager<'_>,
    tables: &[&str],
    indexes: &[&str],
) -> Result<(), DbErr> {
    let roomy = if manager.get_database_backend() == DatabaseBackend::Postgres {
        " WITH (fillfactor = 70)"
    } else {
        ""
    };
    for table in tables {
        manager
            .get_connection()
            .execute_unprepared(&format!("{table}{roomy}"))
            .await?;
    }
    for index in indexes {
        manager.get_connection().execute_unprepared(index).await?;
    }
    Ok(())
}

const TRANSACTIONS: &str = "CREATE TABLE transactions (id UUID NOT NULL PRIMARY KEY, tenant_id UUID NOT NULL, \
     kind TEXT NOT NULL, status TEXT NOT NULL, version BIGINT NOT NULL, event_sequence BIGINT NOT NULL, \
     currency TEXT NOT NULL, amount_minor BIGINT NOT NULL, authorized_minor BIGINT NOT NULL, \
     captured_minor BIGINT NOT NULL, capturing_minor BIGINT NOT NULL, refunded_minor BIGINT NOT NULL, \
     refunding_minor BIGINT NOT NULL, charged_back_minor BIGINT NOT NULL, \
     charging_back_minor BIGINT NOT NULL, beyond_minor BIGINT NOT NULL, lost_minor BIGINT NOT NULL, \
     fee_currency TEXT NOT NULL, fee_minor BIGINT NOT NULL, credited_minor BIGINT NOT NULL, drawn_minor BIGINT NOT NULL, \
     payment_method_id UUID, parties TEXT NOT NULL, details TEXT NOT NULL, business_at BIGINT NOT NULL, \
     created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, ended_at BIGINT, \
     CONSTRAINT transactions_amount_check CHECK (amount_minor > 0), \
     CONSTRAINT transactions_captured_check CHECK (captured_minor + capturing_minor <= authorized_minor), \
     CONSTRAINT transactions_refunded_check CHECK (refunded_minor + refunding_minor + charged_back_minor + charging_back_minor \
     <= captured_minor + beyond_minor))";

const OPERATIONS: &str = "CREATE TABLE operations (id UUID NOT NULL PRIMARY KEY, tenant_id UUID NOT NULL, \
     transaction_id UUID NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, currency TEXT NOT NULL, \
     amount_minor BIGINT NOT NULL, version BIGINT NOT NULL, lease_owner TEXT NOT NULL, lease_until BIGINT, \
     next_wake_at BIGINT, failures INTEGER NOT NULL, saga TEXT NOT NULL, details TEXT NOT NULL, \
     created_at BIGINT NOT NULL, finished_at BIGINT)";

const TRANSACTION_INDEXES: &[&str] = &[
    "CREATE INDEX transactions_payment_method_id_idx ON transactions (payment_method_id) \
     WHERE payment_method_id IS NOT NULL",
    "CREATE INDEX operations_transaction_id_idx ON operations (transaction_id)",
    "CREATE INDEX operations_next_wake_at_idx ON operations (next_wake_at) WHERE next_wake_at IS NOT NULL",
];

const VIEWS: &str = "CREATE TABLE transaction_views (id UUID NOT NULL PRIMARY KEY, tenant_id UUID NOT NULL, \
     transaction_id UUID NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, currency TEXT NOT NULL, \
     amount_minor BIGINT NOT NULL, captured_minor BIGINT NOT NULL, refunded_minor BIGINT NOT NULL, \
     fee_currency TEXT NOT NULL, fee_minor BIGINT NOT NULL, payer_user_id UUID, payee_user_id UUID, merchant_id UUID, \
     terminal_id UUID, payer_account_id UUID, payee_account_id UUID, purpose TEXT, business_at BIGINT NOT NULL, \
     created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)";

const USER_TRANSACTIONS: &str = "CREATE TABLE user_transactions (user_id UUID NOT NULL, transaction_id UUID NOT NULL, \
     tenant_id UUID NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, business_at BIGINT NOT NULL, \
     created_at BIGINT NOT NULL, PRIMARY KEY (user_id, transaction_id))";

const VIEW_INDEXES: &[&str] = &[
    "CREATE INDEX transaction_views_tenant_id_created_at_idx ON transaction_views (tenant_id, created_at, id)",
    "CREATE INDEX transaction_views_business_at_idx ON transaction_views (tenant_id, business_at)",
    "CREATE INDEX transaction_views_merchant_id_idx ON transaction_views (merchant_id, created_at) \
     WHERE merchant_id IS NOT NULL",
    "CREATE INDEX transaction_views_payer_user_id_idx ON transaction_views (payer_user_id, business_at) \
     WHERE payer_user_id IS NOT NULL",
    "CREATE INDEX transaction_views_payee_user_id_idx ON transaction_views (payee_user_id, business_at) \
     WHERE payee_user_id IS NOT NULL",
    "CREATE INDEX transaction_views_payer_account_id_idx ON transaction_views (payer_account_id, created_at) \
     WHERE payer_account_id IS NOT NULL",
    "CREATE INDEX transaction_views_payee_account_id_idx ON transaction_views (payee_account_id, created_at) \
     WHERE payee_account_id IS NOT NULL",
    "CREATE INDEX transaction_views_purpose_idx ON transaction_views (tenant_id, purpose) WHERE purpose IS NOT NULL",
    "CREATE INDEX user_transactions_user_id_created_at_idx ON user_transactions (user_id, created_at, transaction_id)",
];
