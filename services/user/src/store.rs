//! The tables as the use cases see them: domain in, domain out. Every write of a use case goes through a change set.

pub(crate) mod credentials;
mod entity;
pub(crate) mod keys;
mod migration;
pub(crate) mod tenants;
pub(crate) mod users;

use sea_orm_migration::MigrationTrait;

pub(crate) use paymesh_kernel::database::StoreError;

/// What [`migrations`] gives.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Unique index of addresses in a tenant.
pub(crate) const EMAIL_INDEX: &str = "users_tenant_id_email_hash_key";
/// Primary key of tenants.
pub(crate) const TENANT_INDEX: &str = "tenants_pkey";
/// Primary key of attempts.
pub(crate) const ATTEMPTS_INDEX: &str = "login_attempts_pkey";
/// Unique index of the numbers of signing keys.
pub(crate) const GENERATION_INDEX: &str = "signing_keys_generation_key";

/// The schema of the component.
#[must_use]
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(paymesh_chassis::idempotency::Migration),
        Box::new(migration::Tables),
    ]
}

/// Roles as one column: `admin,finance`.
fn write_roles(roles: &[paymesh_kernel::Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(",")
}

fn read_roles(text: &str) -> Option<Vec<paymesh_kernel::Role>> {
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().ok())
        .collect()
}

/// Takes away keys of commands that are too old to count.
pub(crate) async fn purge_idempotency_keys(
    database: &paymesh_kernel::Database,
    now: paymesh_kernel::Timestamp,
) -> Result<u64, StoreError> {
    Ok(paymesh_chassis::idempotency::purge(database, now).await?)
}
