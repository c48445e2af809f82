//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

pub(crate) mod definitions;
mod entity;
pub(crate) mod fees;
pub(crate) mod files;
pub(crate) mod ledger;
mod migration;
pub(crate) mod risk;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod settlement;
mod sql;
pub(crate) mod transactions;

use paymesh_kernel::Timestamp;
use sea_orm_migration::MigrationTrait;

pub(crate) use paymesh_kernel::database::StoreError;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of definitions.
pub(crate) const DEFINITIONS_KEY: &str = "definitions_pkey";
/// Names of definitions.
pub(crate) const NAMES_KEY: &str = "definitions_tenant_id_name_key";
/// Primary key of schedules.
pub(crate) const SCHEDULES_KEY: &str = "schedules_pkey";
/// Primary key of runs.
pub(crate) const RUNS_KEY: &str = "runs_pkey";
/// Table of runs, to be watched.
pub(crate) const RUNS: &str = "runs";
/// Table of schedules, to be watched.
pub(crate) const SCHEDULES: &str = "schedules";

/// Which rows of a read model: a span of time in one tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) tenant: paymesh_kernel::id::TenantId,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// The schema of the component.
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(migration::Tables),
        Box::new(migration::OldBalances),
    ]
}
