//! Amounts: minor units and a currency code. Arithmetic on them is checked and stays in integers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest amount one request may carry, in minor units. Sums of a day stay far below `i64::MAX` with it.
pub(crate) const LARGEST_MINOR: i64 = 999_999_999_999;
const BASIS_POINTS: i128 = 10_000;

/// Three capital letters, as in ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Currency([u8; 3]);

/// An amount as the API writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amount {
    pub(crate) minor: i64,
    pub(crate) currency: Currency,
}

// === impl Currency ===

impl Currency {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(code))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is three ASCII letters")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom("a currency is three capital letters, such as EUR"))
    }
}

// === free functions ===

/// `minor × basis_points / 10 000`, half rounded up. Both are not negative, and the result is at most `minor`
/// because validation keeps the rate at or below 100 %.
pub(crate) fn share(minor: i64, basis_points: u32) -> i64 {
    let exact = i128::from(minor) * i128::from(basis_points);
    i64::try_from((exact + BASIS_POINTS / 2) / BASIS_POINTS).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fee_is_rounded_half_up() {
        let cases = [
            (10_000, 120, 120),
            (100, 120, 1),
            (41, 120, 0),
            (42, 120, 1),
            (0, 120, 0),
            (125, 400, 5),
            (12, 417, 1),
        ];
        for (minor, basis_points, fee) in cases {
            assert_eq!(share(minor, basis_points), fee, "{minor} at {basis_points}");
        }
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert_eq!(
            Currency::parse("EUR").map(|currency| currency.to_string()),
            Some("EUR".to_owned())
        );
        for wrong in ["", "EU", "EURO", "eur", "E1R", "€"] {
            assert_eq!(Currency::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_fee_is_within_half_a_unit_and_never_above_the_amount(minor in 0..=LARGEST_MINOR, rate in 0_u32..=10_000) {
            let fee = share(minor, rate);
            prop_assert!((0..=minor).contains(&fee));
            let off = i128::from(fee) * BASIS_POINTS - i128::from(minor) * i128::from(rate);
            prop_assert!(off.abs() * 2 <= BASIS_POINTS);
        }
    }
}
