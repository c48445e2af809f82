//! What facts say of transactions of merchants, and how far entries of accounts were taken into batches.

use std::collections::HashMap;

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    database::bulk,
    id::{MerchantId, TenantId},
};
use paymesh_money::Currency;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError, currency as read_currency,
    entity::{activity, cursor},
};
use crate::domain::ids::{AccountId, TransactionId};

/// What facts say of a transaction of a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Names it.
    pub(crate) transaction: TransactionId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Of which merchant.
    pub(crate) merchant: MerchantId,
    /// The currency it settles in.
    pub(crate) currency: Currency,
    /// When its captures are due.
    pub(crate) available_at: Timestamp,
    /// Business time of the last fact.
    pub(crate) business_at: Timestamp,
    /// The scheme has taken it at least once.
    pub(crate) is_charged_back: bool,
    /// Facts came since it was last taken into a batch.
    pub(crate) is_open: bool,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// How far the entries of an account were taken into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The account.
    pub(crate) account: AccountId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Height of the ledger's chain.
    pub(crate) height: i64,
    /// The account's version then.
    pub(crate) account_version: i64,
}

/// One by its transaction.
pub(crate) async fn find(
    database: &Database,
    transaction: TransactionId,
) -> Result<Option<Activity>, StoreError> {
    let row = activity::Entity::find_by_id(transaction)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Those of the transactions that there are.
pub(crate) async fn find_all(
    database: &Database,
    transactions: impl Iterator<Item = TransactionId>,
) -> Result<HashMap<TransactionId, Activity>, StoreError> {
    let keys = transactions.map(|id| id.as_uuid().into()).collect();
    let rows =
        bulk::find_by::<activity::Entity>(database.reader(), activity::Column::Id, keys).await?;
    rows.into_iter()
        .map(|row| from_row(row).map(|found| (found.transaction, found)))
        .collect()
}

/// Those that wait for a batch, the earliest due first.
pub(crate) async fn open(database: &Database, limit: u64) -> Result<Vec<Activity>, StoreError> {
    let rows = activity::Entity::find()
        .filter(activity::Column::IsOpen.eq(true))
        .order_by_asc(activity::Column::AvailableAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Those of one ledger that wait for a batch.
pub(crate) async fn open_in(
    database: &Database,
    (tenant, of): (TenantId, Currency),
    limit: u64,
) -> Result<Vec<Activity>, StoreError> {
    let rows = activity::Entity::find()
        .filter(activity::Column::IsOpen.eq(true))
        .filter(activity::Column::TenantId.eq(tenant))
        .filter(activity::Column::Currency.eq(of.code()))
        .order_by_asc(activity::Column::AvailableAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// The latest business time of a tenant.
pub(crate) async fn business_time(
    database: &Database,
    tenant: TenantId,
) -> Result<Option<Timestamp>, StoreError> {
    let row = activity::Entity::find()
        .filter(activity::Column::TenantId.eq(tenant))
        .order_by_desc(activity::Column::BusinessAt)
        .limit(1)
        .one(database.reader())
        .await?;
    Ok(row.map(|row| row.business_at))
}

/// A new one.
pub(crate) fn insert(changes: &mut ChangeSet, activity: &Activity) {
    changes.insert(&to_row(activity));
}

/// A changed one.
pub(crate) fn update(changes: &mut ChangeSet, activity: &Activity) {
    changes.update(&to_row(activity));
}

/// How far the entries of these accounts were taken.
pub(crate) async fn cursors(
    database: &Database,
    accounts: impl Iterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Cursor>, StoreError> {
    let keys = accounts.map(|id| id.as_uuid().into()).collect();
    let rows = bulk::find_by::<cursor::Entity>(database.reader(), cursor::Column::Id, keys).await?;
    let found = rows.into_iter().map(|row| Cursor {
        account: row.id,
        tenant: row.tenant_id,
        height: row.height,
        account_version: row.account_version,
    });
    Ok(found.map(|cursor| (cursor.account, cursor)).collect())
}

/// A cursor as it is to be.
pub(crate) fn put_cursor(changes: &mut ChangeSet, cursor: &Cursor) {
    changes.upsert(&cursor::Model {
        id: cursor.account,
        tenant_id: cursor.tenant,
        height: cursor.height,
        account_version: cursor.account_version,
    });
}

fn to_row(of: &Activity) -> activity::Model {
    activity::Model {
        id: of.transaction,
        tenant_id: of.tenant,
        merchant_id: of.merchant,
        currency: of.currency.code().to_owned(),
        available_at: of.available_at,
        business_at: of.business_at,
        is_charged_back: of.is_charged_back,
        is_open: of.is_open,
        version: of.version,
    }
}

fn from_row(row: activity::Model) -> Result<Activity, StoreError> {
    Ok(Activity {
        transaction: row.id,
        tenant: row.tenant_id,
        merchant: row.merchant_id,
        currency: read_currency(&row.currency, "activities")?,
        available_at: row.available_at,
        business_at: row.business_at,
        is_charged_back: row.is_charged_back,
        is_open: row.is_open,
        version: row.version,
    })
}
