//! Why a provider said no. A decline is an outcome, not an error.

use super::words::words;

words!(
    /// The reasons that everyone understands; the provider's own code travels beside them.
    pub enum DeclineReason {
        /// The payer's account or card does not cover the amount.
        InsufficientFunds = "insufficient_funds",
        /// The payer's verification failed.
        ActionFailed = "action_failed",
        /// The payer did not verify in time.
        ActionExpired = "action_expired",
        /// The payment method is unknown, detached or refused by the provider.
        PaymentMethodInvalid = "payment_method_invalid",
        /// The card has expired.
        PaymentMethodExpired = "payment_method_expired",
        /// The issuer gave no usable reason.
        IssuerDeclined = "issuer_declined",
        /// Do not honor.
        DoNotHonor = "do_not_honor",
        /// Reported lost or stolen.
        LostOrStolen = "lost_or_stolen",
        /// A limit of the issuer or the provider.
        LimitExceeded = "limit_exceeded",
        /// The provider does not take the currency.
        CurrencyNotSupported = "currency_not_supported",
        /// The provider itself declined.
        ProviderDeclined = "provider_declined",
    }
);

/// A reason, and what the provider called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// The reason in our words.
    pub reason: DeclineReason,
    /// The provider's code; empty when there was none.
    pub code: String,
}

// === impl Decline ===

impl Decline {
    /// A reason with the provider's code.
    pub fn new(reason: DeclineReason, code: impl Into<String>) -> Self {
        Self {
            reason,
            code: code.into(),
        }
    }
}
