//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

mod entity;
mod migration;
pub(crate) mod quotes;
pub(crate) mod rates;

use sea_orm_migration::MigrationTrait;

pub use paymesh_kernel::database::StoreError;

/// What [`migrations`] gives.
pub type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Primary key of quotes.
pub(crate) const QUOTE_KEY: &str = "quotes_pkey";
/// Primary key of imports.
pub(crate) const IMPORT_KEY: &str = "rate_imports_pkey";
/// Names of sources are unique.
pub(crate) const SOURCE_NAME_KEY: &str = "rate_sources_name_key";

/// The schema of the component.
#[must_use]
pub(crate) fn migrations() -> Migrations {
    vec![Box::new(migration::Tables)]
}
