//! The day is closed: batches are cut, merchants are paid out, and ledger, provider and bank are reconciled.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::Result;
use paymesh_kernel::{Clock as _, SystemClock, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    check::{Books, Check, Verdict},
    disputes::all,
    prepare::{Prepared, moment, next_day, ordered},
    story::{Amount, Sums},
    world::World,
};
use crate::rest::{Answer, Rest, text_at};

/// How long positions may take to be released, and payouts to be sent and seen on the bank's statement.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PACE: Duration = Duration::from_millis(250);
/// Payouts are asked for so long after the day's end: the morning after.
const MORNING_SECONDS: i64 = 6 * 3_600;
/// Requests at once.
const AT_ONCE: usize = 16;
/// Lines of a provider's or bank's file on a page.
const FILE_PAGE: &str = "limit=100000";
/// Breaks that are told one by one.
const MOST_TOLD: usize = 3;
const RECONCILED: &str = "ledger, provider and bank agree";

/// Where the provider and the bank can be asked; without them there is nothing to reconcile with.
#[derive(Clone, Debug)]
pub(super) struct Counterparts {
    pub(super) provider: Rest,
    pub(super) bank: Rest,
}

/// What is closed.
#[derive(Debug)]
pub(super) struct Closing<'a> {
    pub(super) rest: &'a Rest,
    pub(super) counterparts: Option<&'a Counterparts>,
    pub(super) run: &'a str,
    pub(super) world: &'a World,
    pub(super) prepared: &'a Prepared,
    pub(super) day_start: i64,
    /// By the clock: what was cut before is not of this run.
    pub(super) started_at: Timestamp,
    /// Days on whose provider reports the payments are.
    pub(super) report_days: BTreeSet<String>,
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Closed {
    /// Batches that were cut.
    pub(super) batches: u64,
    /// Transactions in them.
    pub(super) transactions: u64,
    /// What merchants get, by currency, in minor units.
    pub(super) net: BTreeMap<String, i64>,
    /// Payouts by state.
    pub(super) payouts: BTreeMap<String, u64>,
    /// What was paid out, by currency, in minor units.
    pub(super) paid_out: BTreeMap<String, i64>,
    /// Lines of the provider's report and the bank's statement.
    pub(super) lines: u64,
    /// Lines that agree.
    pub(super) matched: u64,
    /// Lines and entries that do not.
    pub(super) breaks: u64,
}

// === impl Closing ===

impl Closing<'_> {
    /// Closes the day.
    ///
    /// # Errors
    /// When a part of the platform refuses or does not answer.
    pub(super) async fn run(&self) -> Result<(Closed, Vec<Check>)> {
        let mut closed = Closed::default();
        let mut checks = Vec::new();
        self.cut().await?;
        let pending = self.released().await?;
        checks.push(Check::of(
            "what merchants earned is theirs",
            pending == 0,
            if pending == 0 {
                "nothing is pending".to_owned()
            } else {
                format!("still pending in {pending} currencies")
            },
        ));
        let payouts = self.pay_out().await?;
        self.wait(&payouts, &["reserved", "unknown"]).await?;
        if let Some(counterparts) = self.counterparts {
            closed.lines = self.import(counterparts).await?;
            self.wait(&payouts, &["reserved", "unknown", "sent"])
                .await?;
        }
        self.add_batches(&mut closed).await?;
        self.add_payouts(&payouts, &mut closed).await?;
        let Some(_) = self.counterparts else {
            let needs = "needs --provider-url and --bank-url";
            checks.push(Check::not_seen(RECONCILED, needs));
            return Ok((closed, checks));
        };
        checks.push(self.reconcile(&mut closed).await?);
        let failed = closed.payouts.keys().any(|state| state != "confirmed");
        checks.push(Check::of(
            "every payout is on the bank's statement",
            !failed,
            told(&closed.payouts),
        ));
        Ok((closed, checks))
    }

    /// Currencies that merchants settle in.
    fn settlement_currencies(&self) -> BTreeSet<&'static str> {
        let merchants = self.world.merchants.iter();
        merchants
            .map(|merchant| merchant.settlement_currency)
            .collect()
    }

    /// Every currency of the day: settled in or paid in.
    fn currencies(&self) -> BTreeSet<&'static str> {
        let homes = super::world::COUNTRIES.iter();
        let homes = homes.map(|country| country.currency);
        self.settlement_currencies()
            .into_iter()
            .chain(homes)
            .collect()
    }

    async fn cut(&self) -> Result<()> {
        for currency in self.settlement_currencies() {
            let key = format!("{}-batch-{currency}", self.run);
            let body = json!({ "currency": currency });
            let batch = self.made("/v1/settlement/batches", &key, &body).await?;
            let path = format!("/v1/settlement/batches/{}/close", text_at(&batch, "/id"));
            self.made(&path, &format!("{key}-close"), &json!({}))
                .await?;
        }
        Ok(())
    }

    /// Adds up what was cut. The platform cuts batches by itself too, when something is due.
    async fn add_batches(&self, closed: &mut Closed) -> Result<()> {
        for batch in self.cut_batches().await? {
            let closed_at = Timestamp::parse(text_at(&batch, "/closed_at"));
            if !closed_at.is_ok_and(|at| at >= self.started_at) {
                continue;
            }
            let count = batch.get("transaction_count").and_then(Value::as_u64);
            closed.batches += 1;
            closed.transactions += count.unwrap_or(0);
            if let Some(net) = Amount::read(batch.get("net")) {
                *closed.net.entry(net.currency).or_default() += net.minor;
            }
        }
        Ok(())
    }

    /// Every batch, when those that were cut are computed.
    async fn cut_batches(&self) -> Result<Vec<Value>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let batches = all(self.rest, "/v1/settlement/batches?limit=100").await?;
            let is_computed = |batch: &Value| matches!(text_at(batch, "/state"), "open" | "closed");
            if batches.iter().all(is_computed) || Instant::now() > until {
                return Ok(batches);
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// Waits until nothing is pending for merchants; gives the number of currencies in which something is.
    async fn released(&self) -> Result<usize> {
        let until = Instant::now() + PATIENCE;
        loop {
            let books = Books::read(self.rest).await?;
            let pending = books.of("merchant_pending").iter().count();
            if pending == 0 || Instant::now() > until {
                return Ok(pending);
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// Asks for a payout of all that a merchant has, for every merchant; gives those that there was something for.
    async fn pay_out(&self) -> Result<Vec<String>> {
        let at = self.morning().to_string();
        let ask = |(number, (id, merchant)): (usize, (&String, &super::world::Merchant))| {
            let body = json!({
                "currency": merchant.settlement_currency,
                "owner": { "kind": "merchant", "id": id },
                "business_at": at,
            });
            let key = format!("{}-payout-{number}", self.run);
            async move {
                let answer = self.rest.post("/v1/payouts", &key, &body).await?;
                if answer.text_at("/reason") == "INSUFFICIENT_FUNDS" {
                    return Ok(None);
                }
                let payout = answer.good("a payout")?;
                Ok(Some(text_at(&payout, "/id").to_owned()))
            }
        };
        let merchants = self.prepared.merchants.iter().zip(&self.world.merchants);
        let asked = ordered(merchants.enumerate().map(ask), AT_ONCE);
        let asked: Vec<Option<String>> = futures::TryStreamExt::try_collect(asked).await?;
        Ok(asked.into_iter().flatten().collect())
    }

    async fn read(&self, payouts: &[String]) -> Result<Vec<Value>> {
        let read = ordered(
            payouts.iter().map(|id| async move {
                let path = format!("/v1/payouts/{id}");
                self.rest.get(&path).await?.good("a payout")
            }),
            AT_ONCE,
        );
        futures::TryStreamExt::try_collect(read).await
    }

    /// Waits until no payout is in one of these states.
    async fn wait(&self, payouts: &[String], states: &[&str]) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let read = self.read(payouts).await?;
            let waits = read
                .iter()
                .any(|payout| states.contains(&text_at(payout, "/state")));
            if !waits || Instant::now() > until {
                return Ok(());
            }
            tokio::time::sleep(PACE).await;
        }
    }

    async fn add_payouts(&self, payouts: &[String], closed: &mut Closed) -> Result<()> {
        for payout in self.read(payouts).await? {
            let state = text_at(&payout, "/state").to_owned();
            *closed.payouts.entry(state).or_default() += 1;
            if let Some(amount) = Amount::read(payout.get("amount")) {
                *closed.paid_out.entry(amount.currency).or_default() += amount.minor;
            }
        }
        Ok(())
    }

    /// Has the provider close the day, and takes its report and the bank's statement in; gives their lines.
    async fn import(&self, counterparts: &Counterparts) -> Result<u64> {
        let Some(last) = self.report_days.last() else {
            return Ok(0);
        };
        let key = format!("{}-close", self.run);
        let body = json!({ "date": last });
        let answer = counterparts
            .provider
            .post("/v1/settlements", &key, &body)
            .await?;
        answer.good("the provider does not close the day")?;
        self.deposited(counterparts).await?;
        let mut lines = 0;
        for day in &self.report_days {
            let report = format!("/v1/reports/settlement?date={day}&{FILE_PAGE}");
            let file = counterparts.provider.get(&report).await?;
            let what = "kind=provider&source=simulated";
            lines += self.take(what, day, file).await?;
        }
        // Payouts are booked the day after, and the provider's deposit by the clock.
        let today = SystemClock.now().as_micros().div_euclid(1_000_000);
        let booked = [self.day_start, next_day(self.day_start), today].map(date);
        for day in BTreeSet::from(booked) {
            let statement = format!("/v1/statements?date={day}&{FILE_PAGE}");
            let file = counterparts.bank.get(&statement).await?;
            lines += self.take("kind=bank&source=bank", &day, file).await?;
        }
        Ok(lines)
    }

    /// Waits until the bank has what the provider pays.
    async fn deposited(&self, counterparts: &Counterparts) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = counterparts.provider.get("/v1/status").await?.body;
            let waiting = status.get("deposits_pending").and_then(Value::as_u64);
            if waiting.unwrap_or(0) == 0 || Instant::now() > until {
                return Ok(());
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// Takes a file in; one of a line, which names the columns, has nothing to take.
    async fn take(&self, what: &str, day: &str, file: Answer) -> Result<u64> {
        if !file.is_good() || file.text.lines().count() < 2 {
            return Ok(0);
        }
        let path = format!("/v1/settlement/statements?{what}");
        let whose = what.split('&').next().unwrap_or_default();
        let key = format!("{}-{day}-{whose}", self.run);
        let content = ("text/csv", bytes::Bytes::from(file.text));
        let answer = self.rest.post_bytes(&path, &key, content).await?;
        let statement = answer.good("a statement is not taken")?;
        let lines = statement.get("line_count").and_then(Value::as_u64);
        Ok(lines.unwrap_or(0))
    }

    async fn reconcile(&self, closed: &mut Closed) -> Result<Check> {
        let from = moment(self.day_start);
        let today = SystemClock.now().as_micros().div_euclid(1_000_000);
        let until = moment(next_day(today.max(next_day(self.day_start))));
        for currency in self.currencies() {
            let key = format!("{}-reconcile-{currency}", self.run);
            let body = json!({ "currency": currency, "from": from, "until": until });
            let found = self
                .made("/v1/settlement/reconciliations", &key, &body)
                .await?;
            let count = |name: &str| found.get(name).and_then(Value::as_u64).unwrap_or(0);
            closed.matched += count("matched_count");
            closed.breaks += count("break_count");
        }
        let breaks = if closed.breaks == 0 {
            Vec::new()
        } else {
            all(self.rest, "/v1/settlement/breaks?limit=100").await?
        };
        let some: Vec<String> = breaks
            .iter()
            .take(MOST_TOLD)
            .map(|one| format!("{} {}", text_at(one, "/kind"), text_at(one, "/reference")))
            .collect();
        let detail = if some.is_empty() {
            format!("{} lines matched, no break", closed.matched)
        } else {
            format!("{} breaks, such as {}", closed.breaks, some.join(", "))
        };
        Ok(Check::of(RECONCILED, closed.breaks == 0, detail))
    }

    fn morning(&self) -> Timestamp {
        moment(next_day(self.day_start).saturating_add(MORNING_SECONDS))
    }

    async fn made(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        self.rest.post(path, key, body).await?.good(path)
    }
}

// === free functions ===

/// The ledger when what was closed is booked to its end: a statement may be booked some seconds after it was taken.
///
/// # Errors
/// When the platform refuses or does not answer.
pub(super) async fn night(
    rest: &Rest,
    before: &Books,
    is_reconciled: bool,
) -> Result<(Books, Vec<Check>)> {
    let until = Instant::now() + PATIENCE;
    loop {
        let books = Books::read(rest).await?;
        let checks = ledger(before, &books, is_reconciled);
        let all_hold = checks.iter().all(|check| check.verdict == Verdict::Holds);
        if all_hold || Instant::now() > until {
            return Ok((books, checks));
        }
        tokio::time::sleep(PACE).await;
    }
}

/// The ledger after the day was closed: still balanced, and nothing is left on its way.
fn ledger(before: &Books, after: &Books, is_reconciled: bool) -> Vec<Check> {
    let mut checks = vec![after.balance_check()];
    if !is_reconciled {
        return checks;
    }
    for (name, purpose) in [
        ("the provider owes nothing any more", "connector_receivable"),
        ("no payout is on its way", "payout_in_transit"),
        ("nothing is in suspense", "suspense"),
    ] {
        let left: Sums = after.of(purpose).less(&before.of(purpose));
        let left: Vec<String> = left
            .iter()
            .map(|(currency, minor)| format!("{minor} minor units of {currency}"))
            .collect();
        checks.push(Check::of(name, left.is_empty(), left.join(", ")));
    }
    checks
}

/// True when a day that was closed is worth a look at the ledger again.
pub(super) fn is_reconciled(checks: &[Check]) -> bool {
    checks
        .iter()
        .any(|check| check.name == RECONCILED && check.verdict != Verdict::NotSeen)
}

fn told(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    counts.join(", ")
}

fn date(unix_seconds: i64) -> String {
    let text = moment(unix_seconds).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
