//! Positions and their releases.

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};

use super::{
    StoreError, Wanted, currency,
    entity::{position, release},
};
use crate::domain::{
    batch::{Figures, Position, Release},
    ids::{BatchId, ReleaseId},
};

/// Positions of a tenant in the order of their ids, of a batch, a merchant, or all.
pub(crate) async fn list(
    database: &Database,
    wanted: Wanted,
    (batch, merchant): (Option<BatchId>, Option<MerchantId>),
) -> Result<Vec<Position>, StoreError> {
    let mut query = position::Entity::find().filter(position::Column::TenantId.eq(wanted.tenant));
    if let Some(after) = wanted.after {
        query = query.filter(position::Column::Id.gt(after));
    }
    if let Some(batch) = batch {
        query = query.filter(position::Column::BatchId.eq(batch));
    }
    if let Some(merchant) = merchant {
        query = query.filter(position::Column::MerchantId.eq(merchant));
    }
    let rows = query
        .order_by_asc(position::Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Positions that nobody has released yet and that are due at `until`, the earliest first; of one tenant and after a moment, or all.
pub(crate) async fn unreleased(
    database: &Database,
    until: Timestamp,
    of: Option<(TenantId, Timestamp)>,
    limit: u64,
) -> Result<Vec<Position>, StoreError> {
    let mut query = waiting().filter(position::Column::AvailableAt.lte(until));
    if let Some((tenant, after)) = of {
        query = query
            .filter(position::Column::TenantId.eq(tenant))
            .filter(position::Column::AvailableAt.gt(after));
    }
    let rows = query
        .order_by_asc(position::Column::AvailableAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Tenants with positions that are due after `now`.
pub(crate) async fn tenants_waiting(
    database: &Database,
    now: Timestamp,
) -> Result<Vec<TenantId>, StoreError> {
    Ok(waiting()
        .filter(position::Column::AvailableAt.gt(now))
        .select_only()
        .column(position::Column::TenantId)
        .distinct()
        .into_tuple()
        .all(database.reader())
        .await?)
}

fn waiting() -> Select<position::Entity> {
    position::Entity::find()
        .filter(position::Column::ReleasedAt.is_null())
        .filter(position::Column::ReleaseId.is_null())
}

/// The positions of a release.
pub(crate) async fn of_release(
    database: &Database,
    release: ReleaseId,
) -> Result<Vec<Position>, StoreError> {
    let rows = position::Entity::find()
        .filter(position::Column::ReleaseId.eq(release))
        .order_by_asc(position::Column::Id)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new position.
pub(crate) fn insert(changes: &mut ChangeSet, position: &Position) {
    changes.insert(&to_row(position));
}

/// A changed position.
pub(crate) fn update(changes: &mut ChangeSet, position: &Position) {
    changes.update(&to_row(position));
}

/// Releases that somebody has to look after at `now`.
pub(crate) async fn due_releases(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Release>, StoreError> {
    let rows = release::Entity::find()
        .filter(release::Column::NextWakeAt.lte(now))
        .order_by_asc(release::Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(release_from).collect()
}

/// A new release.
pub(crate) fn insert_release(changes: &mut ChangeSet, release: &Release) {
    changes.insert(&release_row(release));
}

/// A changed release.
pub(crate) fn update_release(changes: &mut ChangeSet, release: &Release) {
    changes.update(&release_row(release));
}

fn to_row(of: &Position) -> position::Model {
    position::Model {
        id: of.id,
        tenant_id: of.tenant,
        batch_id: of.batch,
        merchant_id: of.merchant,
        currency: of.currency.code().to_owned(),
        gross_minor: of.figures.gross,
        fees_minor: of.figures.fees,
        refunds_minor: of.figures.refunds,
        chargebacks_minor: of.figures.chargebacks,
        transaction_count: of.figures.transactions,
        pending_minor: of.pending_minor,
        available_at: of.available_at,
        release_id: of.release,
        released_at: of.released_at,
        version: of.version,
    }
}

fn from_row(row: position::Model) -> Result<Position, StoreError> {
    Ok(Position {
        id: row.id,
        tenant: row.tenant_id,
        batch: row.batch_id,
        merchant: row.merchant_id,
        currency: currency(&row.currency, "positions")?,
        figures: Figures {
            gross: row.gross_minor,
            fees: row.fees_minor,
            refunds: row.refunds_minor,
            chargebacks: row.chargebacks_minor,
            transactions: row.transaction_count,
        },
        pending_minor: row.pending_minor,
        available_at: row.available_at,
        release: row.release_id,
        released_at: row.released_at,
        version: row.version,
    })
}

fn release_row(of: &Release) -> release::Model {
    release::Model {
        id: of.id,
        tenant_id: of.tenant,
        merchant_id: of.merchant,
        currency: of.currency.code().to_owned(),
        amount_minor: of.amount_minor,
        pending_account_id: of.pending,
        available_account_id: of.available,
        transfer_id: of.transfer,
        next_wake_at: of.next_wake_at,
        attempts: of.attempts,
        created_at: of.created_at,
        version: of.version,
    }
}

fn release_from(row: release::Model) -> Result<Release, StoreError> {
    Ok(Release {
        id: row.id,
        tenant: row.tenant_id,
        merchant: row.merchant_id,
        currency: currency(&row.currency, "releases")?,
        amount_minor: row.amount_minor,
        pending: row.pending_account_id,
        available: row.available_account_id,
        transfer: row.transfer_id,
        next_wake_at: row.next_wake_at,
        attempts: row.attempts,
        created_at: row.created_at,
        version: row.version,
    })
}
