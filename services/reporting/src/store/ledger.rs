//! Our copy of the ledger: its accounts, and their sums after each batch that touched them.

use std::collections::BTreeMap;

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement};

use super::{
    Range, StoreError,
    entity::{ledger_account, ledger_balance},
    sql,
};
use crate::domain::trial::{Place, Sums, Trial};

/// An account as the ledger opened it.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) tenant: TenantId,
    pub(crate) class: String,
    pub(crate) purpose: String,
    pub(crate) currency: String,
    pub(crate) opened_at: Timestamp,
}

/// Sums of an account after a batch.
#[derive(Clone, Debug)]
pub(crate) struct Balance {
    pub(crate) account: String,
    pub(crate) height: i64,
    pub(crate) sums: Sums,
    pub(crate) booked_at: Timestamp,
}

/// How much income or expense was booked on a day.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Earned {
    pub(crate) currency: String,
    pub(crate) purpose: String,
    pub(crate) debits: i64,
    pub(crate) credits: i64,
}

#[derive(Debug, FromQueryResult)]
struct TrialRow {
    class: String,
    purpose: String,
    currency: String,
    debits_posted: i64,
    credits_posted: i64,
    debits_pending: i64,
    credits_pending: i64,
    accounts: i64,
}

#[derive(Debug, FromQueryResult)]
struct First {
    first: Option<i64>,
}

/// Purposes whose accounts hold what is earned and spent on payments.
const EARNING: &str = "('fee_revenue', 'fx_spread', 'connector_fees')";

/// An account.
pub(crate) fn put_account(changes: &mut ChangeSet, account: Account) {
    changes.upsert(&ledger_account::Model {
        id: account.id,
        tenant_id: account.tenant,
        class: account.class,
        purpose: account.purpose,
        currency: account.currency,
        opened_at: account.opened_at,
    });
}

/// Sums after a batch.
pub(crate) fn put_balance(changes: &mut ChangeSet, balance: Balance) {
    changes.upsert(&ledger_balance::Model {
        account_id: balance.account,
        height: balance.height,
        debits_posted_minor: balance.sums.debits_posted,
        credits_posted_minor: balance.sums.credits_posted,
        debits_pending_minor: balance.sums.debits_pending,
        credits_pending_minor: balance.sums.credits_pending,
        booked_at: balance.booked_at,
    });
}

/// Sums of all accounts opened before `at`, after the batch at `height`. One statement, so that it sees one state.
pub(crate) async fn trial(
    database: &Database,
    tenant: TenantId,
    currency: &str,
    (at, height): (Timestamp, i64),
) -> Result<Trial, StoreError> {
    let query = format!(
        "SELECT a.class, a.purpose, a.currency, {}, {}, {}, {}, COUNT(*) AS accounts FROM ledger_accounts a \
         LEFT JOIN ledger_balances b ON b.account_id = a.id AND b.height = \
         (SELECT MAX(x.height) FROM ledger_balances x WHERE x.account_id = a.id AND x.height <= $4) \
         WHERE a.tenant_id = $1 AND ($2 = '' OR a.currency = $2) AND a.opened_at < $3 \
         GROUP BY a.class, a.purpose, a.currency",
        sql::sum("b.debits_posted_minor", "debits_posted"),
        sql::sum("b.credits_posted_minor", "credits_posted"),
        sql::sum("b.debits_pending_minor", "debits_pending"),
        sql::sum("b.credits_pending_minor", "credits_pending"),
    );
    let values = vec![tenant.into(), currency.into(), at.into(), height.into()];
    let rows: Vec<TrialRow> = sql::all(database, &query, values).await?;
    let trial = rows.into_iter().map(|row| {
        let place = Place {
            currency: row.currency,
            class: row.class,
            purpose: row.purpose,
        };
        let sums = Sums {
            debits_posted: row.debits_posted,
            credits_posted: row.credits_posted,
            debits_pending: row.debits_pending,
            credits_pending: row.credits_pending,
            accounts: row.accounts,
        };
        (place, sums)
    });
    Ok(trial.collect::<BTreeMap<_, _>>())
}

/// When sums were booked first, at or after `from`.
pub(crate) async fn first_booked(
    database: &Database,
    from: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let query = "SELECT MIN(booked_at) AS first FROM ledger_balances WHERE booked_at >= $1";
    let rows: Vec<First> = sql::all(database, query, vec![from.into()]).await?;
    let first = rows.into_iter().find_map(|row| row.first);
    Ok(first.map(Timestamp::from_micros))
}

/// Takes away sums of one day that others of the same account and day follow, at most `limit` at once; says how many.
pub(crate) async fn thin(
    database: &Database,
    (from, until): (Timestamp, Timestamp),
    limit: u64,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM ledger_balances WHERE (account_id, height) IN (\
               SELECT b.account_id, b.height FROM ledger_balances b WHERE b.booked_at >= $1 AND b.booked_at < $2 AND EXISTS (\
               SELECT 1 FROM ledger_balances l WHERE l.account_id = b.account_id AND l.height > b.height \
               AND l.booked_at >= b.booked_at AND l.booked_at < $2) LIMIT $3)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [from.into(), until.into(), limit.into()];
    let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
    let done = database.writer().execute_raw(statement).await?;
    Ok(done.rows_affected())
}

/// What was posted to income and expense accounts within the range, by purpose and currency: the sums at its end less those at its
/// begin.
pub(crate) async fn earned(
    database: &Database,
    range: Range,
    currency: &str,
) -> Result<Vec<Earned>, StoreError> {
    let at = |moment: &str, column: &str| {
        format!(
            "(SELECT x.{column} FROM ledger_balances x WHERE x.account_id = a.id AND x.booked_at < {moment} \
             ORDER BY x.booked_at DESC, x.height DESC LIMIT 1)"
        )
    };
    let grown = |column: &str| {
        format!(
            "COALESCE({}, 0) - COALESCE({}, 0)",
            at("$4", column),
            at("$3", column)
        )
    };
    let query = format!(
        "SELECT a.currency, a.purpose, {}, {} FROM ledger_accounts a \
         WHERE a.tenant_id = $1 AND ($2 = '' OR a.currency = $2) AND a.purpose IN {EARNING} \
         GROUP BY a.currency, a.purpose ORDER BY a.currency, a.purpose",
        sql::sum(&grown("debits_posted_minor"), "debits"),
        sql::sum(&grown("credits_posted_minor"), "credits"),
    );
    let values = vec![
        range.tenant.into(),
        currency.into(),
        range.from.into(),
        range.until.into(),
    ];
    sql::all(database, &query, values).await
}

/// When income or expense was booked first, at or after `from`.
pub(crate) async fn first_earned(
    database: &Database,
    range: Range,
) -> Result<Option<Timestamp>, StoreError> {
    let query = format!(
        "SELECT MIN(b.booked_at) AS first FROM ledger_accounts a JOIN ledger_balances b ON b.account_id = a.id \
         WHERE a.tenant_id = $1 AND a.purpose IN {EARNING} AND b.booked_at >= $2 AND b.booked_at < $3"
    );
    let values = vec![range.tenant.into(), range.from.into(), range.until.into()];
    let rows: Vec<First> = sql::all(database, &query, values).await?;
    let first = rows.into_iter().find_map(|row| row.first);
    Ok(first.map(Timestamp::from_micros))
}
