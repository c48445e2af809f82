//! Merchants with their plans.

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    id::{MerchantId, TenantId},
};
use paymesh_money::{BasisPoints, Currency, Money};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{StoreError, entity::merchant};
use crate::domain::{Accounts, Merchant, NegativeBalance, Plan, State, Terms};

/// A merchant by id.
pub(crate) async fn find(
    database: &Database,
    id: MerchantId,
) -> Result<Option<Merchant>, StoreError> {
    let row = merchant::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Merchants of a tenant with larger ids than `after`, in their order; those that never opened are left out.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    state: Option<State>,
    (after, limit): (Option<MerchantId>, u64),
) -> Result<Vec<Merchant>, StoreError> {
    let mut query = merchant::Entity::find()
        .filter(merchant::Column::TenantId.eq(tenant))
        .filter(merchant::Column::State.ne(State::Refused.as_str()));
    if let Some(after) = after {
        query = query.filter(merchant::Column::Id.gt(after));
    }
    if let Some(state) = state {
        query = query.filter(merchant::Column::State.eq(state.as_str()));
    }
    let rows = query
        .order_by_asc(merchant::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Merchants that somebody has to look after at `now`, the longest waiting first.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<MerchantId>, StoreError> {
    let rows = merchant::Entity::find()
        .filter(merchant::Column::NextWakeAt.lte(now))
        .order_by_asc(merchant::Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// A new merchant.
pub(crate) fn insert(changes: &mut ChangeSet, merchant: &Merchant) {
    changes.insert(&to_row(merchant));
}

/// A changed merchant.
pub(crate) fn update(changes: &mut ChangeSet, merchant: &Merchant) {
    changes.update(&to_row(merchant));
}

fn to_row(merchant: &Merchant) -> merchant::Model {
    let Plan { terms, version } = merchant.plan;
    merchant::Model {
        id: merchant.id,
        tenant_id: merchant.tenant,
        name: merchant.name.clone(),
        state: merchant.state.as_str().to_owned(),
        country: merchant.country.to_string(),
        currency: merchant.currency.code().to_owned(),
        fee_bp: points(terms.fee),
        fee_fixed_minor: terms.fee_fixed.minor(),
        delay_days: terms.delay_days,
        negative_balance: terms.negative_balance.as_str().to_owned(),
        chargeback_fee_minor: terms.chargeback_fee.minor(),
        reserve_bp: points(terms.reserve),
        plan_version: version,
        pending_account_id: merchant.accounts.pending,
        available_account_id: merchant.accounts.available,
        reserve_account_id: merchant.accounts.reserve,
        destination: merchant.destination.clone(),
        destination_changed_at: merchant.destination_changed_at,
        next_wake_at: merchant.next_wake_at,
        attempts: merchant.attempts,
        event_sequence: merchant.event_sequence,
        version: merchant.version,
        created_at: merchant.created_at,
        updated_at: merchant.updated_at,
    }
}

fn from_row(row: merchant::Model) -> Result<Merchant, StoreError> {
    let currency: Currency = row.currency.parse().map_err(|_| malformed("currency"))?;
    let share = |points: i32, column| {
        u32::try_from(points)
            .ok()
            .and_then(|points| BasisPoints::try_new(points).ok())
            .ok_or(malformed(column))
    };
    let terms = Terms {
        fee: share(row.fee_bp, "fee_bp")?,
        fee_fixed: Money::new(row.fee_fixed_minor, currency),
        delay_days: row.delay_days,
        negative_balance: NegativeBalance::parse(&row.negative_balance)
            .ok_or(malformed("negative_balance"))?,
        chargeback_fee: Money::new(row.chargeback_fee_minor, currency),
        reserve: share(row.reserve_bp, "reserve_bp")?,
    };
    Ok(Merchant {
        id: row.id,
        tenant: row.tenant_id,
        name: row.name,
        state: State::parse(&row.state).ok_or(malformed("state"))?,
        country: row.country.parse().map_err(|_| malformed("country"))?,
        currency,
        plan: Plan {
            terms,
            version: row.plan_version,
        },
        accounts: Accounts {
            pending: row.pending_account_id,
            available: row.available_account_id,
            reserve: row.reserve_account_id,
        },
        destination: row.destination,
        destination_changed_at: row.destination_changed_at,
        next_wake_at: row.next_wake_at,
        attempts: row.attempts,
        event_sequence: row.event_sequence,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn points(share: BasisPoints) -> i32 {
    i32::try_from(share.get()).unwrap_or(i32::MAX)
}

const fn malformed(column: &'static str) -> StoreError {
    StoreError::Malformed {
        table: "merchants",
        column,
    }
}
