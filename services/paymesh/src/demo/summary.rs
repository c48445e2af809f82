//! What came of the day: figures for machines, and a page for people.

mod page;

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    check::{Books, Check, MERCHANTS, Verdict},
    close::Closed,
    disputes::Disputes,
    player::Day,
    story::{Sums, Told},
};

pub(super) use page::page;

/// The summary. Field names are what `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    /// The day that was played, as `2018-08-09`.
    pub(super) date: String,
    pub(super) seed: u64,
    /// Card payments, not counting those of zero cents.
    pub(super) payments: u64,
    pub(super) completed: u64,
    pub(super) declined: u64,
    /// Refused, undone or without an answer.
    pub(super) failed: u64,
    /// Transactions of any kind that are not at their end.
    pub(super) stuck: u64,
    pub(super) ledger_balanced: bool,
    /// None when it could not be seen.
    pub(super) events_pending: Option<u64>,
    pub(super) payments_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Why payments were declined.
    pub(super) declines: BTreeMap<String, u64>,
    pub(super) mixed: Mixed,
    pub(super) risk: Vec<Stopped>,
    /// Genuine payments that risk stopped, or asked a person about.
    pub(super) false_alarms: FalseAlarms,
    /// By class, then by currency, in minor units: what the day added.
    pub(super) money: BTreeMap<&'static str, BTreeMap<String, i64>>,
    pub(super) settlement: Closed,
    pub(super) checks: Vec<Check>,
    /// What went wrong, in words; the first of them.
    pub(super) troubles: Vec<String>,
}

/// What was mixed into the card payments.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Mixed {
    pub(super) top_ups: u64,
    pub(super) transfers: u64,
    pub(super) transfers_declined: u64,
    /// Transactions with an exchange.
    pub(super) exchanges: u64,
    /// By state.
    pub(super) refunds: BTreeMap<String, u64>,
    pub(super) disputes: Disputes,
}

/// What risk did about one scenario of the handbook.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Stopped {
    pub(super) scenario: &'static str,
    pub(super) frauds: u64,
    /// Denied, or rejected by the reviewer whom risk asked.
    pub(super) stopped: u64,
    /// Declined by the card's bank or the provider before any money moved.
    pub(super) declined_otherwise: u64,
}

/// Genuine payments that risk did not just let pass.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct FalseAlarms {
    pub(super) denied: u64,
    /// A person looked, and let them pass.
    pub(super) reviewed: u64,
}

// === impl Summary ===

impl Summary {
    /// Adds the day up.
    pub(super) fn of(day: &Day, disputes: Disputes, (before, after): (&Books, &Books)) -> Self {
        let mut summary = Self::empty(disputes);
        summary.add_purchases(day);
        summary.add_mixed(day);
        summary.add_speed(day);
        summary.add_money(before, after);
        summary.ledger_balanced = after.is_balanced();
        summary.stuck = count(day.told.values().filter(|told| !told.is_at_rest()));
        summary.troubles = day.troubles.iter().take(10).cloned().collect();
        summary
    }

    /// True when nothing is wrong.
    pub(super) fn is_well(&self) -> bool {
        self.failed == 0
            && self.stuck == 0
            && self.ledger_balanced
            && self.troubles.is_empty()
            && self
                .checks
                .iter()
                .all(|check| check.verdict != Verdict::Broken)
    }

    fn empty(disputes: Disputes) -> Self {
        let scenarios = ["large amounts", "compromised terminals", "stolen card data"];
        Self {
            date: String::new(),
            seed: 0,
            payments: 0,
            completed: 0,
            declined: 0,
            failed: 0,
            stuck: 0,
            ledger_balanced: false,
            events_pending: None,
            payments_per_second: 0.0,
            p50_ms: 0.0,
            p99_ms: 0.0,
            declines: BTreeMap::new(),
            mixed: Mixed {
                disputes,
                ..Mixed::default()
            },
            risk: scenarios
                .map(|scenario| Stopped {
                    scenario,
                    frauds: 0,
                    stopped: 0,
                    declined_otherwise: 0,
                })
                .into(),
            false_alarms: FalseAlarms::default(),
            money: BTreeMap::new(),
            settlement: Closed::default(),
            checks: Vec::new(),
            troubles: Vec::new(),
        }
    }

    fn add_purchases(&mut self, day: &Day) {
        for played in &day.purchases {
            self.payments += 1;
            let told = day.of(played);
            match told.map(|told| told.status.as_str()) {
                Some("completed") => self.completed += 1,
                Some("declined") => self.declined += 1,
                Some("canceled" | "compensated" | "abandoned") | None => self.failed += 1,
                // Not at its end: counted as stuck.
                Some(_) => {}
            }
            let decline = told.map_or("", |told| told.decline.as_str());
            if !decline.is_empty() {
                *self.declines.entry(decline.to_owned()).or_default() += 1;
            }
            let by_risk = matches!(decline, "risk_denied" | "review_rejected");
            match played.purchase.fraud {
                Some(scenario) => {
                    let place = usize::from(scenario.number()).saturating_sub(1);
                    if let Some(line) = self.risk.get_mut(place) {
                        line.frauds += 1;
                        line.stopped += u64::from(by_risk);
                        line.declined_otherwise += u64::from(!by_risk && !decline.is_empty());
                    }
                }
                None => {
                    self.false_alarms.denied += u64::from(by_risk);
                    self.false_alarms.reviewed += u64::from(played.was_reviewed && !by_risk);
                }
            }
        }
    }

    fn add_mixed(&mut self, day: &Day) {
        let of = |kind: &'static str, status: &'static str| {
            let is_it = move |told: &&Told| told.kind == kind && told.status == status;
            count(day.told.values().filter(is_it))
        };
        self.mixed.top_ups = of("top_up", "completed");
        self.mixed.transfers = of("transfer", "completed");
        self.mixed.transfers_declined = of("transfer", "declined");
        self.mixed.exchanges = count(
            day.told
                .values()
                .filter(|told| told.status == "completed" && told.exchange.is_some()),
        );
        self.mixed.refunds = day
            .refunds
            .iter()
            .map(|(state, refunds)| (state.clone(), *refunds))
            .collect();
    }

    fn add_speed(&mut self, day: &Day) {
        let mut took: Vec<Duration> = day.purchases.iter().map(|played| played.took).collect();
        took.sort_unstable();
        let seconds = day.took.as_secs_f64().max(0.001);
        self.payments_per_second = tenths(as_f64(self.payments) / seconds);
        self.p50_ms = percentile(&took, 50);
        self.p99_ms = percentile(&took, 99);
    }

    fn add_money(&mut self, before: &Books, after: &Books) {
        let classes: [(&str, &[&str]); 6] = [
            ("provider_owes", &["connector_receivable"]),
            ("merchants", &MERCHANTS),
            ("customers", &["customer_balance"]),
            ("fees", &["fee_revenue"]),
            ("exchange_spread", &["fx_spread"]),
            ("provider_fees", &["connector_fees"]),
        ];
        for (class, purposes) in classes {
            let sums: Sums = after.of_all(purposes).less(&before.of_all(purposes));
            let by_currency: BTreeMap<String, i64> = sums
                .iter()
                .map(|(currency, minor)| (currency.to_owned(), minor))
                .collect();
            if !by_currency.is_empty() {
                self.money.insert(class, by_currency);
            }
        }
    }

    /// All frauds, and those that risk stopped.
    pub(super) fn frauds(&self) -> (u64, u64) {
        let sum = |of: fn(&Stopped) -> u64| self.risk.iter().map(of).sum();
        (sum(|line| line.frauds), sum(|line| line.stopped))
    }
}

// === free functions ===

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

/// A count as a number to divide.
pub(super) fn as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Milliseconds within which so many in a hundred were answered.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    let took = sorted.get(rank).copied().unwrap_or_default();
    tenths(took.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_that_covers_so_many() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert!((percentile(&sorted, 50) - 100.0).abs() < f64::EPSILON);
        assert!((percentile(&sorted, 99) - 198.0).abs() < f64::EPSILON);
        assert!(percentile(&[], 99).abs() < f64::EPSILON);
    }
}
