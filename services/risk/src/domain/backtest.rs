//! What rules would have done: counts over past payments.

use std::collections::BTreeMap;

use super::{
    Features, Lists, Payment, RuleSet, Thresholds, Windows,
    verdict::{Decision, judge},
};
use paymesh_kernel::id::TenantId;

/// Rules that are tried, and what they are tried together with.
#[derive(Debug)]
pub struct Trial {
    /// All that take part.
    pub rules: RuleSet,
    /// Lists that take part.
    pub lists: Lists,
    /// When the score decides by itself.
    pub thresholds: Thresholds,
}

/// What one rule came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Payments for which it held.
    pub matched: u64,
    /// Frauds among them.
    pub frauds: u64,
}

/// What all came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Payments looked at.
    pub payments: u64,
    /// Frauds among them.
    pub frauds: u64,
    /// One for each rule.
    pub lines: Vec<Line>,
    /// How often each decision would have come out.
    pub decisions: BTreeMap<&'static str, u64>,
}

/// Whether a past payment was fraud, as is known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It was.
    Fraud,
    /// Nobody said so.
    Honest,
}

// === impl Tally ===

impl Tally {
    /// Nothing looked at yet.
    #[must_use]
    pub fn of(trial: &Trial) -> Self {
        let line = |name: &str| Line {
            name: name.to_owned(),
            ..Line::default()
        };
        Self {
            lines: trial
                .rules
                .rules()
                .iter()
                .map(|rule| line(&rule.name))
                .collect(),
            ..Self::default()
        }
    }

    /// Looks at one payment, at its place in the order of time.
    pub fn add(
        &mut self,
        trial: &Trial,
        (tenant, windows): (TenantId, &Windows),
        payment: &Payment,
        truth: Truth,
    ) {
        let features = windows.observe(tenant, payment);
        let is_fraud = u64::from(truth == Truth::Fraud);
        self.payments += 1;
        self.frauds += is_fraud;
        for (line, rule) in self.lines.iter_mut().zip(trial.rules.rules()) {
            if rule.expression.holds(payment, &features) {
                line.matched += 1;
                line.frauds += is_fraud;
            }
        }
        let decision = decided(trial, payment, &features);
        *self.decisions.entry(decision.as_str()).or_default() += 1;
    }
}

// === impl Line ===

impl Line {
    /// Frauds among the matched, in basis points.
    #[must_use]
    pub fn precision_bp(&self) -> i64 {
        basis_points(self.frauds, self.matched)
    }

    /// Matched among the frauds, in basis points.
    #[must_use]
    pub fn recall_bp(&self, frauds: u64) -> i64 {
        basis_points(self.frauds, frauds)
    }
}

fn decided(trial: &Trial, payment: &Payment, features: &Features) -> Decision {
    judge(
        &trial.rules,
        &trial.lists,
        (payment, features),
        trial.thresholds,
    )
    .decision
}

fn basis_points(part: u64, whole: u64) -> i64 {
    let share = u128::from(part) * 10_000;
    let share = share.checked_div(u128::from(whole)).unwrap_or(0);
    i64::try_from(share).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_basis_points_and_of_nothing_is_nothing() {
        let line = Line {
            name: String::new(),
            matched: 8,
            frauds: 3,
        };
        assert_eq!(line.precision_bp(), 3_750);
        assert_eq!(line.recall_bp(4), 7_500);
        assert_eq!(Line::default().precision_bp(), 0);
        assert_eq!(Line::default().recall_bp(0), 0);
    }
}
