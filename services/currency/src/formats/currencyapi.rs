//! Answers of currencyapi.com (`GET /v3/latest?base_currency=EUR`, the key in the header `apikey`).
//!
//! ```text
//! {"meta":{"last_updated_at":"2026-01-15T23:59:59Z"},"data":{"AED":{"code":"AED","value":4.268},"USD":{"code":"USD","value":1.1621}}}
//! ```
//!
//! The answer does not name its base: it is the one that was asked for. Refusals come with status 401, 403, 422 or 429.

use std::collections::BTreeMap;

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    FormatError,
    fixer::{day, shape},
};
use crate::domain::{Publication, RateDate};

#[derive(Deserialize)]
struct Answer {
    meta: Meta,
    data: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Meta {
    last_updated_at: String,
}

#[derive(Deserialize)]
struct Entry {
    value: Box<RawValue>,
}

/// Reads an answer about rates per `base`.
pub(crate) fn read(content: &[u8], base: Currency) -> Result<Publication, FormatError> {
    let answer: Answer = serde_json::from_str(super::text(content)?)
        .map_err(|_| shape("answer", "a JSON object with `meta` and `data` is expected"))?;
    let updated =
        Timestamp::parse(&answer.meta.last_updated_at).map_err(|_| FormatError::Date {
            place: "meta.last_updated_at".to_owned(),
        })?;
    let rates = day(
        answer
            .data
            .iter()
            .map(|(code, entry)| (code.as_str(), entry.value.get())),
        base,
    )?;
    let days = (!rates.is_empty()).then_some((RateDate::of(updated), rates));
    Ok(Publication {
        base,
        days: days.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_answer_is_read_to_the_digit() {
        let text = r#"{"meta":{"last_updated_at":"2026-01-15T23:59:59Z"},"data":{
            "ADA":{"code":"ADA","value":2.1},"EUR":{"code":"EUR","value":1},"KWD":{"code":"KWD","value":0.3570012345},
            "USDC":{"code":"USDC","value":1.16},"JPY":{"code":"JPY","value":1.8412e2}}}"#;
        let publication = read(text.as_bytes(), Currency::EUR).unwrap();
        let shown = format!("{:?}", publication.days);
        assert_eq!(
            shown,
            "{2026-01-15: {JPY: Rate(184.12), KWD: Rate(0.3570012345)}}"
        );
    }

    #[test]
    fn other_answers_are_refused() {
        for text in [
            "",
            "{}",
            r#"{"message":"Invalid authentication credentials"}"#,
            r#"{"meta":{"last_updated_at":"yesterday"},"data":{}}"#,
            r#"{"meta":{"last_updated_at":"2026-01-15T23:59:59Z"},"data":{"USD":1.1}}"#,
            r#"{"meta":{"last_updated_at":"2026-01-15T23:59:59Z"},"data":{"USD":{"value":0}}}"#,
        ] {
            assert!(read(text.as_bytes(), Currency::EUR).is_err(), "{text}");
        }
    }
}
