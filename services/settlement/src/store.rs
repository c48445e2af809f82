//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

pub(crate) mod activities;
pub(crate) mod batches;
pub(crate) mod breaks;
mod entity;
mod migration;
pub(crate) mod payouts;
pub(crate) mod positions;
pub(crate) mod statements;

use paymesh_kernel::{Database, Timestamp, id::TenantId};
use paymesh_money::Currency;
use sea_orm_migration::MigrationTrait;
use uuid::Uuid;

pub(crate) use paymesh_kernel::database::StoreError;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Batches of a ledger: one after the other.
pub(crate) const NUMBER_INDEX: &str = "batches_tenant_id_currency_number_key";
/// Ids of batches.
pub(crate) const BATCH_INDEX: &str = "batches_pkey";
/// Contents of statements: the same is not taken twice.
pub(crate) const CONTENT_INDEX: &str = "statements_tenant_id_content_sha256_key";
/// Movements of statements: one line is the first to tell of each.
pub(crate) const TELLING_INDEX: &str = "statement_lines_tenant_id_identity_key";
/// Ids of reconciliations.
pub(crate) const RECONCILIATION_INDEX: &str = "reconciliations_pkey";
/// Subjects of breaks: the same difference is not opened twice.
pub(crate) const SUBJECT_INDEX: &str = "breaks_tenant_id_subject_key";

/// The schema of the component.
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(paymesh_chassis::idempotency::Migration),
        Box::new(migration::Tables),
        Box::new(migration::Claims),
        Box::new(migration::Tellings),
        Box::new(migration::Holds),
    ]
}

/// What is wanted of a list: rows of a tenant behind a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Whose.
    pub(crate) tenant: TenantId,
    /// The last key of the page before.
    pub(crate) after: Option<Uuid>,
    /// Rows at most.
    pub(crate) limit: u64,
}

/// A half-open span; None is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Between {
    /// Inclusive.
    pub(crate) from: Option<Timestamp>,
    /// Exclusive.
    pub(crate) until: Option<Timestamp>,
}

/// Takes away keys of commands that are too old to count.
pub(crate) async fn purge(database: &Database, now: Timestamp) -> Result<u64, StoreError> {
    Ok(paymesh_chassis::idempotency::purge(database, now).await?)
}

fn known<T>(found: Option<T>, table: &'static str, column: &'static str) -> Result<T, StoreError> {
    found.ok_or(StoreError::Malformed { table, column })
}

fn currency(code: &str, table: &'static str) -> Result<Currency, StoreError> {
    known(code.parse().ok(), table, "currency")
}
