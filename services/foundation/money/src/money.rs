//! Money: a whole number of minor units and its currency, with checked arithmetic.
//!
//! Two currencies never meet in one operation (M3), and nothing wraps or panics (M2). `Money` may be negative or zero;
//! what enters from outside as something to be paid is an [`Amount`](crate::Amount).

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::currency::Currency;
use crate::decimal::{Decimal, ParseError};

mod wire;

/// Minor units of a currency; may be negative. Deliberately without `Ord` and operators: see the `checked_` methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an operation on money has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The operands are of two currencies.
    #[error("{left} and {right} cannot be combined without a conversion")]
    CurrencyMismatch {
        /// Currency of the first operand.
        left: Currency,
        /// Currency of the second operand.
        right: Currency,
    },
    /// The result is outside the range of 64-bit minor units.
    #[error("the result of {operation} is outside the range of 64-bit minor units")]
    Overflow {
        /// What was attempted, as a noun.
        operation: &'static str,
    },
}

/// Why a decimal text is no money of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    /// Not `[-]digits[.digits]`.
    #[error(
        "an amount in major units is written as digits with at most one decimal point, such as 12.34"
    )]
    Malformed,
    /// Digits beyond the minor unit, other than zeros.
    #[error("{currency} has {minor_units} decimals; the text has more")]
    TooPrecise {
        /// The currency asked for.
        currency: Currency,
        /// Its exponent.
        minor_units: u8,
    },
    /// More than 64-bit minor units can hold.
    #[error("the amount is outside the range of 64-bit minor units")]
    TooLarge,
}

// === impl Money ===

impl Money {
    /// Any whole number of minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads major units as bank statements and provider reports write them: `12.34`, `-0.5`, `500`.
    ///
    /// Zeros beyond the minor unit are accepted (`500.00` in JPY), other digits are not: nothing is rounded here.
    ///
    /// # Errors
    /// The text is malformed, more precise than the currency, or too large.
    pub fn from_major(text: &str, currency: Currency) -> Result<Self, ParseMoneyError> {
        let (digits, negative) = match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let decimal = Decimal::parse(digits).map_err(|error| match error {
            ParseError::Malformed => ParseMoneyError::Malformed,
            ParseError::TooLong => ParseMoneyError::TooLarge,
        })?;
        let minor_units = currency.minor_units();
        let missing = u32::from(minor_units).checked_sub(decimal.scale).ok_or(
            ParseMoneyError::TooPrecise {
                currency,
                minor_units,
            },
        )?;
        let magnitude = crate::rounding::pow10(missing)
            .and_then(|factor| decimal.mantissa.checked_mul(factor))
            .ok_or(ParseMoneyError::TooLarge)?;
        let minor = signed(magnitude, negative).ok_or(ParseMoneyError::TooLarge)?;
        Ok(Self::new(minor, currency))
    }

    /// Minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency of the minor units.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Neither positive nor negative.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// More than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two of the same currency.
    ///
    /// # Errors
    /// [`MoneyError`]: two currencies, or overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with_minor(self.minor.checked_add(other.minor), "an addition")
    }

    /// The difference of two of the same currency.
    ///
    /// # Errors
    /// [`MoneyError`]: two currencies, or overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with_minor(self.minor.checked_sub(other.minor), "a subtraction")
    }

    /// The same with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the smallest 64-bit number, which has no opposite.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.with_minor(self.minor.checked_neg(), "a negation")
    }

    /// This many times the same.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, factor: i64) -> Result<Self, MoneyError> {
        self.with_minor(self.minor.checked_mul(factor), "a multiplication")
    }

    /// Which of two of the same currency is more.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn checked_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The sum of all, in a currency that is named because there may be none. Only the end result must fit: the order
    /// of positive and negative items does not matter.
    ///
    /// # Errors
    /// [`MoneyError`]: an item of another currency, or overflow.
    pub fn checked_sum(
        currency: Currency,
        items: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        let zero = Self::zero(currency);
        let overflow = MoneyError::Overflow { operation: "a sum" };
        let mut total = 0_i128;
        for item in items {
            zero.same_currency(item)?;
            total = total.checked_add(i128::from(item.minor)).ok_or(overflow)?;
        }
        zero.with_minor(i64::try_from(total).ok(), "a sum")
    }

    /// Major units with all decimals of the currency and without its code: `12.34`, `-0.50`, `500`.
    #[must_use]
    pub fn to_major(self) -> String {
        let magnitude = u128::from(self.minor.unsigned_abs());
        let digits = Decimal {
            mantissa: magnitude,
            scale: u32::from(self.currency.minor_units()),
        }
        .print();
        if self.is_negative() {
            format!("-{digits}")
        } else {
            digits
        }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch {
            left: self.currency,
            right: other.currency,
        })
    }

    fn with_minor(self, minor: Option<i64>, operation: &'static str) -> Result<Self, MoneyError> {
        let minor = minor.ok_or(MoneyError::Overflow { operation })?;
        Ok(Self::new(minor, self.currency))
    }
}

/// For people: `USD 12.34`, `JPY -500`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.to_major())
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer)
    }
}

/// A magnitude and a sign as 64 bits, or `None` when it does not fit.
pub(crate) fn signed(magnitude: u128, negative: bool) -> Option<i64> {
    let value = i128::try_from(magnitude).ok()?;
    let value = if negative {
        value.checked_neg()?
    } else {
        value
    };
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests;
