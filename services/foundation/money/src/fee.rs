//! Basis points and the fee of a plan.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::decimal::Decimal;
use crate::money::{Money, MoneyError, signed};
use crate::rounding::{Rounding, Tail, divide};

/// A share between nothing and the whole, in hundredths of a percent. A whole number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct BasisPoints(u32);

/// Why a number is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is at most {limit} basis points, which is the whole", limit = BasisPoints::WHOLE.get())]
pub struct BasisPointsError;

/// Why there is no fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// A fixed fee below zero would pay the payer.
    #[error("a fixed fee must not be negative")]
    NegativeFixed,
    /// The fixed fee is in another currency, or the fee does not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

// === impl BasisPoints ===

impl BasisPoints {
    /// All of it: 100 %.
    pub const WHOLE: Self = Self(10_000);
    /// Nothing of it.
    pub const ZERO: Self = Self(0);

    /// Checks the range.
    ///
    /// # Errors
    /// [`BasisPointsError`] above 10,000.
    pub const fn try_new(value: u32) -> Result<Self, BasisPointsError> {
        if value > Self::WHOLE.0 {
            Err(BasisPointsError)
        } else {
            Ok(Self(value))
        }
    }

    /// Basis points, 0 to 10,000.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// This share of `money`, rounded to its minor unit. Never larger in magnitude than `money`.
    #[must_use]
    pub fn of(self, money: Money, rounding: Rounding) -> Money {
        let magnitude = u128::from(money.minor().unsigned_abs()).checked_mul(u128::from(self.0));
        let share = magnitude
            .and_then(|product| divide(product, u128::from(Self::WHOLE.0), Tail::Exact, rounding));
        let minor = share
            .and_then(|share| signed(share, money.is_negative()))
            .expect("M2: a share of 64-bit minor units is not larger than they are");
        Money::new(minor, money.currency())
    }
}

impl TryFrom<u32> for BasisPoints {
    type Error = BasisPointsError;

    fn try_from(value: u32) -> Result<Self, Self::Error> {
        Self::try_new(value)
    }
}

impl From<BasisPoints> for u32 {
    fn from(points: BasisPoints) -> Self {
        points.0
    }
}

/// For people: `2.90%`.
impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}%",
            Decimal {
                mantissa: u128::from(self.0),
                scale: 2
            }
            .print()
        )
    }
}

/// `percentage` of `base` plus `fixed` (M12).
///
/// The percentage is rounded half to even to the minor unit, then the fixed part is added. The fee is never negative,
/// but may exceed a small `base`; whether that is refused is for the caller to say. For several captures, compute the
/// fee of the running total and subtract what was charged, so that rounding is not repeated.
///
/// # Errors
/// [`FeeError`]: `fixed` is negative or in another currency, or the sum overflows.
pub fn fee(base: Amount, percentage: BasisPoints, fixed: Money) -> Result<Money, FeeError> {
    if fixed.is_negative() {
        return Err(FeeError::NegativeFixed);
    }
    let fee = percentage
        .of(base.money(), Rounding::HalfEven)
        .checked_add(fixed)?;
    assert!(!fee.is_negative(), "M12: a fee is never negative");
    Ok(fee)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::currency::Currency;

    fn eur(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    fn amount(minor: i64) -> Amount {
        Amount::try_new(minor, Currency::EUR).unwrap()
    }

    fn points(value: u32) -> BasisPoints {
        BasisPoints::try_new(value).unwrap()
    }

    #[test]
    fn m12_the_percentage_is_rounded_half_to_even_before_the_fixed_part() {
        for (base, percentage, fixed, expected) in [
            (9_154, 290, 30, 295),
            (10_000, 290, 30, 320),
            (50, 100, 0, 0),
            (150, 100, 0, 2),
            (250, 100, 0, 2),
            (251, 100, 0, 3),
            (1, 290, 30, 30),
            (1, 0, 0, 0),
            (Amount::MAX_MINOR, 10_000, 1, 1_000_000_000_000_001),
        ] {
            let result = fee(amount(base), points(percentage), eur(fixed));
            assert_eq!(
                result,
                Ok(eur(expected)),
                "M12: {percentage} bp of {base} + {fixed}"
            );
        }
    }

    #[test]
    fn m12_partial_captures_charged_on_the_running_total_cost_what_one_capture_costs() {
        let (percentage, fixed) = (points(290), eur(30));
        let mut charged = eur(0);
        for running_total in [3_333, 6_666, 9_999] {
            let due = fee(amount(running_total), percentage, fixed)
                .unwrap()
                .checked_sub(charged)
                .unwrap();
            assert!(!due.is_negative(), "M12");
            charged = charged.checked_add(due).unwrap();
        }
        assert_eq!(
            charged,
            fee(amount(9_999), percentage, fixed).unwrap(),
            "M12"
        );
    }

    #[test]
    fn m12_fees_that_make_no_sense_are_refused() {
        assert_eq!(
            fee(amount(100), points(1), eur(-1)),
            Err(FeeError::NegativeFixed),
            "M12"
        );
        let mismatch = MoneyError::CurrencyMismatch {
            left: Currency::EUR,
            right: Currency::USD,
        };
        let dollars = Money::new(30, Currency::USD);
        assert_eq!(
            fee(amount(100), points(1), dollars),
            Err(FeeError::Money(mismatch)),
            "M3"
        );
        let overflow = MoneyError::Overflow {
            operation: "an addition",
        };
        assert_eq!(
            fee(amount(100), points(10_000), eur(i64::MAX)),
            Err(FeeError::Money(overflow)),
            "M2"
        );
    }

    #[test]
    fn shares_go_up_to_the_whole() {
        assert_eq!(BasisPoints::try_new(10_000), Ok(BasisPoints::WHOLE));
        assert_eq!(BasisPoints::try_new(10_001), Err(BasisPointsError));
        assert_eq!(
            BasisPointsError.to_string(),
            "a share is at most 10000 basis points, which is the whole"
        );
        assert_eq!(points(290).to_string(), "2.90%");
        assert_eq!(points(5).to_string(), "0.05%");
    }

    #[test]
    fn m2_shares_of_the_smallest_and_largest_money_fit() {
        assert_eq!(
            BasisPoints::WHOLE.of(eur(i64::MIN), Rounding::Up),
            eur(i64::MIN),
            "M2"
        );
        assert_eq!(
            BasisPoints::WHOLE.of(eur(i64::MAX), Rounding::Up),
            eur(i64::MAX),
            "M2"
        );
        assert_eq!(points(1).of(eur(-1), Rounding::Up), eur(-1), "M2");
        assert_eq!(points(1).of(eur(-1), Rounding::Down), eur(0), "M2");
    }
}
