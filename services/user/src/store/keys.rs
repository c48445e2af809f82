//! API keys, and keys that sign access tokens.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{
    StoreError,
    entity::{api_key, signing_key},
    read_roles, write_roles,
};
use crate::domain::{ApiKey, ApiKeyId, TenantMode, signing_key::Schedule};

/// A signing key as it is stored.
#[derive(Clone)]
pub(crate) struct StoredSigningKey {
    pub(crate) id: Uuid,
    pub(crate) schedule: Schedule,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

/// All signing keys by generation: three at most.
pub(crate) async fn signing_keys(database: &Database) -> Result<Vec<StoredSigningKey>, StoreError> {
    let rows = signing_key::Entity::find()
        .order_by_asc(signing_key::Column::Generation)
        .all(database.reader())
        .await?;
    let keys = rows.into_iter().map(|row| StoredSigningKey {
        id: row.id,
        schedule: Schedule {
            generation: row.generation,
            activates_at: row.activates_at,
        },
        sealed: row.sealed,
        created_at: row.created_at,
    });
    Ok(keys.collect())
}

/// A new signing key.
pub(crate) fn insert_signing_key(changes: &mut ChangeSet, key: &StoredSigningKey) {
    changes.insert(&signing_key_row(key));
}

/// An old one goes.
pub(crate) fn delete_signing_key(changes: &mut ChangeSet, key: &StoredSigningKey) {
    changes.delete(&signing_key_row(key));
}

/// An API key by id.
pub(crate) async fn find(database: &Database, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
    let row = api_key::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// An API key by the hash of its secret.
pub(crate) async fn find_by_hash(
    database: &Database,
    hash: &str,
) -> Result<Option<ApiKey>, StoreError> {
    let row = api_key::Entity::find()
        .filter(api_key::Column::SecretHash.eq(hash))
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// API keys of a tenant with larger ids than `after`, in their order.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    (after, limit): (Option<ApiKeyId>, u64),
) -> Result<Vec<ApiKey>, StoreError> {
    let mut query = api_key::Entity::find().filter(api_key::Column::TenantId.eq(tenant));
    if let Some(after) = after {
        query = query.filter(api_key::Column::Id.gt(after));
    }
    let rows = query
        .order_by_asc(api_key::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new API key.
pub(crate) fn insert(changes: &mut ChangeSet, key: &ApiKey) {
    changes.insert(&to_row(key));
}

/// A changed API key.
pub(crate) fn update(changes: &mut ChangeSet, key: &ApiKey) {
    changes.update(&to_row(key));
}

fn signing_key_row(key: &StoredSigningKey) -> signing_key::Model {
    signing_key::Model {
        id: key.id,
        generation: key.schedule.generation,
        sealed: key.sealed.clone(),
        activates_at: key.schedule.activates_at,
        created_at: key.created_at,
    }
}

fn to_row(key: &ApiKey) -> api_key::Model {
    api_key::Model {
        id: key.id,
        tenant_id: key.tenant,
        secret_hash: key.secret_hash.clone(),
        mode: key.mode.as_str().to_owned(),
        name: key.name.clone(),
        hint: key.hint.clone(),
        roles: write_roles(&key.roles),
        merchant_id: key.merchant,
        created_by: key.created_by.clone(),
        created_at: key.created_at,
        last_used_at: key.last_used_at,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        version: key.version,
    }
}

fn from_row(row: api_key::Model) -> Result<ApiKey, StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: "api_keys",
        column,
    };
    Ok(ApiKey {
        id: row.id,
        tenant: row.tenant_id,
        secret_hash: row.secret_hash,
        mode: TenantMode::parse(&row.mode).ok_or(malformed("mode"))?,
        name: row.name,
        hint: row.hint,
        roles: read_roles(&row.roles).ok_or(malformed("roles"))?,
        merchant: row.merchant_id,
        created_by: row.created_by,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        version: row.version,
    })
}
