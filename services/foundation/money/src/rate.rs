//! Rates: exact positive decimals, with a fixed number of significant digits.
//!
//! A rate is `mantissa / 10^scale` with at most 18 significant digits. A fixed number of *decimals* would leave the
//! inverse of a rate such as 17,500 with few digits; significant digits keep the same relative precision on both sides
//! of one. The limits (M11) are symmetric, so each rate has an inverse, and small enough that minor units times mantissa
//! fit in 128 bits.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::{Decimal, ParseError};
use crate::fee::BasisPoints;
use crate::rounding::{Rounding, Tail, divide, pow10};

/// Most significant digits.
const MAX_DIGITS: u32 = 18;
/// One more than the largest mantissa.
const MANTISSA_END: u128 = 1_000_000_000_000_000_000;
/// A rate is at most this, and at least one divided by this.
const BOUND: u128 = 1_000_000_000;
/// Digits of a numerator before a division: enough for more than [`MAX_DIGITS`] in any quotient, and within 128 bits.
const NUMERATOR_DIGITS: u32 = 37;
/// Decimals of a share in basis points.
const BASIS_POINT_DIGITS: u32 = 4;

/// How many major units of one currency are given for one major unit of another. Which two it does not know.
///
/// Read from and written as decimal text, in JSON too; never a floating-point number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    mantissa: u64,
    scale: u8,
}

/// Why there is no such rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not `digits[.digits]`.
    #[error("a rate is written as digits with at most one decimal point, such as 0.9154")]
    Malformed,
    /// More significant digits than a rate has.
    #[error("a rate has at most 18 significant digits")]
    TooPrecise,
    /// Zero, too small or too large.
    #[error("a rate lies between 0.000000001 and 1000000000")]
    OutOfRange,
}

struct RateVisitor;

// === impl Rate ===

impl Rate {
    /// One for one.
    pub const ONE: Self = Self {
        mantissa: 1,
        scale: 0,
    };

    /// The rate of two steps one after the other: from A to B at `self`, from B to C at `next`.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`].
    pub fn checked_mul(self, next: Self, rounding: Rounding) -> Result<Self, RateError> {
        let product = u128::from(self.mantissa).checked_mul(u128::from(next.mantissa));
        let scale = self.scale().checked_add(next.scale());
        let (product, scale) = product.zip(scale).ok_or(RateError::OutOfRange)?;
        Self::rounded(product, scale, Tail::Exact, rounding)
    }

    /// `self` divided by `other`, rounded once to 18 significant digits.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`].
    pub fn checked_div(self, other: Self, rounding: Rounding) -> Result<Self, RateError> {
        let (quotient, scale, tail) = self.quotient(other).ok_or(RateError::OutOfRange)?;
        Self::rounded(quotient, scale, tail, rounding)
    }

    /// The rate of the way back. [`Rounding::Down`] makes it one that cannot create money (M8).
    #[must_use]
    pub fn invert(self, rounding: Rounding) -> Self {
        Self::ONE
            .checked_div(self, rounding)
            .expect("M11: the limits of a rate are symmetric around one")
    }

    /// The rate from one currency to another when both are quoted against a third, as central banks do:
    /// `base_to_to / base_to_from`, rounded once.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`].
    pub fn triangulate(
        base_to_from: Self,
        base_to_to: Self,
        rounding: Rounding,
    ) -> Result<Self, RateError> {
        base_to_to.checked_div(base_to_from, rounding)
    }

    /// The rate a customer gets: this one less a share of it.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`] when too little is left.
    pub fn less_spread(self, spread: BasisPoints, rounding: Rounding) -> Result<Self, RateError> {
        let kept = BasisPoints::WHOLE.get().saturating_sub(spread.get());
        let product = u128::from(self.mantissa)
            .checked_mul(u128::from(kept))
            .ok_or(RateError::OutOfRange)?;
        let scale = self.scale().saturating_add(BASIS_POINT_DIGITS);
        Self::rounded(product, scale, Tail::Exact, rounding)
    }

    pub(crate) fn mantissa(self) -> u64 {
        self.mantissa
    }

    pub(crate) fn scale(self) -> u32 {
        u32::from(self.scale)
    }

    /// A quotient of at least 19 digits, its scale, and whether more digits would follow.
    fn quotient(self, other: Self) -> Option<(u128, u32, Tail)> {
        let digits = self.mantissa.checked_ilog10()?.checked_add(1)?;
        let shift = NUMERATOR_DIGITS.checked_sub(digits)?;
        let numerator = u128::from(self.mantissa).checked_mul(pow10(shift)?)?;
        let denominator = u128::from(other.mantissa);
        let quotient = numerator.checked_div(denominator)?;
        let tail = if numerator.checked_rem(denominator)? == 0 {
            Tail::Exact
        } else {
            Tail::Inexact
        };
        // Within the limits of M11 the shift exceeds what the other scale takes away, or the result is too large.
        let scale = self
            .scale()
            .checked_add(shift)?
            .checked_sub(other.scale())?;
        Some((quotient, scale, tail))
    }

    /// Rounds to the significant digits of a rate. `mantissa` has more than those when its tail is inexact.
    fn rounded(
        mantissa: u128,
        scale: u32,
        tail: Tail,
        rounding: Rounding,
    ) -> Result<Self, RateError> {
        let digits = mantissa
            .checked_ilog10()
            .ok_or(RateError::OutOfRange)?
            .saturating_add(1);
        let surplus = digits.saturating_sub(MAX_DIGITS);
        // Surplus digits before the decimal point mean a number far above the limit.
        let scale = scale.checked_sub(surplus).ok_or(RateError::OutOfRange)?;
        let mantissa = pow10(surplus)
            .and_then(|factor| divide(mantissa, factor, tail, rounding))
            .ok_or(RateError::OutOfRange)?;
        Self::assemble(mantissa, scale)
    }

    /// The only way a rate comes to be: checks M11 and drops zeros at the end, so that equal rates are the same bits.
    fn assemble(mantissa: u128, scale: u32) -> Result<Self, RateError> {
        let (mut mantissa, mut scale) = (mantissa, scale);
        while let (Some(shorter), Some(0), Some(fewer)) = (
            mantissa.checked_div(10),
            mantissa.checked_rem(10),
            scale.checked_sub(1),
        ) {
            (mantissa, scale) = (shorter, fewer);
        }
        if mantissa == 0 || is_below_limit(mantissa, scale) || is_above_limit(mantissa, scale) {
            return Err(RateError::OutOfRange);
        }
        if mantissa >= MANTISSA_END {
            return Err(RateError::TooPrecise);
        }
        let mantissa = u64::try_from(mantissa).map_err(|_| RateError::TooPrecise)?;
        let scale = u8::try_from(scale).map_err(|_| RateError::OutOfRange)?;
        Ok(Self { mantissa, scale })
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let decimal = Decimal::parse(text).map_err(|error| match error {
            ParseError::Malformed => RateError::Malformed,
            ParseError::TooLong => RateError::TooPrecise,
        })?;
        Self::assemble(decimal.mantissa, decimal.scale)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &Decimal {
                mantissa: u128::from(self.mantissa),
                scale: self.scale(),
            }
            .print(),
        )
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({self})")
    }
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (u128::from(self.mantissa), u128::from(other.mantissa));
        // The coarser side is brought to the scale of the finer one; when that overflows it is by far the larger.
        match self.scale.cmp(&other.scale) {
            Ordering::Equal => left.cmp(&right),
            Ordering::Less => rescaled(left, self.scale, other.scale)
                .map_or(Ordering::Greater, |left| left.cmp(&right)),
            Ordering::Greater => rescaled(right, other.scale, self.scale)
                .map_or(Ordering::Less, |right| left.cmp(&right)),
        }
    }
}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(RateVisitor)
    }
}

// === impl RateVisitor ===

impl Visitor<'_> for RateVisitor {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"a rate as decimal text, such as "0.9154""#)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
        text.parse().map_err(E::custom)
    }
}

fn rescaled(mantissa: u128, from: u8, to: u8) -> Option<u128> {
    mantissa.checked_mul(pow10(u32::from(to.checked_sub(from)?))?)
}

/// `mantissa / 10^scale < 1 / BOUND`, without overflow: a product beyond 128 bits is above any power of ten in them.
fn is_below_limit(mantissa: u128, scale: u32) -> bool {
    match (mantissa.checked_mul(BOUND), pow10(scale)) {
        (Some(product), Some(one)) => product < one,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// `mantissa / 10^scale > BOUND`; a limit beyond 128 bits is not exceeded by anything in them.
fn is_above_limit(mantissa: u128, scale: u32) -> bool {
    pow10(scale)
        .and_then(|one| one.checked_mul(BOUND))
        .is_some_and(|limit| mantissa > limit)
}

#[cfg(test)]
mod tests;
