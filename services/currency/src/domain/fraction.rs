//! An exact ratio of two published rates, and amounts multiplied by it without any rounding in between.
//!
//! A cross rate is a quotient and mostly has no end as a decimal. Amounts are therefore computed from the quotient itself and rounded
//! once, so that 108.70 at 1.0870 is 100.00 and not 99.99 (X5). Only what is shown of a rate is a decimal.

use paymesh_money::{BasisPoints, Currency, Rate};

use super::rate::digits_of;

/// Low half of 128 bits.
const LOW: u128 = 0xffff_ffff_ffff_ffff;
/// Bits in a half.
const HALF: u32 = 64;
/// Bits of the quotient in a long division.
const BITS: u32 = 128;

/// `up / down`, both above zero, without a common divisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    up: u128,
    down: u128,
}

/// Where a result that does not come out even goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
}

// === impl Fraction ===

impl Fraction {
    /// From one currency to another when each is published per unit of the same base. None beyond 128 bits, which rates of at most
    /// fifteen digits and decimals never reach.
    #[must_use]
    pub fn between(from: Rate, to: Rate) -> Option<Self> {
        let ((from, from_decimals), (to, to_decimals)) = (digits_of(from), digits_of(to));
        let up = 10_u128
            .checked_pow(from_decimals.saturating_sub(to_decimals))?
            .checked_mul(u128::from(to))?;
        let down = 10_u128
            .checked_pow(to_decimals.saturating_sub(from_decimals))?
            .checked_mul(u128::from(from))?;
        Self::reduced(up, down)
    }

    /// The other way round.
    #[must_use]
    pub const fn inverse(self) -> Self {
        Self {
            up: self.down,
            down: self.up,
        }
    }

    /// Less a share of it: what is left of the target. None for the whole.
    #[must_use]
    pub fn less(self, spread: BasisPoints) -> Option<Self> {
        let whole = BasisPoints::WHOLE.get();
        self.times(whole.checked_sub(spread.get())?, whole)
    }

    /// With a share on top of the source: the same target for more.
    #[must_use]
    pub fn with_markup(self, spread: BasisPoints) -> Option<Self> {
        let whole = BasisPoints::WHOLE.get();
        self.times(whole, whole.checked_add(spread.get())?)
    }

    /// What `minor` units of `from` come to in minor units of `to`, never more than exactly. None when it does not fit.
    #[must_use]
    pub fn apply_down(self, minor: u128, from: Currency, to: Currency) -> Option<u128> {
        self.apply(minor, (from, to), Direction::Down)
    }

    /// The same, never less than exactly.
    #[must_use]
    pub fn apply_up(self, minor: u128, from: Currency, to: Currency) -> Option<u128> {
        self.apply(minor, (from, to), Direction::Up)
    }

    fn apply(
        self,
        minor: u128,
        (from, to): (Currency, Currency),
        direction: Direction,
    ) -> Option<u128> {
        let (from, to) = (u32::from(from.minor_units()), u32::from(to.minor_units()));
        let up = 10_u128
            .checked_pow(to.saturating_sub(from))?
            .checked_mul(self.up)?;
        let down = 10_u128
            .checked_pow(from.saturating_sub(to))?
            .checked_mul(self.down)?;
        let (quotient, is_even) = multiply_divide(minor, up, down)?;
        match direction {
            Direction::Down => Some(quotient),
            Direction::Up => quotient.checked_add(u128::from(!is_even)),
        }
    }

    fn times(self, up: u32, down: u32) -> Option<Self> {
        Self::reduced(
            self.up.checked_mul(u128::from(up))?,
            self.down.checked_mul(u128::from(down))?,
        )
    }

    fn reduced(up: u128, down: u128) -> Option<Self> {
        let divisor = greatest_common_divisor(up, down);
        let (up, down) = (up.checked_div(divisor)?, down.checked_div(divisor)?);
        (up > 0 && down > 0).then_some(Self { up, down })
    }
}

fn greatest_common_divisor(mut left: u128, mut right: u128) -> u128 {
    while let Some(rest) = left.checked_rem(right) {
        (left, right) = (right, rest);
    }
    left
}

/// `value × up / down` rounded down, and whether it came out even. None when the result is beyond 128 bits or `down` is zero.
fn multiply_divide(value: u128, up: u128, down: u128) -> Option<(u128, bool)> {
    if let Some(product) = value.checked_mul(up) {
        let quotient = product.checked_div(down)?;
        return Some((quotient, product.checked_rem(down)? == 0));
    }
    let (high, low) = wide_product(value, up);
    if high >= down {
        return None;
    }
    // Schoolbook division, one bit a step: the remainder stays below the divisor, so one subtraction a step is enough.
    let (mut quotient, mut remainder) = (0_u128, high);
    for place in (0..BITS).rev() {
        let carry = remainder >> 127;
        let bit = low.checked_shr(place)? & 1;
        remainder = (remainder << 1) | bit;
        quotient <<= 1;
        if carry == 1 || remainder >= down {
            remainder = remainder.wrapping_sub(down);
            quotient |= 1;
        }
    }
    Some((quotient, remainder == 0))
}

/// The 256 bits of a product, high half first. No partial sum exceeds 128 bits: (2^64 − 1)² + 2 (2^64 − 1) = 2^128 − 1.
fn wide_product(left: u128, right: u128) -> (u128, u128) {
    let (l1, l0) = (left >> HALF, left & LOW);
    let (r1, r0) = (right >> HALF, right & LOW);
    let lowest = l0.wrapping_mul(r0);
    let first = l1.wrapping_mul(r0).wrapping_add(lowest >> HALF);
    let second = l0.wrapping_mul(r1).wrapping_add(first & LOW);
    let high = l1
        .wrapping_mul(r1)
        .wrapping_add(first >> HALF)
        .wrapping_add(second >> HALF);
    (high, (second << HALF) | (lowest & LOW))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::arithmetic_side_effects,
        clippy::integer_division,
        reason = "a test fails by panicking"
    )]

    use proptest::prelude::*;

    use super::*;

    fn between(from: &str, to: &str) -> Fraction {
        Fraction::between(from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    #[test]
    fn x5_what_comes_out_even_is_not_rounded() {
        let (eur, usd, jpy) = (Currency::EUR, Currency::USD, Currency::JPY);
        // 1 EUR = 1.0870 USD = 162.35 JPY
        assert_eq!(
            between("1.0870", "1").apply_down(10_870, usd, eur),
            Some(10_000)
        );
        assert_eq!(
            between("1.0870", "1").apply_up(10_870, usd, eur),
            Some(10_000)
        );
        assert_eq!(
            between("1.0870", "162.35").apply_down(10_870, usd, jpy),
            Some(16_235)
        );
        assert_eq!(
            between("162.35", "1.0870").apply_up(16_235, jpy, usd),
            Some(10_870)
        );
        let mid = between("1", "0.92");
        assert_eq!(mid.inverse().apply_up(9_200, usd, eur), Some(10_000));
    }

    #[test]
    fn the_rest_goes_where_it_is_told() {
        let (eur, jpy, kwd) = (Currency::EUR, Currency::JPY, Currency::KWD);
        let mid = between("1", "0.36");
        assert_eq!(mid.apply_down(1, eur, kwd), Some(3));
        assert_eq!(mid.apply_up(1, eur, kwd), Some(4));
        let mid = between("1", "162.35");
        assert_eq!(mid.apply_down(1, eur, jpy), Some(1));
        assert_eq!(mid.apply_up(1, eur, jpy), Some(2));
        assert_eq!(mid.inverse().apply_down(1, jpy, eur), Some(0));
        assert_eq!(mid.inverse().apply_up(1, jpy, eur), Some(1));
    }

    #[test]
    fn a_spread_is_taken_off_or_put_on() {
        let spread = BasisPoints::try_new(50).unwrap();
        let mid = between("1", "0.92");
        let (usd, eur) = (Currency::USD, Currency::EUR);
        assert_eq!(
            mid.less(spread).unwrap().apply_down(10_000, usd, eur),
            Some(9_154)
        );
        let back = mid.inverse().with_markup(spread).unwrap().inverse();
        assert_eq!(back.apply_up(10_000, usd, eur), Some(9_246));
        assert_eq!(mid.less(BasisPoints::WHOLE), None);
    }

    #[test]
    fn nothing_wraps() {
        assert_eq!(multiply_divide(u128::MAX, 2, 1), None);
        assert_eq!(
            multiply_divide(u128::MAX, u128::MAX, u128::MAX),
            Some((u128::MAX, true))
        );
        assert_eq!(
            multiply_divide(u128::MAX, 3, 4),
            Some((u128::MAX / 4 * 3 + 2, false))
        );
        assert_eq!(multiply_divide(1, 1, 0), None);
    }

    proptest! {
        #[test]
        fn a_wide_division_is_the_inverse_of_a_wide_product(value: u128, up: u128, rest: u128) {
            // (value × up + rest) / up with rest < up is value again.
            prop_assume!(up > 0);
            let (high, low) = wide_product(value, up);
            prop_assert_eq!(multiply_divide(value, up, up), Some((value, true)));
            if let Some(product) = value.checked_mul(up) {
                prop_assert_eq!((high, low), (0, product));
            }
            let down = up.saturating_add(rest % up);
            if let Some((quotient, is_even)) = multiply_divide(value, up, down) {
                // quotient × down ≤ value × up < (quotient + 1) × down
                prop_assert!(wide_product(quotient, down) <= (high, low));
                prop_assert_eq!(wide_product(quotient, down) == (high, low), is_even);
                if let Some(next) = quotient.checked_add(1) {
                    prop_assert!(wide_product(next, down) > (high, low));
                }
            }
        }

        #[test]
        fn x5_the_limits_of_rates_keep_every_step_within_128_bits(
            from in 1_u64..1_000_000_000_000_000, to in 1_u64..1_000_000_000_000_000,
            from_decimals in 0_u32..=15, to_decimals in 0_u32..=15, spread in 0_u32..=9_999,
        ) {
            let read = |digits: u64, decimals: u32| crate::domain::read_rate(&format!("{digits}e-{decimals}"));
            if let (Ok(from), Ok(to)) = (read(from, from_decimals), read(to, to_decimals)) {
                let mid = Fraction::between(from, to).unwrap();
                let spread = BasisPoints::try_new(spread).unwrap();
                for fraction in [mid, mid.less(spread).unwrap(), mid.with_markup(spread).unwrap()] {
                    // An amount that does not fit is None; one unit of anything always has room.
                    prop_assert!(fraction.apply_down(1, Currency::JPY, "CLF".parse().unwrap()).is_some());
                    prop_assert!(fraction.apply_up(1, "CLF".parse().unwrap(), Currency::JPY).is_some());
                }
            }
        }
    }
}
