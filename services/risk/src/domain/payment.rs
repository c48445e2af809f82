//! A payment as risk sees it, and what became known of it later.

use std::time::Duration;

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::{Amount, Currency};

use super::DecisionId;

/// A payment that is assessed, or was made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Lower case, as `purchase`.
    pub kind: String,
    /// How much.
    pub amount: Amount,
    /// Who pays.
    pub customer: String,
    /// Who is paid, for transfers; may be empty.
    pub payee: String,
    /// Fingerprint of the payment method, or else its id; empty for internal money.
    pub method: String,
    /// The customer uses the method for the first time.
    pub newness: Newness,
    /// Where the method was issued; may be empty.
    pub issuer_country: String,
    /// May be empty.
    pub merchant: String,
    /// May be empty.
    pub terminal: String,
    /// Where the payer's device is; may be empty.
    pub country: String,
    /// When, in business time.
    pub business_at: Timestamp,
}

/// Whether the customer has used the payment method before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newness {
    /// The first time.
    New,
    /// Not the first time, or not known.
    Known,
}

/// What became known of a payment later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Of which payment.
    pub payment: DecisionId,
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub kind: LabelKind,
    /// When, in business time.
    pub known_at: Timestamp,
    /// Its payer.
    pub customer: String,
    /// Its method.
    pub method: String,
    /// Its terminal.
    pub terminal: String,
    /// When it was made.
    pub business_at: Timestamp,
}

/// What can become known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelKind {
    /// The payer denies having made it.
    Fraud,
    /// The scheme found that it was no fraud after all.
    Cleared,
    /// It was declined, or failed, by no doing of risk.
    Failed,
}

/// How far a window reaches back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

// === impl Newness ===

impl Newness {
    /// From a flag of a request or a row.
    #[must_use]
    pub const fn of(is_new: bool) -> Self {
        if is_new { Self::New } else { Self::Known }
    }

    /// True for the first time.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::New)
    }
}

// === impl LabelKind ===

impl LabelKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Fraud, Self::Cleared, Self::Failed];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Cleared => "cleared",
            Self::Failed => "failed",
        }
    }
}

// === impl Span ===

impl Span {
    /// From the shortest.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];
    /// Whole days, as risk of terminals is counted.
    pub const DAYS: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// Its length.
    #[must_use]
    pub const fn length(self) -> Duration {
        const HOUR: u64 = 3_600;
        Duration::from_secs(match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        })
    }

    /// The end of a feature's name.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }
}

// === impl Payment ===

impl Payment {
    /// What the amount is in.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.amount.currency()
    }
}
