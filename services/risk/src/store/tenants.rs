//! Tenants that risk has met.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{EntityTrait as _, QueryOrder as _, QuerySelect as _};

use super::{
    StoreError,
    entity::tenant::{Column, Entity, Model},
};

/// A tenant met for the first time.
pub(crate) fn insert(changes: &mut ChangeSet, tenant: TenantId, now: Timestamp) {
    changes.insert(&Model {
        id: tenant,
        created_at: now,
    });
}

/// True when the tenant was met before.
pub(crate) async fn is_known(database: &Database, tenant: TenantId) -> Result<bool, StoreError> {
    let row = Entity::find_by_id(tenant).one(database.reader()).await?;
    Ok(row.is_some())
}

/// Tenants that were met, in that order.
pub(crate) async fn all(database: &Database, limit: u64) -> Result<Vec<TenantId>, StoreError> {
    let rows = Entity::find()
        .order_by_asc(Column::CreatedAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
