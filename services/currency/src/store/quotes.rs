//! Quotes.

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use paymesh_money::{Amount, Currency, Money};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::{StoreError, entity::quote};
use crate::domain::{Ask, Consumption, Priced, Quote, QuoteId, Side, SpreadSide, State, TenantId};

const TABLE: &str = "quotes";
const SOURCE: &str = "source";
const TARGET: &str = "target";

/// Which quotes are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    /// All when None.
    pub(crate) state: Option<State>,
    /// Inclusive.
    pub(crate) from: Option<Timestamp>,
    /// Exclusive.
    pub(crate) until: Option<Timestamp>,
    /// The moment that decides what has expired.
    pub(crate) now: Timestamp,
}

/// The place of a quote in lists: newest first, ties by id.
pub(crate) type Place = (Timestamp, QuoteId);

/// A quote by id.
pub(crate) async fn find(database: &Database, id: QuoteId) -> Result<Option<Quote>, StoreError> {
    let row = quote::Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// Quotes of a tenant behind a place, newest first.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    filter: Filter,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<Quote>, StoreError> {
    use quote::Column;

    let mut query = quote::Entity::find().filter(Column::TenantId.eq(tenant));
    query = match filter.state {
        None => query,
        Some(State::Consumed) => query.filter(Column::ConsumedBy.is_not_null()),
        Some(State::Open) => query
            .filter(Column::ConsumedBy.is_null())
            .filter(Column::ExpiresAt.gt(filter.now)),
        Some(State::Expired) => query
            .filter(Column::ConsumedBy.is_null())
            .filter(Column::ExpiresAt.lte(filter.now)),
    };
    if let Some(from) = filter.from {
        query = query.filter(Column::CreatedAt.gte(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(Column::CreatedAt.lt(until));
    }
    if let Some((at, id)) = after {
        let same_moment = Column::CreatedAt.eq(at).and(Column::Id.lt(id));
        let behind = Condition::any()
            .add(Column::CreatedAt.lt(at))
            .add(same_moment);
        query = query.filter(behind);
    }
    let rows = query
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new quote.
pub(crate) fn insert(changes: &mut ChangeSet, quote: &Quote) {
    changes.insert(&row(quote));
}

/// A quote with its version increased by one.
pub(crate) fn update(changes: &mut ChangeSet, quote: &Quote) {
    changes.update(&row(quote));
}

/// Takes away quotes that expired before a moment and were never consumed; returns how many.
pub(crate) async fn forget_unused(
    database: &Database,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let done = quote::Entity::delete_many()
        .filter(quote::Column::ConsumedBy.is_null())
        .filter(quote::Column::ExpiresAt.lt(before))
        .exec(database.writer())
        .await?;
    Ok(done.rows_affected)
}

fn row(quote: &Quote) -> quote::Model {
    let priced = &quote.priced;
    let consumed = quote.consumed.as_ref();
    quote::Model {
        id: quote.id,
        tenant_id: quote.tenant,
        created_by: quote.created_by.clone(),
        side: match quote.ask.side {
            Side::Source => SOURCE,
            Side::Target => TARGET,
        }
        .to_owned(),
        spread_side: match quote.ask.spread_side {
            SpreadSide::Source => SOURCE,
            SpreadSide::Target => TARGET,
        }
        .to_owned(),
        source_currency: priced.source.currency().to_string(),
        target_currency: priced.target.currency().to_string(),
        source_minor: priced.source.minor(),
        target_minor: priced.target.minor(),
        spread_minor: priced.spread.minor(),
        mid_source_minor: priced.mid_source.minor(),
        mid_target_minor: priced.mid_target.minor(),
        mid_rate: quote.mid_rate.to_string(),
        customer_rate: priced.customer_rate.to_string(),
        spread_bp: i32::try_from(quote.spread_bp).unwrap_or(i32::MAX),
        rate_source: quote.rate_source.to_string(),
        rate_date: quote.rate_date.to_string(),
        consumed_by: consumed.map(|consumption| consumption.by.to_string()),
        consumed_at: consumed.map(|consumption| consumption.at),
        business_at: quote.business_at,
        expires_at: quote.expires_at,
        created_at: quote.created_at,
        fingerprint: quote.fingerprint,
        version: quote.version,
    }
}

fn from_row(row: quote::Model) -> Result<Quote, StoreError> {
    let source: Currency = parse(&row.source_currency, "source_currency")?;
    let target: Currency = parse(&row.target_currency, "target_currency")?;
    let side = match row.side.as_str() {
        SOURCE => Side::Source,
        TARGET => Side::Target,
        _ => return Err(malformed("side")),
    };
    let (spread_side, spread_currency) = match row.spread_side.as_str() {
        SOURCE => (SpreadSide::Source, source),
        TARGET => (SpreadSide::Target, target),
        _ => return Err(malformed("spread_side")),
    };
    let priced = Priced {
        source: Money::new(row.source_minor, source),
        target: Money::new(row.target_minor, target),
        spread: Money::new(row.spread_minor, spread_currency),
        mid_source: Money::new(row.mid_source_minor, source),
        mid_target: Money::new(row.mid_target_minor, target),
        customer_rate: parse(&row.customer_rate, "customer_rate")?,
    };
    assert!(
        priced.adds_up(spread_side),
        "X1: what was stored adds up: {:?}",
        row.id
    );
    let (asked, other) = match side {
        Side::Source => (priced.source, target),
        Side::Target => (priced.target, source),
    };
    let consumed = match (&row.consumed_by, row.consumed_at) {
        (None, None) => None,
        (Some(by), Some(at)) => Some(Consumption {
            by: parse(by, "consumed_by")?,
            at,
        }),
        (Some(_), None) | (None, Some(_)) => return Err(malformed("consumed_at")),
    };
    Ok(Quote {
        id: row.id,
        tenant: row.tenant_id,
        created_by: row.created_by,
        ask: Ask {
            amount: Amount::try_from(asked).map_err(|_| malformed("source_minor"))?,
            side,
            other,
            spread_side,
        },
        priced,
        mid_rate: parse(&row.mid_rate, "mid_rate")?,
        spread_bp: u32::try_from(row.spread_bp).map_err(|_| malformed("spread_bp"))?,
        rate_source: parse(&row.rate_source, "rate_source")?,
        rate_date: parse(&row.rate_date, "rate_date")?,
        consumed,
        business_at: row.business_at,
        expires_at: row.expires_at,
        created_at: row.created_at,
        fingerprint: row.fingerprint,
        version: row.version,
    })
}

fn parse<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| malformed(column))
}

const fn malformed(column: &'static str) -> StoreError {
    StoreError::Malformed {
        table: TABLE,
        column,
    }
}
