//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

pub(crate) mod alerts;
mod detail;
mod entity;
pub(crate) mod history;
pub(crate) mod labels;
pub(crate) mod lists;
mod migration;
pub(crate) mod payments;
pub(crate) mod rules;
pub(crate) mod tenants;

use paymesh_kernel::id::reexport::Uuid;
use sea_orm_migration::MigrationTrait;

pub(crate) use paymesh_kernel::database::StoreError;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of payments.
pub(crate) const PAYMENTS_KEY: &str = "payments_pkey";
/// Primary key of rules.
pub(crate) const RULES_KEY: &str = "rules_pkey";
/// Unique index of the names of rules.
pub(crate) const RULE_NAMES: &str = "rules_tenant_id_name_key";
/// Primary key of entries.
pub(crate) const ENTRIES_KEY: &str = "list_entries_pkey";
/// Primary key of pieces of history.
pub(crate) const CHUNKS_KEY: &str = "import_chunks_pkey";
/// Primary key of tenants.
pub(crate) const TENANTS_KEY: &str = "tenants_pkey";

/// The schema of the component.
pub(crate) fn migrations() -> Migrations {
    vec![Box::new(migration::Tables)]
}

/// Where a page begins: after this moment and id, or before them when the newest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: i64,
    pub(crate) id: Uuid,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) from: Option<Place>,
    pub(crate) limit: u64,
}

/// A half-open span of business time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from_us: Option<i64>,
    pub(crate) until_us: Option<i64>,
}
