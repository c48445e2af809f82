//! Decimal text without floating point: `digits [ "." digits ]`, and nothing else.
//!
//! Signs, exponents, group separators and spaces are left to the callers or refused.

/// Longest text that is looked at.
const MAX_TEXT_BYTES: usize = 40;

/// A decimal number of at least zero. As read from text, it has no zeros at the end of its fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// All digits as one whole number.
    pub(crate) mantissa: u128,
    /// How many of them stand after the point. The value is `mantissa / 10^scale`.
    pub(crate) scale: u32,
}

/// Why a text is no decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// Anything but digits with at most one point between them.
    Malformed,
    /// More digits than can be held.
    TooLong,
}

// === impl Decimal ===

impl Decimal {
    /// Reads an unsigned decimal number.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ParseError::TooLong);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        if !is_digits(whole) || fraction.is_some_and(|fraction| !is_digits(fraction)) {
            return Err(ParseError::Malformed);
        }
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        let mut mantissa = 0_u128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            mantissa = push_digit(mantissa, byte).ok_or(ParseError::TooLong)?;
        }
        let scale = u32::try_from(fraction.len()).map_err(|_| ParseError::TooLong)?;
        Ok(Self { mantissa, scale })
    }

    /// The same number with `scale` digits after the point, all of them printed.
    pub(crate) fn print(self) -> String {
        let Ok(scale) = usize::try_from(self.scale) else {
            return self.mantissa.to_string();
        };
        let width = scale.saturating_add(1);
        let digits = format!("{:0>width$}", self.mantissa);
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn push_digit(mantissa: u128, digit: u8) -> Option<u128> {
    mantissa
        .checked_mul(10)?
        .checked_add(u128::from(digit.checked_sub(b'0')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_to_the_digit() {
        for (text, mantissa, scale) in [
            ("0", 0, 0),
            ("000.000", 0, 0),
            ("12.34", 1234, 2),
            ("12.3400", 1234, 2),
            ("0012", 12, 0),
            ("0.00000000000000000000000000000000000001", 1, 38),
            ("340282366920938463463374607431768211455", u128::MAX, 0),
        ] {
            assert_eq!(
                Decimal::parse(text),
                Ok(Decimal { mantissa, scale }),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", " 1", "1 ", "1e5", "1,5", "1.2.3", "0x1", "٣",
            "1_000", "NaN",
        ] {
            assert_eq!(Decimal::parse(text), Err(ParseError::Malformed), "{text:?}");
        }
        for text in [
            "340282366920938463463374607431768211456",
            "00000000000000000000000000000000000000000",
        ] {
            assert_eq!(Decimal::parse(text), Err(ParseError::TooLong), "{text}");
        }
    }

    #[test]
    fn the_point_is_put_back_where_it_was() {
        for (mantissa, scale, text) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (1234, 2, "12.34"),
            (1200, 2, "12.00"),
            (7, 0, "7"),
        ] {
            assert_eq!(Decimal { mantissa, scale }.print(), text);
        }
    }
}
