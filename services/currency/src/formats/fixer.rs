//! Answers of the Fixer API (`GET /api/latest?access_key=…`).
//!
//! ```text
//! {"success":true,"timestamp":1768492799,"base":"EUR","date":"2026-01-15","rates":{"AED":4.268,"USD":1.1621}}
//! {"success":false,"error":{"code":101,"type":"invalid_access_key","info":"…"}}
//! ```
//!
//! Refusals too come with status 200. Rates are JSON numbers; they are read as text, so that no digit is lost.

use std::collections::BTreeMap;

use paymesh_money::Currency;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::FormatError;
use crate::domain::{DayRates, Publication, read_rate};

#[derive(Deserialize)]
struct Answer {
    success: bool,
    base: Option<String>,
    date: Option<String>,
    rates: Option<BTreeMap<String, Box<RawValue>>>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<i64>,
}

/// Reads an answer.
pub(crate) fn read(content: &[u8]) -> Result<Publication, FormatError> {
    let answer: Answer = serde_json::from_str(super::text(content)?)
        .map_err(|_| shape("answer", "a JSON object with `success` is expected"))?;
    if !answer.success {
        let code = answer.error.and_then(|refusal| refusal.code);
        return Err(FormatError::Refused {
            code: code.map_or_else(|| "unknown".to_owned(), |code| code.to_string()),
        });
    }
    let (Some(base), Some(date), Some(rates)) = (answer.base, answer.date, answer.rates) else {
        return Err(shape("answer", "`base`, `date` and `rates` are expected"));
    };
    let base: Currency = base
        .parse()
        .map_err(|_| shape("base", "a currency code is expected"))?;
    let date = super::date(&date, || "date".to_owned())?;
    let rates = day(
        rates.iter().map(|(code, rate)| (code.as_str(), rate.get())),
        base,
    )?;
    let days = (!rates.is_empty()).then_some((date, rates));
    Ok(Publication {
        base,
        days: days.into_iter().collect(),
    })
}

/// Rates by code, without the base itself.
pub(super) fn day<'a>(
    rates: impl Iterator<Item = (&'a str, &'a str)>,
    base: Currency,
) -> Result<DayRates, FormatError> {
    let mut day = DayRates::new();
    for (code, text) in rates {
        // Publishers of this kind list crypto-currencies with longer codes among the others.
        let Ok(currency) = code.parse::<Currency>() else {
            continue;
        };
        let rate = read_rate(text).map_err(|source| FormatError::Rate {
            place: currency.to_string(),
            source,
        })?;
        if currency != base {
            day.insert(currency, rate);
        }
    }
    Ok(day)
}

pub(super) fn shape(place: &str, expected: &'static str) -> FormatError {
    FormatError::Shape {
        place: place.to_owned(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_answer_is_read_to_the_digit() {
        let text = r#"{"success":true,"timestamp":1768492799,"base":"EUR","date":"2026-01-15",
            "rates":{"AED":4.268012,"BTC":1.2e-05,"EUR":1,"IDR":19623.1234567,"KWD":3.57e-1,"XAU":0.00025}}"#;
        let publication = read(text.as_bytes()).unwrap();
        let shown = format!("{:?}", publication.days);
        assert_eq!(
            shown,
            "{2026-01-15: {AED: Rate(4.268012), IDR: Rate(19623.1234567), KWD: Rate(0.357)}}"
        );
    }

    #[test]
    fn refusals_and_other_answers_are_told_apart() {
        let refused = r#"{"success":false,"error":{"code":104,"type":"usage_limit_reached","info":"secret"}}"#;
        assert_eq!(
            read(refused.as_bytes()),
            Err(FormatError::Refused {
                code: "104".to_owned()
            })
        );
        for text in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"success":true}"#,
            r#"{"success":true,"base":"euro","date":"2026-01-15","rates":{}}"#,
            r#"{"success":true,"base":"EUR","date":"today","rates":{}}"#,
            r#"{"success":true,"base":"EUR","date":"2026-01-15","rates":{"USD":"1.1"}}"#,
            r#"{"success":true,"base":"EUR","date":"2026-01-15","rates":{"USD":null}}"#,
        ] {
            let wrong = read(text.as_bytes()).unwrap_err();
            assert!(
                !matches!(wrong, FormatError::Refused { .. }),
                "{text}: {wrong}"
            );
        }
    }
}
