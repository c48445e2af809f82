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

// === impl DeclineReason ===

impl DeclineReason {
    /// The word for it in history, steps and facts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "INSUFFICIENT_FUNDS",
            Self::RiskDenied => "RISK_DENIED",
            Self::RiskUnavailable => "RISK_UNAVAILABLE",
            Self::ReviewRejected => "REVIEW_REJECTED",
            Self::ActionFailed => "ACTION_FAILED",
            Self::ActionExpired => "ACTION_EXPIRED",
            Self::AccountSuspended => "ACCOUNT_SUSPENDED",
            Self::AccountClosed => "ACCOUNT_CLOSED",
            Self::MerchantInactive => "MERCHANT_INACTIVE",
            Self::PaymentMethodInvalid => "PAYMENT_METHOD_INVALID",
            Self::PaymentMethodExpired => "PAYMENT_METHOD_EXPIRED",
            Self::IssuerDeclined => "ISSUER_DECLINED",
            Self::DoNotHonor => "DO_NOT_HONOR",
            Self::LostOrStolen => "LOST_OR_STOLEN",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::CurrencyNotSupported => "CURRENCY_NOT_SUPPORTED",
            Self::QuoteExpired => "QUOTE_EXPIRED",
            Self::RefundNotCovered => "REFUND_NOT_COVERED",
            Self::ProviderDeclined => "PROVIDER_DECLINED",
        }
    }
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
