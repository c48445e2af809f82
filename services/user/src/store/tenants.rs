//! Tenants.

use paymesh_kernel::{ChangeSet, Database, id::TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{StoreError, entity::tenant};
use crate::domain::{Tenant, TenantMode, tenant::Standing};

/// A tenant by its id.
pub(crate) async fn find(database: &Database, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let row = tenant::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Tenants with larger ids than `after`, in their order.
pub(crate) async fn list(
    database: &Database,
    after: Option<TenantId>,
    limit: u64,
) -> Result<Vec<Tenant>, StoreError> {
    let mut query = tenant::Entity::find();
    if let Some(after) = after {
        query = query.filter(tenant::Column::Id.gt(after));
    }
    let rows = query
        .order_by_asc(tenant::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new tenant.
pub(crate) fn insert(changes: &mut ChangeSet, tenant: &Tenant) {
    changes.insert(&tenant::Model {
        id: tenant.id,
        name: tenant.name.clone(),
        mode: tenant.mode.as_str().to_owned(),
        country: tenant.country.to_string(),
        default_currency: tenant.default_currency.code().to_owned(),
        standing: tenant.standing.as_str().to_owned(),
        created_at: tenant.created_at,
    });
}

fn from_row(row: tenant::Model) -> Result<Tenant, StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: "tenants",
        column,
    };
    Ok(Tenant {
        id: row.id,
        name: row.name,
        mode: TenantMode::parse(&row.mode).ok_or(malformed("mode"))?,
        country: row.country.parse().map_err(|_| malformed("country"))?,
        default_currency: row
            .default_currency
            .parse()
            .map_err(|_| malformed("default_currency"))?,
        standing: Standing::parse(&row.standing).ok_or(malformed("standing"))?,
        created_at: row.created_at,
    })
}
