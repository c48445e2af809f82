//! Payment methods: provider tokens and what the provider says of them.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, UserId},
};

use super::{PaymentMethodId, words::words};

words!(
    /// What a payment method is.
    pub enum MethodKind {
        /// A card.
        Card = "card",
        /// A bank account.
        BankAccount = "bank_account",
        /// A provider's wallet.
        Wallet = "wallet",
    }
);

words!(
    /// Where a payment method stands.
    pub enum MethodState {
        /// It may be used.
        Active = "active",
        /// Its expiry is over.
        Expired = "expired",
        /// Forgotten here and at the provider.
        Detached = "detached",
    }
);

/// What a provider says of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodDetails {
    /// Such as `visa`; empty when there is none.
    pub brand: String,
    /// Last four digits.
    pub last4: String,
    /// 1 to 12; 0 when there is none.
    pub expiry_month: i32,
    /// Four digits; 0 when there is none.
    pub expiry_year: i32,
    /// ISO 3166-1 alpha-2; empty when not known.
    pub issuer_country: String,
    /// The same for the same card at one connector.
    pub fingerprint: String,
}

/// A way in which a payer may be charged.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Its id.
    pub id: PaymentMethodId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who pays by it.
    pub customer: UserId,
    /// Where the token means something.
    pub connector: String,
    /// What it is.
    pub kind: MethodKind,
    /// The provider's token; empty once it is detached.
    pub token: String,
    /// What the provider says of it.
    pub details: MethodDetails,
    /// First moment after its expiry.
    pub expires_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was forgotten.
    pub detached_at: Option<Timestamp>,
    /// For concurrent changes.
    pub version: i64,
}

// === impl PaymentMethod ===

impl PaymentMethod {
    /// Where it stands at a moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> MethodState {
        if self.detached_at.is_some() {
            MethodState::Detached
        } else if self.expires_at.is_some_and(|end| end <= now) {
            MethodState::Expired
        } else {
            MethodState::Active
        }
    }

    /// The same, forgotten: the token is gone.
    #[must_use]
    pub fn detached(&self, now: Timestamp) -> Self {
        Self {
            token: String::new(),
            detached_at: Some(now),
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// The token never shows.
impl std::fmt::Debug for PaymentMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PaymentMethod")
            .field("id", &self.id)
            .field("customer", &self.customer)
            .field("connector", &self.connector)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl MethodDetails {
    /// First moment after the month of expiry.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let (year, month) = if self.expiry_month >= 12 {
            (self.expiry_year.checked_add(1)?, 1)
        } else {
            (self.expiry_year, self.expiry_month.checked_add(1)?)
        };
        if self.expiry_month < 1 {
            return None;
        }
        Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00Z")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_good_until_its_month_is_over() {
        for (month, year, end) in [
            (1, 2027, Some("2027-02-01T00:00:00Z")),
            (12, 2027, Some("2028-01-01T00:00:00Z")),
            (0, 0, None),
        ] {
            let details = MethodDetails {
                expiry_month: month,
                expiry_year: year,
                ..MethodDetails::default()
            };
            assert_eq!(
                details.expires_at().map(|end| end.to_string()).as_deref(),
                end
            );
        }
    }
}
