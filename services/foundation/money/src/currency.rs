//! Currencies by their ISO 4217 codes.
//!
//! A `Currency` can only be one of the active codes that have a minor unit (M1), so its exponent is always known.
//! Codes are read exactly: three upper-case letters.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use table::{ENTRIES, Entry, WITHOUT_MINOR_UNITS};

mod table;

/// Letters in a code.
const CODE_BYTES: usize = 3;

/// An active ISO 4217 currency in which payments can be made. Small and `Copy`; ordered by code.
#[derive(Clone, Copy)]
pub struct Currency(&'static Entry);

/// Why a text is no usable currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    /// Not three upper-case ASCII letters. The text is not repeated, because it may be anything.
    #[error("a currency is written as three upper-case letters of ISO 4217, such as EUR")]
    Malformed,
    /// Well formed, but not an active code.
    #[error("{code} is not an active ISO 4217 currency code")]
    Unknown {
        /// The three letters.
        code: String,
    },
    /// An active code without a minor unit: metals, units of account, XTS, XXX.
    #[error("{code} has no minor unit in ISO 4217 and cannot be used for payments")]
    WithoutMinorUnits {
        /// The three letters.
        code: String,
    },
}

struct CodeVisitor;

// === impl Currency ===

impl Currency {
    /// Swiss franc, two decimals.
    pub const CHF: Self = Self::known("CHF");
    /// Euro, two decimals.
    pub const EUR: Self = Self::known("EUR");
    /// Pound sterling, two decimals.
    pub const GBP: Self = Self::known("GBP");
    /// Yen, no decimals.
    pub const JPY: Self = Self::known("JPY");
    /// Kuwaiti dinar, three decimals.
    pub const KWD: Self = Self::known("KWD");
    /// US dollar, two decimals.
    pub const USD: Self = Self::known("USD");

    /// All usable currencies, sorted by code.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        ENTRIES.iter().map(Self)
    }

    /// The three upper-case letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0.code
    }

    /// The numeric code, 1 to 999; standards print it with three digits (`{:03}`).
    #[must_use]
    pub const fn numeric(self) -> u16 {
        self.0.numeric
    }

    /// The exponent: how many decimals the minor unit has (0, 2, 3 or 4).
    #[must_use]
    pub const fn minor_units(self) -> u8 {
        self.0.minor_units
    }

    /// The English name in the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Evaluated by the compiler only: a constant with a code that is not in the table does not build.
    const fn known(code: &str) -> Self {
        Self::find(code).expect("M1: a named currency is in the table")
    }

    const fn find(code: &str) -> Option<Self> {
        let mut rest: &'static [Entry] = &ENTRIES;
        while let Some((entry, tail)) = rest.split_first() {
            if let ([a, b, c], [x, y, z]) = (entry.code.as_bytes(), code.as_bytes())
                && *a == *x
                && *b == *y
                && *c == *z
            {
                return Some(Self(entry));
            }
            rest = tail;
        }
        None
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != CODE_BYTES || !text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(CurrencyError::Malformed);
        }
        let position = ENTRIES.binary_search_by_key(&text, |entry| entry.code);
        if let Some(entry) = position.ok().and_then(|index| ENTRIES.get(index)) {
            return Ok(Self(entry));
        }
        let code = text.to_owned();
        if WITHOUT_MINOR_UNITS.contains(&text) {
            return Err(CurrencyError::WithoutMinorUnits { code });
        }
        Err(CurrencyError::Unknown { code })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialEq for Currency {
    fn eq(&self, other: &Self) -> bool {
        self.code() == other.code()
    }
}

impl Eq for Currency {}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl Hash for Currency {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code().hash(state);
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CodeVisitor)
    }
}

// === impl CodeVisitor ===

impl Visitor<'_> for CodeVisitor {
    type Value = Currency;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a three-letter ISO 4217 currency code")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Currency, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn m1_the_table_is_sorted_and_unique_and_well_formed() {
        assert!(
            ENTRIES.is_sorted_by(|a, b| a.code < b.code),
            "M1: the lookup relies on the order"
        );
        assert!(WITHOUT_MINOR_UNITS.is_sorted_by(|a, b| a < b));
        let mut numerics: Vec<u16> = Currency::all().map(Currency::numeric).collect();
        numerics.sort_unstable();
        numerics.dedup();
        assert_eq!(numerics.len(), ENTRIES.len(), "numeric codes are unique");
        for currency in Currency::all() {
            assert!(
                matches!(currency.minor_units(), 0 | 2 | 3 | 4),
                "{currency}"
            );
            assert!((1..=999).contains(&currency.numeric()), "{currency}");
            assert!(!currency.name().is_empty(), "{currency}");
            assert!(
                !WITHOUT_MINOR_UNITS.contains(&currency.code()),
                "{currency}"
            );
        }
    }

    #[test]
    fn m1_exponents_and_numbers_are_those_of_the_standard() {
        for (code, numeric, minor_units, name) in [
            ("AFN", 971, 2, "Afghani"),
            ("ALL", 8, 2, "Lek"),
            ("BHD", 48, 3, "Bahraini Dinar"),
            ("CLF", 990, 4, "Unidad de Fomento"),
            ("EUR", 978, 2, "Euro"),
            ("ISK", 352, 0, "Iceland Krona"),
            ("JPY", 392, 0, "Yen"),
            ("TND", 788, 3, "Tunisian Dinar"),
            ("USD", 840, 2, "US Dollar"),
            ("UYW", 927, 4, "Unidad Previsional"),
            ("ZWG", 924, 2, "Zimbabwe Gold"),
        ] {
            let currency: Currency = code.parse().unwrap();
            assert_eq!(currency.code(), code);
            assert_eq!(
                (currency.numeric(), currency.minor_units(), currency.name()),
                (numeric, minor_units, name)
            );
        }
        assert_eq!(Currency::KWD.minor_units(), 3);
        assert_eq!(Currency::all().len(), 165);
    }

    #[test]
    fn m9_every_code_prints_as_it_was_read() {
        for currency in Currency::all() {
            assert_eq!(currency.to_string().parse(), Ok(currency), "M9");
        }
    }

    #[test]
    fn m1_codes_without_minor_units_are_refused_by_their_own_error() {
        for code in ["XAG", "XAU", "XDR", "XPT", "XSU", "XTS", "XXX"] {
            let expected = CurrencyError::WithoutMinorUnits {
                code: code.to_owned(),
            };
            assert_eq!(code.parse::<Currency>(), Err(expected), "M1");
        }
    }

    #[test]
    fn withdrawn_unknown_and_malformed_codes_are_told_apart() {
        for code in ["DEM", "HRK", "BGN", "ABC"] {
            assert_eq!(
                code.parse::<Currency>(),
                Err(CurrencyError::Unknown {
                    code: code.to_owned()
                })
            );
        }
        for text in [
            "",
            "US",
            "USDX",
            "usd",
            "Usd",
            " USD",
            "840",
            "€€€",
            "E\u{301}",
        ] {
            assert_eq!(
                text.parse::<Currency>(),
                Err(CurrencyError::Malformed),
                "{text:?}"
            );
        }
    }
}
