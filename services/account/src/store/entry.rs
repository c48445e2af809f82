//! Reading entries: the sums of an account after a batch, and its lines.
//!
//! Moments become heights first (batches have rising moments), so that lines are found by their key. Lines whose value date is not the
//! moment of their booking are few, and have an index of their own.

use paymesh_kernel::{Database, Timestamp};
use paymesh_money::Currency;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement,
};

use super::{
    Page, StoreError,
    entity::entry,
    map,
    transfer::{EntryPlace, behind},
};
use crate::domain::{AccountId, Balance, Code, Kind, Side, TransactionId, TransferId};

/// A stored line of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose line.
    pub account: AccountId,
    /// From 1, without gaps.
    pub sequence: i64,
    /// The transfer that it is half of.
    pub transfer: TransferId,
    /// How that moved money.
    pub kind: Kind,
    /// Which side.
    pub side: Side,
    /// Minor units.
    pub amount: i64,
    /// Of the amount.
    pub currency: Currency,
    /// What it was for.
    pub code: Code,
    /// The business transaction.
    pub transaction: Option<TransactionId>,
    /// The other account.
    pub counter_account: AccountId,
    /// The account's sums after it.
    pub balance: Balance,
    /// The account's version after its batch.
    pub account_version: i64,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// Value date.
    pub effective_at: Timestamp,
    /// The batch.
    pub batch_height: i64,
}

/// Posted sums of some lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Posted {
    /// On the debit side.
    pub debits: i64,
    /// On the credit side.
    pub credits: i64,
}

/// Lines of the batches above `after` up to `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heights {
    /// Exclusive.
    pub after: i64,
    /// Inclusive.
    pub until: i64,
}

/// Value dates from `from` until before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// Inclusive.
    pub from: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
}

/// The sums of an account after a batch, and its version then; None when it had no line by then.
///
/// # Errors
/// When the database fails.
pub async fn balance_at(
    database: &Database,
    account: AccountId,
    height: i64,
) -> Result<Option<(Balance, i64)>, StoreError> {
    let row = entry::Entity::find()
        .filter(entry::Column::AccountId.eq(account))
        .filter(entry::Column::BatchHeight.lte(height))
        .order_by_desc(entry::Column::BatchHeight)
        .order_by_desc(entry::Column::Sequence)
        .one(database.reader())
        .await?;
    Ok(row.map(|row| (balance_of(&row), row.account_version)))
}

/// Lines in the order of their booking.
///
/// # Errors
/// When the database fails.
pub async fn booked(
    database: &Database,
    account: AccountId,
    heights: Heights,
    page: Page<EntryPlace>,
) -> Result<Vec<Line>, StoreError> {
    let mut query = entry::Entity::find()
        .filter(entry::Column::AccountId.eq(account))
        .filter(entry::Column::BatchHeight.gt(heights.after))
        .filter(entry::Column::BatchHeight.lte(heights.until));
    if let Some((height, sequence)) = page.after {
        query = query.filter(behind(height, sequence));
    }
    let rows = query
        .order_by_asc(entry::Column::BatchHeight)
        .order_by_asc(entry::Column::Sequence)
        .limit(page.size.saturating_add(1))
        .all(database.reader())
        .await?;
    rows.into_iter().map(line).collect()
}

/// Lines in the order of their value dates, those of one moment as they were booked.
///
/// # Errors
/// When the database fails.
pub async fn effective(
    database: &Database,
    account: AccountId,
    (heights, dates): (Heights, Dates),
    page: Page<(Timestamp, i64)>,
) -> Result<Vec<Line>, StoreError> {
    let (from, sequence) = page.after.unwrap_or((dates.from, 0));
    // A line that is effective when it was booked lies in a batch of that moment.
    let heights = (heights.after, heights.until);
    let sql = "SELECT * FROM entries WHERE account_id = $1 AND batch_height > $2 AND batch_height <= $3 \
               AND effective_at < $4 AND (effective_at > $5 OR (effective_at = $5 AND sequence > $6)) \
               AND effective_at <> booked_at ORDER BY effective_at, sequence LIMIT $7";
    let usual = "SELECT * FROM entries WHERE account_id = $1 \
                 AND batch_height > $2 AND batch_height <= $3 \
                 AND batch_height >= COALESCE((SELECT height FROM batches WHERE committed_at >= $5 ORDER BY committed_at LIMIT 1), $3 + 1) \
                 AND batch_height <= COALESCE((SELECT height FROM batches WHERE committed_at < $4 ORDER BY committed_at DESC LIMIT 1), 0) \
                 AND effective_at < $4 AND (effective_at > $5 OR (effective_at = $5 AND sequence > $6)) \
                 AND effective_at = booked_at ORDER BY batch_height, sequence LIMIT $7";
    let limit = i64::try_from(page.size.saturating_add(1)).unwrap_or(i64::MAX);
    let mut lines = Vec::new();
    for sql in [sql, usual] {
        let values = [
            account.into(),
            heights.0.into(),
            heights.1.into(),
            dates.until.into(),
            from.into(),
            sequence.into(),
            limit.into(),
        ];
        let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
        let rows = entry::Entity::find()
            .from_raw_sql(statement)
            .all(database.reader())
            .await?;
        for row in rows {
            lines.push(line(row)?);
        }
    }
    lines.sort_by_key(|line| (line.effective_at, line.sequence));
    lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(lines)
}

/// Posted sums of the lines of some batches that have another value date than the moment of their booking.
///
/// # Errors
/// When the database fails.
pub async fn posted_elsewhen(
    database: &Database,
    account: AccountId,
    heights: Heights,
    dates: Dates,
) -> Result<Posted, StoreError> {
    posted(
        database,
        account,
        (heights, dates),
        "AND effective_at <> booked_at",
    )
    .await
}

/// Posted sums of all lines of some batches with some value dates.
///
/// # Errors
/// When the database fails.
pub async fn posted_within(
    database: &Database,
    account: AccountId,
    heights: Heights,
    dates: Dates,
) -> Result<Posted, StoreError> {
    posted(database, account, (heights, dates), "").await
}

async fn posted(
    database: &Database,
    account: AccountId,
    (heights, dates): (Heights, Dates),
    condition: &str,
) -> Result<Posted, StoreError> {
    let sql = format!(
        "SELECT {} FROM entries WHERE account_id = $1 AND batch_height > $2 AND batch_height <= $3 \
         AND effective_at >= $4 AND effective_at < $5 {condition}",
        posted_sums("")
    );
    let values = [
        account.into(),
        heights.after.into(),
        heights.until.into(),
        dates.from.into(),
        dates.until.into(),
    ];
    let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
    let row = database.reader().query_one_raw(statement).await?;
    let row = row.ok_or(StoreError::Corrupt { what: "sum" })?;
    Ok(Posted::from_query_result(&row, "")?)
}

/// The columns of [`Posted`] over entries of the given alias.
pub(super) fn posted_sums(alias: &str) -> String {
    let sum = |side: &str, name: &str| {
        format!(
            "CAST(COALESCE(SUM(CASE WHEN {alias}side = '{side}' AND {alias}kind IN ('single', 'post') \
             THEN {alias}amount_minor ELSE 0 END), 0) AS BIGINT) AS {name}"
        )
    };
    format!("{}, {}", sum("debit", "debits"), sum("credit", "credits"))
}

fn balance_of(row: &entry::Model) -> Balance {
    Balance {
        debits_pending: row.debits_pending_minor,
        debits_posted: row.debits_posted_minor,
        credits_pending: row.credits_pending_minor,
        credits_posted: row.credits_posted_minor,
    }
}

fn line(row: entry::Model) -> Result<Line, StoreError> {
    let corrupt = |what| StoreError::Corrupt { what };
    Ok(Line {
        account: row.account_id,
        sequence: row.sequence,
        transfer: row.transfer_id,
        kind: Kind::from_word(&row.kind).ok_or_else(|| corrupt("kind"))?,
        side: Side::from_word(&row.side).ok_or_else(|| corrupt("side"))?,
        amount: row.amount_minor,
        currency: map::currency(&row.currency)?,
        code: Code::from_word(&row.code).ok_or_else(|| corrupt("code"))?,
        transaction: row.transaction_id,
        counter_account: row.counter_account_id,
        balance: balance_of(&row),
        account_version: row.account_version,
        booked_at: row.booked_at,
        effective_at: row.effective_at,
        batch_height: row.batch_height,
    })
}
