//! Batches.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use paymesh_money::Currency;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    Between, StoreError, Wanted, currency as read_currency,
    entity::batch::{Column, Entity, Model},
    known,
};
use crate::domain::{
    batch::{Batch, BatchState, Figures},
    ids::BatchId,
};

/// A batch by id.
pub(crate) async fn find(database: &Database, id: BatchId) -> Result<Option<Batch>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// The newest batch of a ledger.
pub(crate) async fn newest(
    database: &Database,
    tenant: TenantId,
    currency: Currency,
) -> Result<Option<Batch>, StoreError> {
    let row = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::Currency.eq(currency.code()))
        .order_by_desc(Column::Number)
        .limit(1)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Batches that somebody has to look after at `now`.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Batch>, StoreError> {
    let rows = Entity::find()
        .filter(Column::NextWakeAt.lte(now))
        .order_by_asc(Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Which batches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter {
    /// None: all.
    pub(crate) currency: Option<Currency>,
    /// None: all.
    pub(crate) state: Option<BatchState>,
    /// When they were opened.
    pub(crate) opened: Between,
}

/// Batches of a tenant, newest first.
pub(crate) async fn list(
    database: &Database,
    wanted: Wanted,
    filter: Filter,
) -> Result<Vec<Batch>, StoreError> {
    let mut query = Entity::find().filter(Column::TenantId.eq(wanted.tenant));
    if let Some(after) = wanted.after {
        query = query.filter(Column::Id.lt(after));
    }
    if let Some(currency) = filter.currency {
        query = query.filter(Column::Currency.eq(currency.code()));
    }
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(state.as_str()));
    }
    if let Some(from) = filter.opened.from {
        query = query.filter(Column::OpenedAt.gte(from));
    }
    if let Some(until) = filter.opened.until {
        query = query.filter(Column::OpenedAt.lt(until));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new batch.
pub(crate) fn insert(changes: &mut ChangeSet, batch: &Batch) {
    changes.insert(&to_row(batch));
}

/// A changed batch.
pub(crate) fn update(changes: &mut ChangeSet, batch: &Batch) {
    changes.update(&to_row(batch));
}

fn to_row(batch: &Batch) -> Model {
    let figures = batch.figures;
    Model {
        id: batch.id,
        tenant_id: batch.tenant,
        currency: batch.currency.code().to_owned(),
        number: batch.number,
        state: batch.state.as_str().to_owned(),
        from_height: batch.from_height,
        until_height: batch.until_height,
        gross_minor: figures.gross,
        fees_minor: figures.fees,
        refunds_minor: figures.refunds,
        chargebacks_minor: figures.chargebacks,
        transaction_count: figures.transactions,
        next_wake_at: batch.next_wake_at,
        attempts: batch.attempts,
        opened_at: batch.opened_at,
        closed_at: batch.closed_at,
        event_sequence: batch.event_sequence,
        version: batch.version,
    }
}

fn from_row(row: Model) -> Result<Batch, StoreError> {
    Ok(Batch {
        id: row.id,
        tenant: row.tenant_id,
        currency: read_currency(&row.currency, "batches")?,
        number: row.number,
        state: known(BatchState::parse(&row.state), "batches", "state")?,
        from_height: row.from_height,
        until_height: row.until_height,
        figures: Figures {
            gross: row.gross_minor,
            fees: row.fees_minor,
            refunds: row.refunds_minor,
            chargebacks: row.chargebacks_minor,
            transactions: row.transaction_count,
        },
        next_wake_at: row.next_wake_at,
        attempts: row.attempts,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        event_sequence: row.event_sequence,
        version: row.version,
    })
}
