//! Transactions, each as its last fact tells it.

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Value,
};

use super::{
    Range, StoreError,
    entity::transaction::{Column, Entity},
    sql,
};

pub(crate) use super::entity::transaction::Model as Transaction;

/// Which transactions of a range; what is empty leaves none out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) merchant: String,
    pub(crate) currency: String,
    pub(crate) status: String,
    pub(crate) kind: String,
}

/// Behind which transaction a page begins.
pub(crate) type Place = (Timestamp, String);

/// Transactions of one day, merchant and currency.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Total {
    pub(crate) merchant_id: String,
    pub(crate) currency: String,
    pub(crate) transactions: i64,
    pub(crate) completed: i64,
    pub(crate) declined: i64,
    pub(crate) amount_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
}

/// Declined transactions of one reason and currency.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Declines {
    pub(crate) reason: String,
    pub(crate) currency: String,
    pub(crate) transactions: i64,
    pub(crate) amount_minor: i64,
}

#[derive(Debug, FromQueryResult)]
struct First {
    first: Option<i64>,
}

const FILTERED: &str = "tenant_id = $1 AND business_at >= $2 AND business_at < $3 AND ($4 = '' OR merchant_id = $4) \
     AND ($5 = '' OR currency = $5) AND ($6 = '' OR status = $6) AND ($7 = '' OR kind = $7)";

/// A transaction as it is now.
pub(crate) fn put(changes: &mut ChangeSet, transaction: &Transaction) {
    changes.upsert(transaction);
}

/// Transactions by business time.
pub(crate) async fn list(
    database: &Database,
    range: Range,
    filter: &Filter,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<Transaction>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(range.tenant))
        .filter(Column::BusinessAt.gte(range.from))
        .filter(Column::BusinessAt.lt(range.until));
    for (column, value) in [
        (Column::MerchantId, &filter.merchant),
        (Column::Currency, &filter.currency),
        (Column::Status, &filter.status),
        (Column::Kind, &filter.kind),
    ] {
        if !value.is_empty() {
            query = query.filter(column.eq(value.as_str()));
        }
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::BusinessAt.eq(at))
            .add(Column::Id.gt(id));
        query = query.filter(Condition::any().add(Column::BusinessAt.gt(at)).add(same));
    }
    Ok(query
        .order_by_asc(Column::BusinessAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?)
}

/// The first business time in the range.
pub(crate) async fn first(
    database: &Database,
    range: Range,
    filter: &Filter,
) -> Result<Option<Timestamp>, StoreError> {
    let query = format!("SELECT MIN(business_at) AS first FROM transactions WHERE {FILTERED}");
    let rows: Vec<First> = sql::all(database, &query, values(range, filter)).await?;
    let first = rows.into_iter().find_map(|row| row.first);
    Ok(first.map(Timestamp::from_micros))
}

/// Totals by merchant and currency, behind `after`.
pub(crate) async fn totals(
    database: &Database,
    range: Range,
    filter: &Filter,
    (after, limit): (Option<(String, String)>, u64),
) -> Result<Vec<Total>, StoreError> {
    let query = format!(
        "SELECT merchant_id, currency, COUNT(*) AS transactions, {}, {}, {}, {}, {} FROM transactions WHERE {FILTERED} \
         AND ($8 = 0 OR (merchant_id, currency) > ($9, $10)) \
         GROUP BY merchant_id, currency ORDER BY merchant_id, currency LIMIT $11",
        sql::sum(
            "CASE WHEN status = 'completed' THEN 1 ELSE 0 END",
            "completed"
        ),
        sql::sum(
            "CASE WHEN status = 'declined' THEN 1 ELSE 0 END",
            "declined"
        ),
        sql::sum("amount_minor", "amount_minor"),
        sql::sum("captured_minor", "captured_minor"),
        sql::sum("refunded_minor", "refunded_minor"),
    );
    let mut values = values(range, filter);
    values.push(i32::from(after.is_some()).into());
    let (merchant, currency) = after.unwrap_or_default();
    values.extend([
        merchant.into(),
        currency.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ]);
    sql::all(database, &query, values).await
}

/// Declined transactions by reason and currency.
pub(crate) async fn declines(
    database: &Database,
    range: Range,
    filter: &Filter,
) -> Result<Vec<Declines>, StoreError> {
    let query = format!(
        "SELECT decline_reason AS reason, currency, COUNT(*) AS transactions, {} FROM transactions \
         WHERE {FILTERED} AND status = 'declined' GROUP BY decline_reason, currency ORDER BY decline_reason, currency",
        sql::sum("amount_minor", "amount_minor"),
    );
    sql::all(database, &query, values(range, filter)).await
}

fn values(range: Range, filter: &Filter) -> Vec<Value> {
    vec![
        range.tenant.into(),
        range.from.into(),
        range.until.into(),
        filter.merchant.as_str().into(),
        filter.currency.as_str().into(),
        filter.status.as_str().into(),
        filter.kind.as_str().into(),
    ]
}
