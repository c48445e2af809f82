//! Plans: what a merchant pays, and when it is paid.

use paymesh_money::{BasisPoints, Money};

/// Longest time from pending to available, in days.
pub(crate) const DELAY_LIMIT: i32 = 365;

/// Whether a merchant's balance may go below zero for refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NegativeBalance {
    /// A refund that is not covered is declined.
    Refused,
    /// It is forced, and later payouts net it.
    Allowed,
}

/// What is agreed. Both amounts are in the settlement currency and not below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Share of the captured amount.
    pub(crate) fee: BasisPoints,
    /// For each transaction.
    pub(crate) fee_fixed: Money,
    /// Days from pending to available.
    pub(crate) delay_days: i32,
    /// Whether refunds may go below zero.
    pub(crate) negative_balance: NegativeBalance,
    /// For each chargeback.
    pub(crate) chargeback_fee: Money,
    /// Share kept back.
    pub(crate) reserve: BasisPoints,
}

/// Terms with their number: transactions keep those they began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What is agreed.
    pub(crate) terms: Terms,
    /// Rises with each change.
    pub(crate) version: i64,
}

// === impl NegativeBalance ===

impl NegativeBalance {
    /// The word in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Allowed => "allowed",
        }
    }

    /// The rule of a word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Refused, Self::Allowed]
            .into_iter()
            .find(|rule| rule.as_str() == text)
    }
}
