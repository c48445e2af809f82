//! Reading transfers.

use std::collections::HashMap;

use paymesh_kernel::{Database, Timestamp, database::bulk, id::TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
    sea_query::{Expr, ExprTrait as _},
};

use super::{
    Page, StoreError,
    entity::{entry, pending_transfer, transfer},
    map,
};
use crate::domain::{
    AccountId, PendingState, TransactionId, Transfer, TransferId, transfer::Pending,
};

/// A place in the list of an account's transfers: batch and sequence of the account's entry.
pub type EntryPlace = (i64, i64);

/// Transfers of the tenant by their ids, in any order.
///
/// # Errors
/// When the database fails.
pub async fn find(
    database: &Database,
    tenant: TenantId,
    ids: &[TransferId],
) -> Result<HashMap<TransferId, Transfer>, StoreError> {
    let keys = ids.iter().map(|id| Value::from(*id)).collect();
    let rows =
        bulk::find_by::<transfer::Entity>(database.reader(), transfer::Column::Id, keys).await?;
    let of_tenant = rows.into_iter().filter(|row| row.tenant_id == tenant);
    of_tenant
        .map(|row| map::transfer(row).map(|transfer| (transfer.id, transfer)))
        .collect()
}

/// What became of pending transfers.
///
/// # Errors
/// When the database fails.
pub async fn fates(
    database: &Database,
    ids: Vec<TransferId>,
) -> Result<HashMap<TransferId, Pending>, StoreError> {
    let keys = ids.into_iter().map(Value::from).collect();
    let column = pending_transfer::Column::Id;
    let rows = bulk::find_by::<pending_transfer::Entity>(database.reader(), column, keys).await?;
    rows.iter()
        .map(|row| map::pending(row).map(|pending| (pending.id, pending)))
        .collect()
}

/// Pending transfers whose time is over, the longest first.
///
/// # Errors
/// When the database fails.
pub async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<TransferId>, StoreError> {
    let rows = pending_transfer::Entity::find()
        .filter(pending_transfer::Column::State.eq(PendingState::Pending.as_str()))
        .filter(pending_transfer::Column::ExpiresAt.lte(now))
        .order_by_asc(pending_transfer::Column::ExpiresAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// An account's transfers of the batches `heights`, oldest first, with the place of its entry.
///
/// # Errors
/// When the database fails.
pub async fn of_account(
    database: &Database,
    account: AccountId,
    heights: std::ops::RangeInclusive<i64>,
    page: Page<EntryPlace>,
) -> Result<Vec<(EntryPlace, TransferId)>, StoreError> {
    let mut query = entry::Entity::find()
        .filter(entry::Column::AccountId.eq(account))
        .filter(entry::Column::BatchHeight.between(*heights.start(), *heights.end()));
    if let Some((height, sequence)) = page.after {
        query = query.filter(behind(height, sequence));
    }
    let rows = query
        .order_by_asc(entry::Column::BatchHeight)
        .order_by_asc(entry::Column::Sequence)
        .limit(page.size.saturating_add(1))
        .all(database.reader())
        .await?;
    let place = |row: entry::Model| ((row.batch_height, row.sequence), row.transfer_id);
    Ok(rows.into_iter().map(place).collect())
}

/// The tenant's transfers with leaves in `leaves`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    database: &Database,
    tenant: TenantId,
    transaction: Option<TransactionId>,
    leaves: std::ops::Range<i64>,
    size: u64,
) -> Result<Vec<Transfer>, StoreError> {
    let mut query = transfer::Entity::find()
        .filter(transfer::Column::TenantId.eq(tenant))
        .filter(transfer::Column::LeafIndex.gte(leaves.start))
        .filter(transfer::Column::LeafIndex.lt(leaves.end));
    if let Some(transaction) = transaction {
        query = query.filter(transfer::Column::TransactionId.eq(transaction));
    }
    let rows = query
        .order_by_asc(transfer::Column::LeafIndex)
        .limit(size.saturating_add(1))
        .all(database.reader())
        .await?;
    rows.into_iter().map(map::transfer).collect()
}

/// Entries behind a place, as the index orders them.
pub(super) fn behind(height: i64, sequence: i64) -> sea_orm::Condition {
    use sea_orm::Condition;
    let same_batch = Condition::all()
        .add(entry::Column::BatchHeight.eq(height))
        .add(entry::Column::Sequence.gt(sequence));
    Condition::all()
        .add(Expr::col(entry::Column::BatchHeight).gte(height))
        .add(
            Condition::any()
                .add(entry::Column::BatchHeight.gt(height))
                .add(same_batch),
        )
}
