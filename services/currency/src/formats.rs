//! Files and answers of publishers, read into publications. Pure: bytes in, rates out, or the place that is wrong.
//!
//! Codes that are well formed and not active in ISO 4217 (withdrawn currencies, metals, crypto-currencies) are passed over; anything else
//! that cannot be read refuses the whole.

pub(crate) mod currencyapi;
pub(crate) mod ecb_csv;
pub(crate) mod ecb_xml;
pub(crate) mod fixer;

use std::str;

use paymesh_money::{Currency, CurrencyError};

use crate::domain::{RateDate, RateTextError};

/// Largest file, in bytes.
pub(crate) const FILE_LIMIT: usize = 16 * 1024 * 1024;

/// Which form a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The ECB's history or day as CSV.
    EcbCsv,
    /// The ECB's day, 90 days or history as XML.
    EcbXml,
}

/// Why a file or an answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Too many bytes.
    #[error("it has more than {FILE_LIMIT} bytes")]
    TooLarge,
    /// Not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// Not of this form at all.
    #[error("{place}: {expected}")]
    Shape {
        /// Line, element or field.
        place: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A date.
    #[error("{place}: a date is expected, such as 2026-01-31 or 31 January 2026")]
    Date {
        /// Line or element.
        place: String,
    },
    /// A rate.
    #[error("{place}: {source}")]
    Rate {
        /// Line and currency.
        place: String,
        /// Why.
        source: RateTextError,
    },
    /// The same twice.
    #[error("{place} occurs twice")]
    Repeated {
        /// A date or a currency.
        place: String,
    },
    /// The publisher refused, in its own words' code.
    #[error("the publisher refused with code {code}")]
    Refused {
        /// As the publisher numbers or names it.
        code: String,
    },
}

fn text(content: &[u8]) -> Result<&str, FormatError> {
    if content.len() > FILE_LIMIT {
        return Err(FormatError::TooLarge);
    }
    let text = str::from_utf8(content).map_err(|_| FormatError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The currency of a code; None when it is none of those that are active.
fn currency(code: &str, place: impl Fn() -> String) -> Result<Option<Currency>, FormatError> {
    match code.parse::<Currency>() {
        Ok(currency) => Ok(Some(currency)),
        Err(CurrencyError::Unknown { .. } | CurrencyError::WithoutMinorUnits { .. }) => Ok(None),
        Err(CurrencyError::Malformed) => Err(FormatError::Shape {
            place: place(),
            expected: "a currency code of three upper-case letters is expected",
        }),
    }
}

fn date(word: &str, place: impl Fn() -> String) -> Result<RateDate, FormatError> {
    word.parse()
        .map_err(|_| FormatError::Date { place: place() })
}
