//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

mod entity;
pub(crate) mod merchants;
mod migration;
pub(crate) mod terminals;

use paymesh_kernel::{Database, Timestamp};
use sea_orm_migration::MigrationTrait;

pub(crate) use paymesh_kernel::database::StoreError;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of merchants.
pub(crate) const MERCHANT_INDEX: &str = "merchants_pkey";
/// Primary key of terminals.
pub(crate) const TERMINAL_INDEX: &str = "terminals_pkey";

/// The schema of the component.
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(paymesh_chassis::idempotency::Migration),
        Box::new(migration::Tables),
        Box::new(migration::DestinationChanges),
    ]
}

/// Takes away keys of commands that are too old to count.
pub(crate) async fn purge(database: &Database, now: Timestamp) -> Result<u64, StoreError> {
    Ok(paymesh_chassis::idempotency::purge(database, now).await?)
}
