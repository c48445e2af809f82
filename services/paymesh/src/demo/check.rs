//! Do the answers, the ledger, the databases, the provider's record and the broker tell one story?
//!
//! Everything is looked at from outside: by REST, by the provider's own record, by metrics.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::{
    disputes::all,
    player::Day,
    story::{Money, Sums, Told},
};
use crate::rest::{Rest, text_at};

/// How long the read models may lag.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks.
const PACE: Duration = Duration::from_millis(250);
/// Lines of the provider's record on a page.
const RECORD_PAGE: u32 = 1_000;
/// Differences that are told one by one.
const MOST_TOLD: usize = 3;

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    /// What has to be true.
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// Figures, or what differs.
    pub(super) detail: String,
}

/// Whether it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Holds,
    Broken,
    /// It could not be looked at; the detail says what is needed.
    NotSeen,
}

/// The ledger's sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    /// On the normal side, by purpose.
    by_purpose: BTreeMap<String, Sums>,
    is_balanced: bool,
    currencies: usize,
}

/// What the provider did for one transaction, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Record {
    captured: i64,
    refunded: i64,
    charged_back: i64,
}

/// What the provider's record says of our payments.
#[derive(Clone, Debug, Default)]
struct Facts {
    /// By transaction.
    records: HashMap<String, Record>,
    /// By the provider's id: our transaction.
    payments: HashMap<String, String>,
    /// Days on whose reports the facts are, as `2018-08-09`.
    days: BTreeSet<String>,
}

// === impl Check ===

impl Check {
    /// A check that was made.
    pub(super) fn of(name: &'static str, holds: bool, detail: impl Into<String>) -> Self {
        let verdict = if holds {
            Verdict::Holds
        } else {
            Verdict::Broken
        };
        Self {
            name,
            verdict,
            detail: detail.into(),
        }
    }

    /// A check that could not be made.
    pub(super) fn not_seen(name: &'static str, needs: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::NotSeen,
            detail: needs.into(),
        }
    }

    /// All is well when nothing differs.
    fn none_differs(name: &'static str, differences: &[String], detail: String) -> Self {
        if differences.is_empty() {
            return Self::of(name, true, detail);
        }
        let told: Vec<&str> = differences
            .iter()
            .take(MOST_TOLD)
            .map(String::as_str)
            .collect();
        let more = differences.len().saturating_sub(told.len());
        let more = if more == 0 {
            String::new()
        } else {
            format!("; and {more} more")
        };
        Self::of(name, false, format!("{}{more}", told.join("; ")))
    }
}

// === impl Books ===

impl Books {
    /// Reads the trial balance.
    ///
    /// # Errors
    /// When the platform refuses or does not answer.
    pub(super) async fn read(rest: &Rest) -> Result<Self> {
        let body = rest
            .get("/v1/ledger/trial-balance")
            .await?
            .good("the trial balance")?;
        let list = |name: &str| body.get(name).and_then(Value::as_array);
        let mut books = Self::default();
        for line in list("lines").into_iter().flatten() {
            let minor = |name: &str| line.get(name).and_then(Value::as_i64).unwrap_or(0);
            let debits = minor("debits_posted_minor") - minor("credits_posted_minor");
            let is_debit = matches!(text_at(line, "/class"), "asset" | "expense" | "position");
            books
                .by_purpose
                .entry(text_at(line, "/purpose").to_owned())
                .or_default()
                .put(
                    text_at(line, "/currency"),
                    if is_debit { debits } else { -debits },
                );
        }
        books.is_balanced = list("totals").into_iter().flatten().all(|total| {
            let minor = |name: &str| total.get(name).and_then(Value::as_i64);
            minor("debits_posted_minor") == minor("credits_posted_minor")
                && minor("debits_pending_minor") == minor("credits_pending_minor")
                && total.get("balanced") == Some(&Value::Bool(true))
        });
        books.currencies = list("totals").map_or(0, Vec::len);
        Ok(books)
    }

    /// Sums of one purpose.
    pub(super) fn of(&self, purpose: &str) -> Sums {
        self.by_purpose.get(purpose).cloned().unwrap_or_default()
    }

    /// Sums of several purposes.
    pub(super) fn of_all(&self, purposes: &[&str]) -> Sums {
        let mut sums = Sums::default();
        for purpose in purposes {
            for (currency, minor) in self.of(purpose).iter() {
                sums.put(currency, minor);
            }
        }
        sums
    }

    /// Debits equal credits in every currency.
    pub(super) const fn is_balanced(&self) -> bool {
        self.is_balanced
    }

    /// The same as a check.
    pub(super) fn balance_check(&self) -> Check {
        let detail = format!("{} currencies", self.currencies);
        Check::of("debits equal credits", self.is_balanced, detail)
    }
}

/// What a chargeback costs beside its amount.
#[derive(Clone, Debug, Default)]
pub(super) struct Charges {
    /// All that the provider charged for disputes.
    pub(super) of_provider: Sums,
    /// What a merchant's plan charges for each, in minor units of its settlement currency.
    pub(super) of_merchants_minor: i64,
}

/// Purposes of what merchants have.
pub(super) const MERCHANTS: [&str; 3] =
    ["merchant_pending", "merchant_available", "merchant_reserve"];

// === free functions ===

/// The ledger against the answers: each class of money, to the minor unit.
pub(super) fn ledger(before: &Books, after: &Books, day: &Day, charges: &Charges) -> Vec<Check> {
    let mut money = Money::with(charges.of_merchants_minor);
    for told in day.told.values() {
        money.add(told);
    }
    let moved = |purposes: &[&str]| after.of_all(purposes).less(&before.of_all(purposes));
    let mut differences = Vec::new();
    for (name, booked, told) in [
        (
            "the provider's debt",
            moved(&["connector_receivable"]),
            money.receivable.less(&charges.of_provider),
        ),
        (
            "customers' balances",
            moved(&["customer_balance"]),
            money.customers,
        ),
        ("merchants' balances", moved(&MERCHANTS), money.merchants),
        ("fees", moved(&["fee_revenue"]), money.fees),
    ] {
        let rest = booked.less(&told);
        differences.extend(rest.iter().map(|(currency, minor)| {
            format!("{name}: {minor} minor units of {currency} more in the ledger")
        }));
    }
    let clearing = after.of("clearing");
    let left: Vec<String> = clearing
        .iter()
        .map(|(currency, minor)| format!("{minor} minor units of {currency}"))
        .collect();
    vec![
        after.balance_check(),
        Check::none_differs("nothing is left in clearing", &left, String::new()),
        Check::none_differs(
            "the ledger is what the answers come to",
            &differences,
            "provider, customers, merchants and fees, to the cent".to_owned(),
        ),
    ]
}

/// The databases against the answers: every transaction of the run, as the read model has it.
///
/// # Errors
/// When the platform refuses or does not answer.
pub(super) async fn databases(rest: &Rest, run: &str, day: &Day) -> Result<Check> {
    let until = Instant::now() + PATIENCE;
    let path = format!("/v1/transactions?purpose={run}&limit=100");
    loop {
        let stored: HashMap<String, Told> = all(rest, &path)
            .await?
            .iter()
            .filter_map(Told::read)
            .map(|told| (told.id.clone(), told))
            .collect();
        let differences = differences(&day.told, &stored);
        if differences.is_empty() || Instant::now() > until {
            let detail = format!("{} transactions, one by one", stored.len());
            return Ok(Check::none_differs(
                "the databases hold what was answered",
                &differences,
                detail,
            ));
        }
        tokio::time::sleep(PACE).await;
    }
}

fn differences(told: &HashMap<String, Told>, stored: &HashMap<String, Told>) -> Vec<String> {
    let mut differences = Vec::new();
    for (id, told) in told {
        match stored.get(id) {
            None => differences.push(format!("{id} is not stored")),
            Some(stored) => {
                let facts = |told: &Told| {
                    (
                        told.status.clone(),
                        told.amount.clone(),
                        told.captured.clone(),
                        told.refunded.clone(),
                    )
                };
                if facts(told) != facts(stored) {
                    differences.push(format!(
                        "{id} was answered as {:?} and is stored as {:?}",
                        facts(told),
                        facts(stored)
                    ));
                }
            }
        }
    }
    let strangers = stored.keys().filter(|id| !told.contains_key(*id));
    differences.extend(strangers.map(|id| format!("{id} is stored and was never answered")));
    differences
}

/// The provider's record against the answers: captured, refunded and charged back, payment by payment. Gives the days, too, on whose
/// reports the payments are.
///
/// # Errors
/// When the provider refuses or does not answer.
pub(super) async fn provider(provider: &Rest, day: &Day) -> Result<(Check, BTreeSet<String>)> {
    let mut facts = Facts::default();
    let mut after = 0_u64;
    loop {
        let path = format!("/v1/record?after={after}&limit={RECORD_PAGE}");
        let page = provider.get(&path).await?.good("the provider's record")?;
        for fact in page
            .get("data")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            facts.take(fact, |transaction| day.told.contains_key(transaction));
        }
        let next = page.get("next_after").and_then(Value::as_u64);
        match next.filter(|_| page.get("has_more") == Some(&Value::Bool(true))) {
            Some(next) if next > after => after = next,
            _ => break,
        }
    }
    let mut seen = 0_usize;
    let mut differences = Vec::new();
    for told in day.told.values().filter(|told| !told.attempt.is_empty()) {
        let sum = |kind| -> i64 { told.done(kind).map(|back| back.amount.minor).sum() };
        let charged_back = sum("chargeback") - sum("chargeback_reversal");
        let ours = Record {
            captured: told.captured.minor,
            refunded: sum("refund"),
            charged_back,
        };
        let theirs = facts.records.get(&told.id).copied().unwrap_or_default();
        seen += 1;
        if ours != theirs {
            differences.push(format!(
                "{} ({}): {ours:?} here, {theirs:?} there",
                told.id, told.status
            ));
        }
    }
    let detail = format!("{seen} payments, one by one");
    let check = Check::none_differs("the provider's record is the same", &differences, detail);
    Ok((check, facts.days))
}

// === impl Facts ===

impl Facts {
    /// Adds a fact about a payment of ours.
    fn take(&mut self, fact: &Value, is_ours: impl Fn(&str) -> bool) {
        let kind = text_at(fact, "/type");
        if kind == "payment_created" {
            // Ours are `txn_…:step:direction`.
            let reference = text_at(fact, "/payment/reference");
            let transaction = reference.split(':').next().unwrap_or_default();
            if is_ours(transaction) {
                let payment = text_at(fact, "/payment/id").to_owned();
                self.payments.insert(payment, transaction.to_owned());
            }
            return;
        }
        let Some(transaction) = self.payments.get(text_at(fact, "/payment_id")) else {
            return;
        };
        let part = match kind {
            "capture_made" => "capture",
            "refund_made" => "refund",
            "refund_failed" => "failure",
            "dispute_opened" => "dispute",
            "dispute_closed" => "closing",
            _ => return,
        };
        let of = |field: &str| text_at(fact, &format!("/{part}/{field}"));
        let minor = fact.pointer(&format!("/{part}/amount/minor"));
        let minor = minor.and_then(Value::as_i64).unwrap_or(0);
        let record = self.records.entry(transaction.clone()).or_default();
        match kind {
            "capture_made" if of("status") == "succeeded" => record.captured += minor,
            "refund_made" if of("status") == "succeeded" => record.refunded += minor,
            "refund_failed" => record.refunded -= minor,
            "dispute_opened" => record.charged_back += minor,
            "dispute_closed" if of("verdict") == "won" => record.charged_back -= minor,
            _ => return,
        }
        self.days.insert(of("settlement_date").to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(id: &str, status: &str) -> (String, Told) {
        let amount = json!({ "minor": 100, "currency": "EUR" });
        let body = json!({ "id": id, "kind": "purchase", "status": status, "amount": amount });
        (
            id.to_owned(),
            Told::read(&body).expect("the body is a transaction"),
        )
    }

    #[test]
    fn a_transaction_that_is_missing_or_other_or_a_stranger_is_told() {
        let answered = HashMap::from([told("txn_1", "completed"), told("txn_2", "completed")]);
        let stored = HashMap::from([told("txn_2", "declined"), told("txn_3", "completed")]);
        assert_eq!(differences(&answered, &stored).len(), 3);
        assert!(differences(&answered, &answered.clone()).is_empty());
    }

    #[test]
    fn the_providers_record_is_added_up_by_our_reference() {
        let amount = |minor: i64| json!({ "minor": minor, "currency": "EUR" });
        let facts = [
            json!({ "type": "payment_created", "payment": { "id": "pay_1", "reference": "txn_1:authorize:forward" } }),
            json!({ "type": "capture_made", "payment_id": "pay_1", "capture": { "amount": amount(500), "status": "succeeded", "settlement_date": "2018-08-09" } }),
            json!({ "type": "refund_made", "payment_id": "pay_1", "refund": { "amount": amount(200), "status": "succeeded", "settlement_date": "2018-08-09" } }),
            json!({ "type": "refund_failed", "payment_id": "pay_1", "failure": { "amount": amount(200), "settlement_date": "2018-08-10" } }),
            json!({ "type": "dispute_opened", "payment_id": "pay_1", "dispute": { "amount": amount(500), "settlement_date": "2018-08-10" } }),
            json!({ "type": "capture_made", "payment_id": "pay_9", "capture": { "amount": amount(1), "status": "succeeded" } }),
        ];
        let mut seen = Facts::default();
        for fact in &facts {
            seen.take(fact, |transaction| transaction == "txn_1");
        }
        let record = Record {
            captured: 500,
            refunded: 0,
            charged_back: 500,
        };
        assert_eq!(seen.records, HashMap::from([("txn_1".to_owned(), record)]));
        assert!(seen.days.iter().eq(["2018-08-09", "2018-08-10"]));
    }
}
