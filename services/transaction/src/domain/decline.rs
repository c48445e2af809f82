//! Why a transaction is declined. A decline is an outcome, not an error.

use serde::{Deserialize, Serialize};

/// The reason, as payers and payees see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The payer's account or card does not cover the amount.
    InsufficientFunds,
    /// Risk denied it.
    RiskDenied,
    /// Risk could not be asked, and the amount is above the limit.
    RiskUnavailable,
    /// A person rejected it.
    ReviewRejected,
    /// The payer's verification failed.
    ActionFailed,
    /// The payer did not act in time.
    ActionExpired,
    /// The payer's account is suspended.
    AccountSuspended,
    /// An account is closed.
    AccountClosed,
    /// The merchant may not take payments.
    MerchantInactive,
    /// The payment method cannot be used.
    PaymentMethodInvalid,
    /// The card has expired.
    PaymentMethodExpired,
    /// The issuer gave no usable reason.
    IssuerDeclined,
    /// The issuer said do not honor.
    DoNotHonor,
    /// Reported lost or stolen.
    LostOrStolen,
    /// A limit was reached.
    LimitExceeded,
    /// No rate, or the connector does not take the currency.
    CurrencyNotSupported,
    /// The quote ran out before the pivot.
    QuoteExpired,
    /// The merchant does not cover the refund.
    RefundNotCovered,
    /// The provider itself declined.
    ProviderDeclined,
}

/// A decline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// Why.
    pub reason: DeclineReason,
    /// The provider's code or risk's rule, for staff.
    pub detail: String,
}

// === impl Decline ===

impl Decline {
    /// A decline with a detail for staff.
    #[must_use]
    pub fn new(reason: DeclineReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl From<DeclineReason> for Decline {
    fn from(reason: DeclineReason) -> Self {
        Self::new(reason, "")
    }
}
