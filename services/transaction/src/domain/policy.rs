//! Limits of sagas, from the configuration.

use std::{collections::BTreeMap, time::Duration};

use paymesh_kernel::{Timestamp, backoff::Backoff};
use paymesh_money::{Currency, Money};

/// Limits of sagas.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Failures in a row before the pivot after which a saga turns back.
    pub forward_failures: u32,
    /// Failures in a row after which undoing is stuck.
    pub undo_failures: u32,
    /// Waits between tries.
    pub backoff: Backoff,
    /// A review that nobody decides is rejected after this.
    pub review_limit: Duration,
    /// An authorization whose end the provider does not say ends after this.
    pub authorization_limit: Duration,
    /// An action whose end the provider does not say ends after this.
    pub action_limit: Duration,
    /// What may pass when risk cannot be asked; a currency that is not here may not.
    pub unassessed: BTreeMap<Currency, i64>,
}

/// The moment of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the clock.
    pub now: Timestamp,
    /// For jitter.
    pub entropy: u64,
}

// === impl Policy ===

impl Policy {
    /// True when a transaction of this amount may go on without an answer of risk (T11).
    #[must_use]
    pub fn may_pass_unassessed(&self, amount: Money) -> bool {
        self.unassessed
            .get(&amount.currency())
            .is_some_and(|limit| amount.minor() <= *limit)
    }

    /// When to try again after so many failures in a row.
    #[must_use]
    pub fn again(&self, failures: u32, moment: Moment) -> Timestamp {
        moment
            .now
            .plus(self.backoff.wait(failures.max(1), moment.entropy))
    }
}
