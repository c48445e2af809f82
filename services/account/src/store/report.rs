//! Sums over all accounts of a tenant. Each is one statement, so that it sees one state of the ledger.

use paymesh_kernel::{Database, Timestamp, id::TenantId};
use paymesh_money::Currency;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement, Value,
};

use super::{
    Page, StoreError,
    entity::period,
    entry::{Dates, Heights, posted_sums},
    map,
};
use crate::domain::{Balance, Period, Purpose};

/// One purpose in one ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeTotal {
    /// What the accounts are for.
    pub purpose: Purpose,
    /// The ledger.
    pub currency: Currency,
    /// Their sums.
    pub balance: Balance,
    /// How many they are.
    pub accounts: i64,
}

/// What value dates add to a purpose or take from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeShift {
    /// What the accounts are for.
    pub purpose: Purpose,
    /// The ledger.
    pub currency: Currency,
    /// Posted on the debit side.
    pub debits: i64,
    /// Posted on the credit side.
    pub credits: i64,
}

#[derive(Debug, FromQueryResult)]
struct TotalRow {
    purpose: String,
    currency: String,
    debits_pending: i64,
    debits_posted: i64,
    credits_pending: i64,
    credits_posted: i64,
    accounts: i64,
    height: i64,
}

#[derive(Debug, FromQueryResult)]
struct ShiftRow {
    purpose: String,
    currency: String,
    debits: i64,
    credits: i64,
}

/// Totals now, and the height of the chain that they belong to.
///
/// # Errors
/// When the database fails.
pub async fn totals_now(
    database: &Database,
    tenant: TenantId,
    currency: Option<Currency>,
) -> Result<(Vec<PurposeTotal>, i64), StoreError> {
    let sql = format!(
        "SELECT a.purpose, a.currency, {}, COUNT(*) AS accounts, (SELECT height FROM ledger_head) AS height FROM accounts a \
         WHERE a.tenant_id = $1 AND ($2 = '' OR a.currency = $2) GROUP BY a.purpose, a.currency ORDER BY a.currency, a.purpose",
        balance_sums("a")
    );
    let values = [tenant.into(), code(currency)];
    let rows = all::<TotalRow>(database, sql, values.to_vec()).await?;
    let height = rows.first().map_or(0, |row| row.height);
    Ok((
        rows.into_iter().map(total).collect::<Result<_, _>>()?,
        height,
    ))
}

/// Totals after a batch, of accounts that were open before `at`.
///
/// # Errors
/// When the database fails.
pub async fn totals_at(
    database: &Database,
    tenant: TenantId,
    currency: Option<Currency>,
    (at, height): (Timestamp, i64),
) -> Result<Vec<PurposeTotal>, StoreError> {
    let sql = format!(
        "SELECT a.purpose, a.currency, {}, COUNT(*) AS accounts, CAST($4 AS BIGINT) AS height FROM accounts a \
         LEFT JOIN entries e ON e.account_id = a.id AND (e.batch_height, e.sequence) = \
         (SELECT x.batch_height, x.sequence FROM entries x WHERE x.account_id = a.id AND x.batch_height <= $4 \
         ORDER BY x.batch_height DESC, x.sequence DESC LIMIT 1) \
         WHERE a.tenant_id = $1 AND ($2 = '' OR a.currency = $2) AND a.opened_at < $3 \
         GROUP BY a.purpose, a.currency ORDER BY a.currency, a.purpose",
        balance_sums("e")
    );
    let values = [tenant.into(), code(currency), at.into(), height.into()];
    let rows = all::<TotalRow>(database, sql, values.to_vec()).await?;
    rows.into_iter().map(total).collect()
}

/// Posted sums of lines whose value date is not the moment of their booking.
///
/// # Errors
/// When the database fails.
pub async fn shifts(
    database: &Database,
    tenant: TenantId,
    currency: Option<Currency>,
    (heights, dates): (Heights, Dates),
) -> Result<Vec<PurposeShift>, StoreError> {
    let sql = format!(
        "SELECT a.purpose, a.currency, {} FROM accounts a JOIN entries e ON e.account_id = a.id \
         WHERE a.tenant_id = $1 AND ($2 = '' OR a.currency = $2) AND e.effective_at <> e.booked_at \
         AND e.batch_height > $3 AND e.batch_height <= $4 AND e.effective_at >= $5 AND e.effective_at < $6 \
         GROUP BY a.purpose, a.currency",
        posted_sums("e.")
    );
    let values = [
        tenant.into(),
        code(currency),
        heights.after.into(),
        heights.until.into(),
        dates.from.into(),
        dates.until.into(),
    ];
    let rows = all::<ShiftRow>(database, sql, values.to_vec()).await?;
    rows.into_iter()
        .map(|row| {
            Ok(PurposeShift {
                purpose: purpose(&row.purpose)?,
                currency: map::currency(&row.currency)?,
                debits: row.debits,
                credits: row.credits,
            })
        })
        .collect()
}

/// Closed periods of a tenant, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn periods(
    database: &Database,
    tenant: TenantId,
    page: Page<i64>,
) -> Result<Vec<Period>, StoreError> {
    let mut query = period::Entity::find().filter(period::Column::TenantId.eq(tenant));
    if let Some(sequence) = page.after {
        query = query.filter(period::Column::Sequence.lt(sequence));
    }
    let rows = query
        .order_by_desc(period::Column::Sequence)
        .limit(page.size.saturating_add(1))
        .all(database.reader())
        .await?;
    rows.into_iter().map(map::period).collect()
}

async fn all<R: FromQueryResult>(
    database: &Database,
    sql: String,
    values: Vec<Value>,
) -> Result<Vec<R>, StoreError> {
    let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
    let rows = database.reader().query_all_raw(statement).await?;
    let read = |row| R::from_query_result(row, "").map_err(StoreError::from);
    rows.iter().map(read).collect()
}

fn balance_sums(alias: &str) -> String {
    let columns = [
        "debits_pending",
        "debits_posted",
        "credits_pending",
        "credits_posted",
    ];
    let sums = columns
        .map(|name| format!("CAST(COALESCE(SUM({alias}.{name}_minor), 0) AS BIGINT) AS {name}"));
    sums.join(", ")
}

fn code(currency: Option<Currency>) -> Value {
    currency.map_or("", Currency::code).into()
}

fn purpose(word: &str) -> Result<Purpose, StoreError> {
    Purpose::from_word(word).ok_or(StoreError::Corrupt { what: "purpose" })
}

fn total(row: TotalRow) -> Result<PurposeTotal, StoreError> {
    Ok(PurposeTotal {
        purpose: purpose(&row.purpose)?,
        currency: map::currency(&row.currency)?,
        balance: Balance {
            debits_pending: row.debits_pending,
            debits_posted: row.debits_posted,
            credits_pending: row.credits_pending,
            credits_posted: row.credits_posted,
        },
        accounts: row.accounts,
    })
}
