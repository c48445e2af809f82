//! Payouts.

use std::collections::HashMap;

use paymesh_kernel::{ChangeSet, Database, Timestamp, database::bulk};
use paymesh_money::{Currency, Money};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    Between, StoreError, Wanted, currency,
    entity::payout::{Column, Entity, Model},
    known,
};
use crate::domain::{
    ids::{PayoutId, TransactionId},
    payout::{Owner, OwnerKind, Payout, State, Step},
};

const TABLE: &str = "payouts";

/// A payout by id.
pub(crate) async fn find(database: &Database, id: PayoutId) -> Result<Option<Payout>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// The payout of a transaction.
pub(crate) async fn of_transaction(
    database: &Database,
    transaction: TransactionId,
) -> Result<Option<Payout>, StoreError> {
    let row = Entity::find()
        .filter(Column::TransactionId.eq(transaction))
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Those of the payouts that there are.
pub(crate) async fn find_all(
    database: &Database,
    payouts: impl Iterator<Item = PayoutId>,
) -> Result<HashMap<PayoutId, Payout>, StoreError> {
    let keys = payouts.map(|id| id.as_uuid().into()).collect();
    let rows = bulk::find_by::<Entity>(database.reader(), Column::Id, keys).await?;
    rows.into_iter()
        .map(|row| from_row(row).map(|found| (found.id, found)))
        .collect()
}

/// Payouts that somebody has to look after at `now`, the longest waiting first.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<PayoutId>, StoreError> {
    let rows = Entity::find()
        .filter(Column::NextWakeAt.lte(now))
        .order_by_asc(Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Payouts that the bank took within a span and that did not fail.
pub(crate) async fn sent(
    database: &Database,
    (wanted, of): (Wanted, Currency),
    span: Between,
) -> Result<Vec<Payout>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(wanted.tenant))
        .filter(Column::Currency.eq(of.code()))
        .filter(Column::SentAt.is_not_null());
    if let Some(after) = wanted.after {
        query = query.filter(Column::Id.gt(after));
    }
    // Of what goes to a bank the business time is the day it is of.
    if let Some(from) = span.from {
        query = query.filter(Column::BusinessAt.gte(from));
    }
    if let Some(until) = span.until {
        query = query.filter(Column::BusinessAt.lt(until));
    }
    let rows = query
        .order_by_asc(Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Which payouts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// None: all.
    pub(crate) owner: Option<Owner>,
    /// None: all.
    pub(crate) state: Option<State>,
    /// When they were asked for.
    pub(crate) created: Between,
}

/// Payouts of a tenant, newest first.
pub(crate) async fn list(
    database: &Database,
    wanted: Wanted,
    filter: &Filter,
) -> Result<Vec<Payout>, StoreError> {
    let mut query = Entity::find().filter(Column::TenantId.eq(wanted.tenant));
    if let Some(after) = wanted.after {
        query = query.filter(Column::Id.lt(after));
    }
    if let Some(owner) = &filter.owner {
        query = query
            .filter(Column::OwnerKind.eq(owner.kind.as_str()))
            .filter(Column::OwnerId.eq(owner.id.as_str()));
    }
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(state.as_str()));
    }
    if let Some(from) = filter.created.from {
        query = query.filter(Column::CreatedAt.gte(from));
    }
    if let Some(until) = filter.created.until {
        query = query.filter(Column::CreatedAt.lt(until));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new payout.
pub(crate) fn insert(changes: &mut ChangeSet, payout: &Payout) {
    changes.insert(&to_row(payout));
}

/// A changed payout.
pub(crate) fn update(changes: &mut ChangeSet, payout: &Payout) {
    changes.update(&to_row(payout));
}

fn to_row(of: &Payout) -> Model {
    Model {
        id: of.id,
        tenant_id: of.tenant,
        owner_kind: of.owner.kind.as_str().to_owned(),
        owner_id: of.owner.id.clone(),
        account_id: of.account,
        currency: of.amount.currency().code().to_owned(),
        amount_minor: of.amount.minor(),
        destination: of.destination.clone(),
        batch_id: of.batch,
        transaction_id: of.transaction,
        reason: of.reason.clone(),
        created_by: of.created_by.clone(),
        state: of.state.as_str().to_owned(),
        step: of.step.as_str().to_owned(),
        transfer_base_id: of.transfers,
        attempts: of.attempts,
        held_until: of.held_until,
        is_seen: of.is_seen,
        seen_line_id: of.seen_line,
        returned_line_id: of.returned_line,
        asked_at: of.asked_at,
        next_wake_at: of.next_wake_at,
        business_at: of.business_at,
        created_at: of.created_at,
        sent_at: of.sent_at,
        finished_at: of.finished_at,
        event_sequence: of.event_sequence,
        version: of.version,
    }
}

fn from_row(row: Model) -> Result<Payout, StoreError> {
    let currency = currency(&row.currency, TABLE)?;
    Ok(Payout {
        id: row.id,
        tenant: row.tenant_id,
        owner: Owner {
            kind: known(OwnerKind::parse(&row.owner_kind), TABLE, "owner_kind")?,
            id: row.owner_id,
        },
        account: row.account_id,
        amount: Money::new(row.amount_minor, currency),
        destination: row.destination,
        batch: row.batch_id,
        transaction: row.transaction_id,
        reason: row.reason,
        created_by: row.created_by,
        state: known(State::parse(&row.state), TABLE, "state")?,
        step: known(Step::parse(&row.step), TABLE, "step")?,
        transfers: row.transfer_base_id,
        attempts: row.attempts,
        held_until: row.held_until,
        is_seen: row.is_seen,
        seen_line: row.seen_line_id,
        returned_line: row.returned_line_id,
        asked_at: row.asked_at,
        next_wake_at: row.next_wake_at,
        business_at: row.business_at,
        created_at: row.created_at,
        sent_at: row.sent_at,
        finished_at: row.finished_at,
        event_sequence: row.event_sequence,
        version: row.version,
    })
}
