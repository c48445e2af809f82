//! Features that are texts: what a payment says of itself.

use super::super::Payment;

/// A feature that is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextFeature {
    /// Kind of the transaction.
    Kind,
    /// Currency of the amount.
    Currency,
    /// Who pays.
    Customer,
    /// Who is paid.
    Payee,
    /// With what.
    Method,
    /// Where.
    Merchant,
    /// At which terminal.
    Terminal,
    /// Of the payer's device.
    Country,
    /// Of the payment method.
    IssuerCountry,
}

// === impl TextFeature ===

impl TextFeature {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Kind,
        Self::Currency,
        Self::Customer,
        Self::Payee,
        Self::Method,
        Self::Merchant,
        Self::Terminal,
        Self::Country,
        Self::IssuerCountry,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Currency => "currency",
            Self::Customer => "customer",
            Self::Payee => "payee",
            Self::Method => "payment_method",
            Self::Merchant => "merchant",
            Self::Terminal => "terminal",
            Self::Country => "country",
            Self::IssuerCountry => "issuer_country",
        }
    }

    /// Its value; empty when it is not known.
    #[must_use]
    pub fn of(self, payment: &Payment) -> &str {
        match self {
            Self::Kind => &payment.kind,
            Self::Currency => payment.currency().code(),
            Self::Customer => &payment.customer,
            Self::Payee => &payment.payee,
            Self::Method => &payment.method,
            Self::Merchant => &payment.merchant,
            Self::Terminal => &payment.terminal,
            Self::Country => &payment.country,
            Self::IssuerCountry => &payment.issuer_country,
        }
    }
}
