//! From one currency to another at a rate.

use crate::currency::Currency;
use crate::money::{Money, MoneyError, signed};
use crate::rate::Rate;
use crate::rounding::{Rounding, Tail, divide, pow10};

/// `money` in `to`, when one **major** unit of its currency costs `rate` major units of `to`.
///
/// Both exponents are honoured, the computation is exact and is rounded once, to the minor unit of `to` (M7). Little
/// money may become zero. When [`Rounding::Down`] is used there, back, and for [`Rate::invert`], no conversion and
/// return makes money (M8).
///
/// # Errors
/// [`MoneyError::Overflow`] when the result does not fit.
pub fn convert(
    money: Money,
    rate: Rate,
    to: Currency,
    rounding: Rounding,
) -> Result<Money, MoneyError> {
    let magnitude = scaled(money, rate, to, rounding);
    let minor = magnitude.and_then(|magnitude| signed(magnitude, money.is_negative()));
    let minor = minor.ok_or(MoneyError::Overflow {
        operation: "a conversion",
    })?;
    Ok(Money::new(minor, to))
}

/// `minor × mantissa × 10^(exponent of to) / 10^(scale + exponent of from)`, with powers of ten cancelled first, so that
/// an intermediate result overflows only when the final one does.
fn scaled(money: Money, rate: Rate, to: Currency, rounding: Rounding) -> Option<u128> {
    let product =
        u128::from(money.minor().unsigned_abs()).checked_mul(u128::from(rate.mantissa()))?;
    let up = u32::from(to.minor_units());
    let down = rate
        .scale()
        .checked_add(u32::from(money.currency().minor_units()))?;
    match down.checked_sub(up) {
        Some(digits) => divide(product, pow10(digits)?, Tail::Exact, rounding),
        None => product.checked_mul(pow10(up.checked_sub(down)?)?),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn converted(
        minor: i64,
        from: &str,
        rate: &str,
        to: &str,
        rounding: Rounding,
    ) -> Result<i64, MoneyError> {
        let money = Money::new(minor, from.parse().unwrap());
        convert(money, rate.parse().unwrap(), to.parse().unwrap(), rounding).map(Money::minor)
    }

    #[test]
    fn m7_both_exponents_count_and_the_result_is_rounded_once() {
        use Rounding::{Down, HalfEven, Up};
        for (minor, from, rate, to, rounding, expected) in [
            (10_000, "USD", "0.9154", "EUR", HalfEven, 9_154),
            (10_000, "USD", "162.35", "JPY", HalfEven, 16_235),
            (16_235, "JPY", "0.00615953187", "USD", HalfEven, 10_000),
            (1, "USD", "162.35", "JPY", HalfEven, 2),
            (1, "USD", "162.35", "JPY", Down, 1),
            (1, "USD", "162.35", "JPY", Up, 2),
            (1, "JPY", "0.0049", "USD", Down, 0),
            (1, "JPY", "0.0049", "USD", Up, 1),
            (1_234, "KWD", "3.25", "USD", HalfEven, 401),
            (100, "USD", "0.3075", "KWD", HalfEven, 308),
            (100, "USD", "0.3065", "KWD", HalfEven, 306),
            (-100, "USD", "0.3065", "KWD", Up, -307),
            (-100, "USD", "0.3065", "KWD", Down, -306),
            (1, "JPY", "2", "CLF", HalfEven, 20_000),
            (20_000, "CLF", "0.5", "JPY", HalfEven, 1),
            (i64::MIN, "USD", "1", "EUR", Up, i64::MIN),
        ] {
            let result = converted(minor, from, rate, to, rounding);
            assert_eq!(
                result,
                Ok(expected),
                "M7: {minor} {from} at {rate} {rounding:?}"
            );
        }
    }

    #[test]
    fn m2_a_conversion_that_does_not_fit_is_an_error() {
        let overflow = Err(MoneyError::Overflow {
            operation: "a conversion",
        });
        assert_eq!(
            converted(i64::MAX, "USD", "1.000001", "EUR", Rounding::Down),
            overflow,
            "M2"
        );
        assert_eq!(
            converted(i64::MAX, "JPY", "1000000000", "CLF", Rounding::Down),
            overflow,
            "M2"
        );
        let tiny = converted(
            i64::MAX,
            "JPY",
            "0.00000000100000000000000001",
            "CLF",
            Rounding::Down,
        );
        assert_eq!(
            tiny,
            Ok(92_233_720_368_547),
            "M2: a result that fits is never an overflow"
        );
    }
}
