//! A published rate as text, exact to fifteen digits.
//!
//! Fifteen significant digits and fifteen decimals are more than any publisher gives, and few enough that an amount times two rates,
//! a spread and two exponents is exact (X5). What has more is rounded half to even, once, when it comes in.

use paymesh_money::{Rate, RateError};

/// Most significant digits, and most decimals.
const DIGITS: u32 = 15;
/// Longest text that is looked at.
const TEXT_LIMIT: usize = 40;
/// Largest power of ten in an exponent.
const EXPONENT_LIMIT: i32 = 30;

/// How a mid rate was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As published.
    Direct,
    /// One divided by the published rate.
    Inverse,
    /// Over the base currency of the source.
    Cross,
}

/// The text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateTextError {
    /// Not digits with at most one point and an exponent.
    #[error("a rate is written as a decimal number, such as 1.0842")]
    Malformed,
    /// Zero, too small or too large.
    #[error("a rate lies between 0.000000001 and 1000000000")]
    OutOfRange,
}

/// Reads a rate as CSV, XML and JSON write it: `1.0842`, `16000`, `3.067e-1`.
///
/// # Errors
/// When it is no positive decimal number within the limits of a rate.
pub fn read_rate(text: &str) -> Result<Rate, RateTextError> {
    if text.len() > TEXT_LIMIT {
        return Err(RateTextError::Malformed);
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, read_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
        Some(_) => return Err(RateTextError::Malformed),
        None => (number, ""),
    };
    if !is_digits(whole) {
        return Err(RateTextError::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let mantissa = match digits {
        "" => 0,
        digits => digits
            .parse::<u128>()
            .map_err(|_| RateTextError::Malformed)?,
    };
    let decimals = i32::try_from(fraction.len()).map_err(|_| RateTextError::Malformed)?;
    let scale = decimals.saturating_sub(exponent);
    assemble(mantissa, scale).ok_or(RateTextError::OutOfRange)
}

/// Digits and decimals of a rate: its value is `digits / 10^decimals`.
#[must_use]
pub fn digits_of(rate: Rate) -> (u64, u32) {
    let text = rate.to_string();
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    let digits = text.replace('.', "");
    (
        digits.parse().expect("M11: a rate has at most 18 digits"),
        u32::try_from(decimals).expect("M11: a rate has few decimals"),
    )
}

/// The rate `mantissa / 10^scale`, rounded half to even to the digits that are kept.
fn assemble(mantissa: u128, scale: i32) -> Option<Rate> {
    let (mantissa, scale) = if scale < 0 {
        let factor = 10_u128.checked_pow(scale.unsigned_abs())?;
        (mantissa.checked_mul(factor)?, 0)
    } else {
        (mantissa, scale.unsigned_abs())
    };
    let length = mantissa.checked_ilog10()?.saturating_add(1);
    let surplus = length
        .saturating_sub(DIGITS)
        .max(scale.saturating_sub(DIGITS));
    let scale = scale.checked_sub(surplus)?;
    let kept = drop_digits(mantissa, surplus)?;
    let text = if scale == 0 {
        kept.to_string()
    } else {
        let scale = usize::try_from(scale).ok()?;
        let width = scale.checked_add(1)?;
        let padded = format!("{kept:0>width$}");
        let (whole, fraction) = padded.split_at_checked(padded.len().checked_sub(scale)?)?;
        format!("{whole}.{fraction}")
    };
    text.parse::<Rate>()
        .map_err(|_: RateError| ())
        .ok()
        .filter(|rate| digits_of(*rate).1 <= DIGITS)
}

fn drop_digits(mantissa: u128, surplus: u32) -> Option<u128> {
    let Some(factor) = 10_u128.checked_pow(surplus) else {
        return Some(0);
    };
    let quotient = mantissa.checked_div(factor)?;
    let remainder = mantissa.checked_rem(factor)?;
    let missing = factor.checked_sub(remainder)?;
    let is_odd = quotient.checked_rem(2)? == 1;
    let is_up = remainder > missing || (remainder == missing && is_odd);
    quotient.checked_add(u128::from(is_up && surplus > 0))
}

fn read_exponent(text: &str) -> Result<i32, RateTextError> {
    let digits = text.trim_start_matches(['+', '-']);
    if text.len().saturating_sub(digits.len()) > 1 || !is_digits(digits) {
        return Err(RateTextError::Malformed);
    }
    let exponent: i32 = text.parse().map_err(|_| RateTextError::Malformed)?;
    if exponent.abs() > EXPONENT_LIMIT {
        return Err(RateTextError::OutOfRange);
    }
    Ok(exponent)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_to_the_digit_and_rounded_once() {
        for (text, expected) in [
            ("1.1172", "1.1172"),
            ("136", "136"),
            ("136.00", "136"),
            ("20275.17", "20275.17"),
            ("0.36", "0.36"),
            ("3.6e-1", "0.36"),
            ("2.027517E+4", "20275.17"),
            ("1e5", "100000"),
            ("1.10", "1.1"),
            ("0.123456789012345678", "0.123456789012346"),
            ("1.2345678901234565", "1.23456789012346"),
            ("17834.12345678905", "17834.1234567890"),
            ("17834.12345678915", "17834.1234567892"),
            ("0.000001", "0.000001"),
        ] {
            let expected: Rate = expected.parse().expect("a rate");
            assert_eq!(read_rate(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "N/A",
            "1,5",
            "1 ",
            "1e",
            "e5",
            "1e1.5",
            "0x1",
            "1e--5",
            "NaN",
            "1_0",
            "1111111111111111111111111111111111111111111111",
        ] {
            assert_eq!(read_rate(text), Err(RateTextError::Malformed), "{text:?}");
        }
        for text in ["0", "0.0", "1e-20", "1e10", "1e31", "0e5", "10000000000"] {
            assert_eq!(read_rate(text), Err(RateTextError::OutOfRange), "{text:?}");
        }
    }

    #[test]
    fn digits_and_decimals_make_the_rate_again() {
        for (text, digits, decimals) in [("1.1172", 11_172, 4), ("136", 136, 0), ("0.05", 5, 2)] {
            let rate: Rate = text.parse().expect("a rate");
            assert_eq!(digits_of(rate), (digits, decimals), "{text}");
        }
    }
}
