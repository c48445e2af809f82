//! Reading accounts.

use paymesh_kernel::{Database, id::TenantId};
use paymesh_money::Currency;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{Page, StoreError, entity::account, map};
use crate::domain::{Account, AccountId, AccountState, Owner, Purpose};

/// Which accounts of a tenant.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Of this owner.
    pub owner: Option<Owner>,
    /// For this purpose.
    pub purpose: Option<Purpose>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// In this state.
    pub state: Option<AccountState>,
}

/// An account of the tenant by its id.
///
/// # Errors
/// When the database fails.
pub async fn find(
    database: &Database,
    tenant: TenantId,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let row = account::Entity::find_by_id(id)
        .filter(account::Column::TenantId.eq(tenant))
        .one(database.reader())
        .await?;
    row.map(map::account).transpose()
}

/// An account by what it is for.
///
/// # Errors
/// When the database fails.
pub async fn find_by_reference(
    database: &Database,
    reference: Uuid,
) -> Result<Option<Account>, StoreError> {
    let row = account::Entity::find()
        .filter(account::Column::Reference.eq(reference))
        .one(database.reader())
        .await?;
    row.map(map::account).transpose()
}

/// Accounts of a tenant in the order of their ids, one more than the page holds if there are more.
///
/// # Errors
/// When the database fails.
pub async fn list(
    database: &Database,
    tenant: TenantId,
    filter: &AccountFilter,
    page: Page<AccountId>,
) -> Result<Vec<Account>, StoreError> {
    let mut query = account::Entity::find().filter(account::Column::TenantId.eq(tenant));
    if let Some(owner) = &filter.owner {
        query = query
            .filter(account::Column::OwnerId.eq(&*owner.id))
            .filter(account::Column::OwnerKind.eq(owner.kind.as_str()));
    }
    if let Some(purpose) = filter.purpose {
        query = query.filter(account::Column::Purpose.eq(purpose.as_str()));
    }
    if let Some(currency) = filter.currency {
        query = query.filter(account::Column::Currency.eq(currency.code()));
    }
    if let Some(state) = filter.state {
        query = query.filter(account::Column::State.eq(state.as_str()));
    }
    if let Some(after) = page.after {
        query = query.filter(account::Column::Id.gt(after));
    }
    let rows = query
        .order_by_asc(account::Column::Id)
        .limit(page.size.saturating_add(1))
        .all(database.reader())
        .await?;
    rows.into_iter().map(map::account).collect()
}
