//! Dividing money without losing or making any: the method of largest remainders.
//!
//! Each part first gets the whole minor units of its exact share; what is left over, always less than one unit a part,
//! goes to the parts with the largest remainders, one unit each. Equal remainders are served in the order of the
//! weights, so the same call always has the same result (M6).

use std::cmp::Reverse;

use crate::money::{Money, signed};

/// Most parts of one allocation.
pub const MAX_PARTS: usize = 10_000;

/// Why money cannot be divided by these weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// There is no weight, or only zeros.
    #[error("an allocation needs at least one weight above zero")]
    NoWeight,
    /// More than [`MAX_PARTS`].
    #[error("an allocation has at most {limit} parts")]
    TooManyParts {
        /// The largest allowed number.
        limit: usize,
    },
}

/// A part while it is computed; all numbers are magnitudes.
struct Share {
    units: u128,
    remainder: u128,
}

/// One part for each weight, in the order of the weights, in proportion to them.
///
/// The parts always add up to exactly `whole` (M5); each has the sign of `whole` or is zero, and is less than one minor
/// unit away from its exact share. A weight of zero gets nothing (M6).
///
/// # Errors
/// [`AllocationError`]: no weight above zero, or too many parts.
pub fn allocate(whole: Money, weights: &[u64]) -> Result<Vec<Money>, AllocationError> {
    if weights.len() > MAX_PARTS {
        return Err(AllocationError::TooManyParts { limit: MAX_PARTS });
    }
    let total_weight = weights.iter().fold(0_u128, |sum, weight| {
        sum.saturating_add(u128::from(*weight))
    });
    if total_weight == 0 {
        return Err(AllocationError::NoWeight);
    }
    let magnitude = u128::from(whole.minor().unsigned_abs());
    let units = units_of(magnitude, weights, total_weight).expect(
        "M2: 64-bit minor units times a 64-bit weight fit in 128 bits, and the divisor is not zero",
    );
    let parts: Vec<Money> = units
        .into_iter()
        .map(|units| {
            let minor =
                signed(units, whole.is_negative()).expect("M6: no part is larger than the whole");
            Money::new(minor, whole.currency())
        })
        .collect();
    assert_eq!(
        Money::checked_sum(whole.currency(), parts.iter().copied()),
        Ok(whole),
        "M5: the parts of an allocation add up to the whole"
    );
    Ok(parts)
}

/// The magnitude of each part. `None` cannot happen for magnitudes and weights of 64 bits.
fn units_of(magnitude: u128, weights: &[u64], total_weight: u128) -> Option<Vec<u128>> {
    let mut shares = Vec::with_capacity(weights.len());
    let mut left_over = magnitude;
    for weight in weights {
        let exact = magnitude.checked_mul(u128::from(*weight))?;
        let units = exact.checked_div(total_weight)?;
        left_over = left_over.checked_sub(units)?;
        shares.push(Share {
            units,
            remainder: exact.checked_rem(total_weight)?,
        });
    }

    // The sort is stable, which keeps equal remainders in the order of the weights.
    let mut by_remainder: Vec<&mut Share> = shares.iter_mut().collect();
    by_remainder.sort_by_key(|share| Reverse(share.remainder));
    for share in by_remainder
        .into_iter()
        .take(usize::try_from(left_over).ok()?)
    {
        assert!(
            share.remainder > 0,
            "M6: only a part with a remainder is rounded up"
        );
        share.units = share.units.checked_add(1)?;
    }
    Some(shares.into_iter().map(|share| share.units).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::currency::Currency;

    fn parts(minor: i64, weights: &[u64]) -> Vec<i64> {
        let parts = allocate(Money::new(minor, Currency::EUR), weights).unwrap();
        parts.into_iter().map(Money::minor).collect()
    }

    #[test]
    fn m6_left_over_units_go_to_the_largest_remainders_and_ties_to_the_first() {
        let cases: &[(i64, &[u64], &[i64])] = &[
            (100, &[1, 1, 1], &[34, 33, 33]),
            (101, &[1, 1, 1], &[34, 34, 33]),
            (5, &[3, 7], &[2, 3]),
            (1, &[1, 2, 1], &[0, 1, 0]),
            (100, &[50, 30, 20], &[50, 30, 20]),
            (7, &[0, 1, 0, 1], &[0, 4, 0, 3]),
            (0, &[1, 2], &[0, 0]),
            (-100, &[1, 1, 1], &[-34, -33, -33]),
            (1, &[1; 5], &[1, 0, 0, 0, 0]),
            (9, &[1], &[9]),
        ];
        for (minor, weights, expected) in cases {
            assert_eq!(
                parts(*minor, weights),
                *expected,
                "M6: {minor} by {weights:?}"
            );
        }
    }

    #[test]
    fn m2_the_limits_of_all_types_are_allocated_exactly() {
        assert_eq!(parts(i64::MIN, &[1]), [i64::MIN]);
        assert_eq!(parts(i64::MAX, &[u64::MAX, 0]), [i64::MAX, 0]);
        assert_eq!(
            parts(i64::MIN, &[u64::MAX, u64::MAX]),
            [i64::MIN.div_euclid(2); 2]
        );
        assert_eq!(parts(i64::MAX, &[u64::MAX; MAX_PARTS]).len(), MAX_PARTS);
    }

    #[test]
    fn weights_that_divide_nothing_are_refused() {
        let money = Money::new(100, Currency::EUR);
        assert_eq!(allocate(money, &[]), Err(AllocationError::NoWeight));
        assert_eq!(allocate(money, &[0, 0]), Err(AllocationError::NoWeight));
        let too_many = vec![1; MAX_PARTS.saturating_add(1)];
        assert_eq!(
            allocate(money, &too_many),
            Err(AllocationError::TooManyParts { limit: MAX_PARTS })
        );
    }
}
