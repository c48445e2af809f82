//! What rules would have done: stored payments are played again, in the order of business time, into windows of their own.

use std::collections::HashMap;

use paymesh_kernel::{Principal, Timestamp, id::TenantId};

use super::{App, tenants::label_of};
use crate::{
    domain::{
        DecisionId, Label, LabelKind, Lists, Past, Rule, RuleSet, Windows,
        backtest::{Tally, Trial, Truth},
        series::RETENTION_US,
    },
    error::Error,
    store::{self, Cut, Place, Range},
};

/// Payments read and looked at in one go.
const PAGE: u64 = 5_000;
/// Labels that are taken into account.
const MAX_LABELS: u64 = 1_000_000;

/// What is tried.
#[derive(Clone, Debug)]
pub(crate) struct Backtest {
    /// Rules that are tried; their ids mean nothing.
    pub(crate) rules: Vec<Rule>,
    /// Which payments are looked at.
    pub(crate) business: Range,
    /// How many at most.
    pub(crate) limit: u64,
    /// What else takes part.
    pub(crate) company: Company,
}

/// What takes part beside the rules that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// Nothing.
    Alone,
    /// The enabled rules and the lists, as they are now.
    Enabled,
}

/// A run under way. It moves between threads as a whole.
struct Run {
    trial: Trial,
    tenant: TenantId,
    windows: Windows,
    tally: Tally,
    /// By the moment they became known, the latest first.
    labels: Vec<Label>,
    truth: HashMap<DecisionId, Truth>,
    /// Payments before this one only fill the windows.
    from_us: i64,
    left: u64,
}

// === impl App ===

impl App {
    /// Tries rules on past payments, without any effect.
    ///
    /// # Errors
    /// When an expression cannot be read or another backtest runs.
    pub(crate) async fn backtest(
        &self,
        principal: &Principal,
        command: Backtest,
    ) -> Result<Tally, Error> {
        let tenant = self.tenant(principal.tenant).await?;
        let permit = self
            .inner
            .backtests
            .try_acquire()
            .map_err(|_| Error::BacktestBusy)?;
        let mut rules = Vec::with_capacity(command.rules.len());
        for (place, rule) in command.rules.iter().enumerate() {
            let field = format!("rules[{place}].expression");
            rules.push(
                rule.compile()
                    .map_err(|source| Error::Expression { field, source })?,
            );
        }
        let lists = match command.company {
            Company::Alone => Lists::default(),
            Company::Enabled => {
                rules.extend(tenant.rules().enabled());
                tenant.copy_of_lists()
            }
        };
        let trial = Trial {
            rules: RuleSet::new(rules),
            lists,
            thresholds: self.settings().thresholds(),
        };
        let warm = command
            .business
            .from_us
            .map(|from| from.saturating_sub(RETENTION_US));
        let since = Timestamp::from_micros(warm.unwrap_or(i64::MIN));
        let labels =
            store::labels::of_payments_since(self.database(), tenant.id, since, MAX_LABELS).await?;
        let labels: Vec<Label> = labels.into_iter().map(|(label, _)| label).collect();
        let range = Range {
            from_us: warm,
            until_us: command.business.until_us,
        };
        let run = Run {
            tally: Tally::of(&trial),
            trial,
            tenant: tenant.id,
            windows: Windows::new(self.settings().limits()),
            truth: truth_of(&labels),
            labels: latest_first(labels),
            from_us: command.business.from_us.unwrap_or(i64::MIN),
            left: command.limit,
        };
        let tally = self.play(run, range).await;
        drop(permit);
        tally
    }

    async fn play(&self, mut run: Run, range: Range) -> Result<Tally, Error> {
        let mut from = None;
        loop {
            let cut = Cut { from, limit: PAGE };
            let page = store::payments::past(self.database(), run.tenant, range, cut).await?;
            let is_last = u64::try_from(page.len()).unwrap_or(0) < PAGE;
            from = page.last().map(|last| Place {
                at: last.payment.business_at.as_micros(),
                id: last.id.as_uuid(),
            });
            let played = tokio::task::spawn_blocking(move || {
                run.play(&page);
                run
            });
            run = played.await.map_err(|_| Error::Stopping)?;
            if is_last || run.left == 0 {
                return Ok(run.tally);
            }
        }
    }
}

// === impl Run ===

impl Run {
    fn play(&mut self, page: &[Past]) {
        for past in page {
            if self.left == 0 {
                return;
            }
            let now = past.payment.business_at;
            while let Some(label) = self.labels.pop_if(|label| label.known_at <= now) {
                self.windows.learn(&label);
            }
            if now.as_micros() < self.from_us {
                self.windows.count(self.tenant, &past.payment);
            } else {
                let truth = self.truth_of(past);
                self.tally.add(
                    &self.trial,
                    (self.tenant, &self.windows),
                    &past.payment,
                    truth,
                );
                self.left -= 1;
            }
            if let Some(known_at) = past.fraud_at {
                self.windows.learn(&label_of(past, known_at));
            }
        }
    }

    fn truth_of(&self, past: &Past) -> Truth {
        match past.fraud_at {
            Some(_) => Truth::Fraud,
            None => self.truth.get(&past.id).copied().unwrap_or(Truth::Honest),
        }
    }
}

fn truth_of(labels: &[Label]) -> HashMap<DecisionId, Truth> {
    let mut truth = HashMap::new();
    for label in labels {
        match label.kind {
            LabelKind::Fraud => {
                truth.entry(label.payment).or_insert(Truth::Fraud);
            }
            LabelKind::Cleared => {
                truth.insert(label.payment, Truth::Honest);
            }
            LabelKind::Failed => {}
        }
    }
    truth
}

fn latest_first(mut labels: Vec<Label>) -> Vec<Label> {
    labels.sort_by_key(|label| std::cmp::Reverse(label.known_at));
    labels
}
