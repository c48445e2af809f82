//! Amounts: what somebody asks to be paid, checked once at the edge (M4).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::currency::Currency;
use crate::money::Money;

/// Strictly positive money of at most [`Amount::MAX_MINOR`] minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Amount(Money);

/// Why money is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing is not an amount.
    #[error("an amount must be more than zero")]
    Zero,
    /// The direction of a payment is never said by a sign.
    #[error("an amount must not be negative")]
    Negative,
    /// Above the limit.
    #[error("an amount must be at most {limit_minor} minor units")]
    TooLarge {
        /// The largest allowed value.
        limit_minor: i64,
    },
}

// === impl Amount ===

impl Amount {
    /// The largest amount: 10^15 minor units, ten trillion dollars. More than 9,000 of the largest can be added
    /// before 64 bits overflow, so that totals have room whatever is sent.
    pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

    /// Checks what came from outside.
    ///
    /// # Errors
    /// [`AmountError`]: zero, negative, or above [`Amount::MAX_MINOR`].
    pub const fn try_new(minor: i64, currency: Currency) -> Result<Self, AmountError> {
        match minor {
            0 => Err(AmountError::Zero),
            i64::MIN..0 => Err(AmountError::Negative),
            1..=Self::MAX_MINOR => Ok(Self(Money::new(minor, currency))),
            _ => Err(AmountError::TooLarge {
                limit_minor: Self::MAX_MINOR,
            }),
        }
    }

    /// Minor units, 1 to [`Amount::MAX_MINOR`].
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0.minor()
    }

    /// The currency of the minor units.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.0.currency()
    }

    /// For arithmetic; what comes out of it may be no amount any more.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl TryFrom<Money> for Amount {
    type Error = AmountError;

    fn try_from(money: Money) -> Result<Self, Self::Error> {
        Self::try_new(money.minor(), money.currency())
    }
}

/// For people: `USD 12.34`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Money::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m4_only_positive_money_up_to_the_limit_is_an_amount() {
        let too_large = AmountError::TooLarge {
            limit_minor: 1_000_000_000_000_000,
        };
        for (minor, expected) in [
            (i64::MIN, Err(AmountError::Negative)),
            (-1, Err(AmountError::Negative)),
            (0, Err(AmountError::Zero)),
            (1, Ok(1)),
            (Amount::MAX_MINOR, Ok(Amount::MAX_MINOR)),
            (1_000_000_000_000_001, Err(too_large)),
            (i64::MAX, Err(too_large)),
        ] {
            assert_eq!(
                Amount::try_new(minor, Currency::EUR).map(Amount::minor),
                expected,
                "M4: {minor}"
            );
        }
        assert_eq!(
            too_large.to_string(),
            "an amount must be at most 1000000000000000 minor units"
        );
    }

    #[test]
    fn m4_thousands_of_the_largest_amounts_still_add_up() {
        let largest = Money::new(Amount::MAX_MINOR, Currency::EUR);
        assert!(
            Money::checked_sum(Currency::EUR, [largest; 9_000]).is_ok(),
            "M4"
        );
    }
}
