//! Fees, spreads and costs, as facts told of them.

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use sea_orm::FromQueryResult;

use super::{Range, StoreError, entity::charge, sql};

pub(crate) use super::entity::charge::Model as Charge;

/// What was charged within a range.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Total {
    pub(crate) merchant_id: String,
    pub(crate) currency: String,
    pub(crate) fees_minor: i64,
    pub(crate) spreads_minor: i64,
    pub(crate) chargeback_fees_minor: i64,
    pub(crate) connector_fees_minor: i64,
    pub(crate) charges: i64,
}

#[derive(Debug, FromQueryResult)]
struct First {
    first: Option<i64>,
}

/// A fee of the tenant.
pub(crate) const FEE: &str = "fee";
/// Earned on an exchange.
pub(crate) const SPREAD: &str = "spread";
/// Charged to a merchant for a chargeback.
pub(crate) const CHARGEBACK_FEE: &str = "chargeback_fee";
/// Charged by a connector.
pub(crate) const CONNECTOR_FEE: &str = "connector_fee";

/// A charge.
pub(crate) fn put(changes: &mut ChangeSet, charge: &Charge) {
    changes.upsert::<charge::Model>(charge);
}

/// The first charge in the range.
pub(crate) async fn first(
    database: &Database,
    range: Range,
) -> Result<Option<Timestamp>, StoreError> {
    let query = "SELECT MIN(business_at) AS first FROM charges WHERE tenant_id = $1 AND business_at >= $2 AND business_at < $3";
    let values = vec![range.tenant.into(), range.from.into(), range.until.into()];
    let rows: Vec<First> = sql::all(database, query, values).await?;
    let first = rows.into_iter().find_map(|row| row.first);
    Ok(first.map(Timestamp::from_micros))
}

/// Charges by merchant and currency, behind `after`. With `by` empty, merchants are one.
pub(crate) async fn totals(
    database: &Database,
    range: Range,
    filter: &Filter,
    (after, limit): (Option<(String, String)>, u64),
) -> Result<Vec<Total>, StoreError> {
    let of = |kind: &str, name: &str| {
        sql::sum(
            &format!("CASE WHEN kind = '{kind}' THEN amount_minor ELSE 0 END"),
            name,
        )
    };
    let merchant = match filter.split {
        Split::Merchants => "merchant_id",
        Split::Nothing => "''",
    };
    let query = format!(
        "SELECT merchant AS merchant_id, currency, {}, {}, {}, {}, COUNT(*) AS charges FROM \
         (SELECT {merchant} AS merchant, currency, kind, amount_minor FROM charges \
         WHERE tenant_id = $1 AND business_at >= $2 AND business_at < $3 AND ($4 = '' OR merchant_id = $4) \
         AND ($5 = '' OR currency = $5)) AS c WHERE ($6 = 0 OR (merchant, currency) > ($7, $8)) \
         GROUP BY merchant, currency ORDER BY merchant, currency LIMIT $9",
        of(FEE, "fees_minor"),
        of(SPREAD, "spreads_minor"),
        of(CHARGEBACK_FEE, "chargeback_fees_minor"),
        of(CONNECTOR_FEE, "connector_fees_minor"),
    );
    let has_begun = i32::from(after.is_some());
    let (behind, currency) = after.unwrap_or_default();
    let values = vec![
        range.tenant.into(),
        range.from.into(),
        range.until.into(),
        filter.merchant.as_str().into(),
        filter.currency.as_str().into(),
        has_begun.into(),
        behind.into(),
        currency.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    sql::all(database, &query, values).await
}

/// Which charges, and what they are told apart by besides their currency.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) merchant: String,
    pub(crate) currency: String,
    pub(crate) split: Split,
}

/// What charges are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Split {
    /// Merchants.
    Merchants,
    /// Nothing but their currency.
    Nothing,
}
