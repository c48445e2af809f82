//! Values that every contract shares.

use paymesh_kernel::Timestamp;
use paymesh_mesh::CallError;
use paymesh_money::Money;
use paymesh_proto::types::v1 as wire;
use tonic::Status;

use crate::domain::decline::{Decline, DeclineReason};

pub(crate) fn to_money(money: Money) -> wire::Money {
    wire::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

pub(crate) fn money(of: Option<&wire::Money>) -> Option<Money> {
    let of = of?;
    Some(Money::new(of.minor, of.currency.parse().ok()?))
}

/// Microseconds; 0 is none.
pub(crate) fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then(|| Timestamp::from_micros(micros))
}

/// What an answer without its object is.
pub(crate) fn contradiction(what: &'static str) -> CallError {
    CallError::from(Status::internal(what))
}

pub(crate) fn decline(reason: wire::DeclineReason, code: &str) -> Option<Decline> {
    use DeclineReason as Ours;
    use wire::DeclineReason as Theirs;
    let reason = match reason {
        Theirs::Unspecified => return None,
        Theirs::InsufficientFunds => Ours::InsufficientFunds,
        Theirs::RiskDenied => Ours::RiskDenied,
        Theirs::RiskUnavailable => Ours::RiskUnavailable,
        Theirs::ReviewRejected => Ours::ReviewRejected,
        Theirs::ActionFailed => Ours::ActionFailed,
        Theirs::ActionExpired => Ours::ActionExpired,
        Theirs::AccountSuspended => Ours::AccountSuspended,
        Theirs::AccountClosed => Ours::AccountClosed,
        Theirs::MerchantInactive => Ours::MerchantInactive,
        Theirs::PaymentMethodInvalid => Ours::PaymentMethodInvalid,
        Theirs::PaymentMethodExpired => Ours::PaymentMethodExpired,
        Theirs::IssuerDeclined => Ours::IssuerDeclined,
        Theirs::DoNotHonor => Ours::DoNotHonor,
        Theirs::LostOrStolen => Ours::LostOrStolen,
        Theirs::LimitExceeded => Ours::LimitExceeded,
        Theirs::CurrencyNotSupported => Ours::CurrencyNotSupported,
        Theirs::QuoteExpired => Ours::QuoteExpired,
        Theirs::RefundNotCovered => Ours::RefundNotCovered,
        Theirs::ProviderDeclined => Ours::ProviderDeclined,
    };
    Some(Decline::new(reason, code))
}

pub(crate) const fn to_decline(reason: DeclineReason) -> wire::DeclineReason {
    use DeclineReason as Ours;
    use wire::DeclineReason as Theirs;
    match reason {
        Ours::InsufficientFunds => Theirs::InsufficientFunds,
        Ours::RiskDenied => Theirs::RiskDenied,
        Ours::RiskUnavailable => Theirs::RiskUnavailable,
        Ours::ReviewRejected => Theirs::ReviewRejected,
        Ours::ActionFailed => Theirs::ActionFailed,
        Ours::ActionExpired => Theirs::ActionExpired,
        Ours::AccountSuspended => Theirs::AccountSuspended,
        Ours::AccountClosed => Theirs::AccountClosed,
        Ours::MerchantInactive => Theirs::MerchantInactive,
        Ours::PaymentMethodInvalid => Theirs::PaymentMethodInvalid,
        Ours::PaymentMethodExpired => Theirs::PaymentMethodExpired,
        Ours::IssuerDeclined => Theirs::IssuerDeclined,
        Ours::DoNotHonor => Theirs::DoNotHonor,
        Ours::LostOrStolen => Theirs::LostOrStolen,
        Ours::LimitExceeded => Theirs::LimitExceeded,
        Ours::CurrencyNotSupported => Theirs::CurrencyNotSupported,
        Ours::QuoteExpired => Theirs::QuoteExpired,
        Ours::RefundNotCovered => Theirs::RefundNotCovered,
        Ours::ProviderDeclined => Theirs::ProviderDeclined,
    }
}
