//! Payment tokens and what each makes the provider do.
//!
//! A token describes itself: `tok_<behaviour>[_<variant>][.country-<CC>][.fp-<fingerprint>]`. The variant is free text, so that
//! each customer and card has a token of its own. A token never holds a card number, and making one from a number is refused.

use serde::Serialize;

use crate::chance::{fixed, letters};
use crate::problem::Problem;
use crate::provider::model::DeclineCode;
use crate::request::refuse_card_numbers;

/// The longest token, in bytes.
const LONGEST_TOKEN_BYTES: usize = 128;
const LONGEST_DELAY_MS: u32 = 120_000;
/// Where cards come from whose token does not say.
const COUNTRIES: [&str; 12] = [
    "US", "DE", "FR", "GB", "NL", "ES", "IT", "PL", "CA", "BR", "JP", "AU",
];

/// What a token makes the provider do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Ok,
    Declined(DeclineCode),
    TimeoutNoEffect,
    TimeoutWithEffect,
    CutWithEffect,
    DelayMs(u32),
    DuplicateWebhook,
    Challenge,
    Frictionless,
    Chargeback,
    CaptureFails,
    CaptureTimeoutNoEffect,
    CaptureTimeoutWithEffect,
    RefundFails,
    RefundFailsLater,
    RefundTimeoutNoEffect,
    RefundTimeoutWithEffect,
    ErrorThenOk,
    TooMany,
    TooManyThenOk,
}

/// What the provider knows of the card behind a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Card {
    #[serde(skip)]
    pub(crate) behaviour: Behaviour,
    pub(crate) token: String,
    /// Country of issue.
    pub(crate) country: String,
    /// The same for all tokens of one card.
    pub(crate) fingerprint: String,
    pub(crate) brand: &'static str,
    pub(crate) last4: String,
}

/// Every behaviour by name; the longest name that fits wins.
const TABLE: [(&str, Behaviour); 24] = [
    ("ok", Behaviour::Ok),
    ("declined", Behaviour::Declined(DeclineCode::DoNotHonor)),
    (
        "declined_do_not_honor",
        Behaviour::Declined(DeclineCode::DoNotHonor),
    ),
    (
        "declined_insufficient_funds",
        Behaviour::Declined(DeclineCode::InsufficientFunds),
    ),
    (
        "declined_stolen",
        Behaviour::Declined(DeclineCode::StolenCard),
    ),
    (
        "declined_expired",
        Behaviour::Declined(DeclineCode::ExpiredCard),
    ),
    ("timeout_no_effect", Behaviour::TimeoutNoEffect),
    ("timeout_with_effect", Behaviour::TimeoutWithEffect),
    ("timeout_with_effect_cut", Behaviour::CutWithEffect),
    ("duplicate_webhook", Behaviour::DuplicateWebhook),
    ("3ds_challenge", Behaviour::Challenge),
    ("3ds_frictionless", Behaviour::Frictionless),
    ("chargeback", Behaviour::Chargeback),
    ("capture_fails", Behaviour::CaptureFails),
    (
        "capture_timeout_no_effect",
        Behaviour::CaptureTimeoutNoEffect,
    ),
    (
        "capture_timeout_with_effect",
        Behaviour::CaptureTimeoutWithEffect,
    ),
    ("refund_fails", Behaviour::RefundFails),
    ("refund_fails_later", Behaviour::RefundFailsLater),
    ("refund_timeout_no_effect", Behaviour::RefundTimeoutNoEffect),
    (
        "refund_timeout_with_effect",
        Behaviour::RefundTimeoutWithEffect,
    ),
    ("error_500_then_ok", Behaviour::ErrorThenOk),
    ("429", Behaviour::TooMany),
    ("429_then_ok", Behaviour::TooManyThenOk),
    ("delay", Behaviour::DelayMs(1_000)),
];

// === impl Card ===

impl Card {
    /// Reads a token.
    pub(crate) fn parse(token: &str) -> Result<Self, Problem> {
        refuse_card_numbers(token.as_bytes())?;
        let unknown = || {
            Problem::refused(
                "unknown_token",
                "this is not a token of this provider; see the table of tokens",
            )
        };
        let name = token.strip_prefix("tok_").ok_or_else(unknown)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if token.len() > LONGEST_TOKEN_BYTES || !token.bytes().all(plain) {
            return Err(unknown());
        }
        let mut parts = name.split('.');
        let name = parts.next().unwrap_or_default();
        let behaviour = behaviour(name).ok_or_else(unknown)?;
        let (mut country, mut fingerprint) = (None, None);
        for part in parts {
            match part.split_once('-') {
                Some(("country", code)) if is_country(code) && country.is_none() => {
                    country = Some(code.to_owned())
                }
                Some(("fp", value)) if !value.is_empty() && fingerprint.is_none() => {
                    fingerprint = Some(value.to_owned())
                }
                Some(_) | None => return Err(unknown()),
            }
        }
        let fingerprint = fingerprint.unwrap_or_else(|| letters(fixed("fingerprint", name)));
        let country = country.unwrap_or_else(|| own_country(&fingerprint));
        let last4 = format!("{:04}", fixed("last4", &fingerprint) % 10_000);
        Ok(Self {
            behaviour,
            token: token.to_owned(),
            country,
            fingerprint,
            brand: "testcard",
            last4,
        })
    }

    /// Makes the token of a test card's alias, such as `ok_alice`.
    pub(crate) fn from_alias(
        alias: &str,
        country: Option<&str>,
        fingerprint: Option<&str>,
    ) -> Result<Self, Problem> {
        let name = alias
            .strip_prefix("tok_")
            .or_else(|| alias.strip_prefix("card_"))
            .unwrap_or(alias);
        let mut token = format!("tok_{name}");
        if let Some(country) = country {
            token.push_str(".country-");
            token.push_str(country);
        }
        if let Some(fingerprint) = fingerprint {
            token.push_str(".fp-");
            token.push_str(fingerprint);
        }
        Self::parse(&token)
    }
}

// === free functions ===

fn behaviour(name: &str) -> Option<Behaviour> {
    let fits = |entry: &str| {
        name.strip_prefix(entry)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let (entry, behaviour) = TABLE
        .iter()
        .filter(|(entry, _)| fits(entry))
        .max_by_key(|(entry, _)| entry.len())?;
    if !matches!(behaviour, Behaviour::DelayMs(_)) {
        return Some(*behaviour);
    }
    let rest = name.strip_prefix(entry)?.strip_prefix('_')?;
    let ms: u32 = rest.split('_').next()?.parse().ok()?;
    (ms <= LONGEST_DELAY_MS).then_some(Behaviour::DelayMs(ms))
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn own_country(fingerprint: &str) -> String {
    let count = u64::try_from(COUNTRIES.len()).unwrap_or(1);
    let place = usize::try_from(fixed("country", fingerprint) % count).unwrap_or(0);
    COUNTRIES.get(place).copied().unwrap_or("US").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn the_longest_name_that_fits_wins_and_the_rest_is_a_variant() {
        let cases = [
            ("tok_ok", Behaviour::Ok),
            ("tok_ok_customer-17_card-2", Behaviour::Ok),
            ("tok_declined", Behaviour::Declined(DeclineCode::DoNotHonor)),
            (
                "tok_declined_stolen_bob",
                Behaviour::Declined(DeclineCode::StolenCard),
            ),
            ("tok_timeout_with_effect", Behaviour::TimeoutWithEffect),
            ("tok_timeout_with_effect_cut_1", Behaviour::CutWithEffect),
            ("tok_429", Behaviour::TooMany),
            ("tok_429_then_ok", Behaviour::TooManyThenOk),
            ("tok_refund_fails_1", Behaviour::RefundFails),
            ("tok_refund_fails_later_1", Behaviour::RefundFailsLater),
            ("tok_delay_250", Behaviour::DelayMs(250)),
            ("tok_delay_250_alice", Behaviour::DelayMs(250)),
        ];
        for (token, behaviour) in cases {
            assert_eq!(Card::parse(token).unwrap().behaviour, behaviour, "{token}");
        }
    }

    #[test]
    fn country_and_fingerprint_come_from_the_token_or_stay_the_same_for_it() {
        let said = Card::parse("tok_ok_alice.country-NG.fp-stolen-batch-7").unwrap();
        assert_eq!(
            (said.country.as_str(), said.fingerprint.as_str()),
            ("NG", "stolen-batch-7")
        );
        assert_eq!(
            Card::parse("tok_ok_alice").unwrap(),
            Card::parse("tok_ok_alice").unwrap()
        );
        assert_ne!(
            Card::parse("tok_ok_alice").unwrap().fingerprint,
            Card::parse("tok_ok_bob").unwrap().fingerprint
        );
        assert_eq!(
            Card::from_alias("card_ok_alice", Some("NG"), Some("stolen-batch-7")).unwrap(),
            said
        );
    }

    #[test]
    fn other_texts_and_card_numbers_are_refused() {
        for token in [
            "",
            "tok_",
            "tok_okay",
            "ok",
            "tok_unknown",
            "tok_delay",
            "tok_delay_x",
            "tok_delay_999999999",
            "tok_ok.x-1",
            "tok_ok bob",
        ] {
            assert_eq!(
                Card::parse(token).unwrap_err().code(),
                "unknown_token",
                "{token}"
            );
        }
        let number = ["42424242", "42424242"].concat();
        assert_eq!(
            Card::from_alias(&number, None, None).unwrap_err().code(),
            "card_number_refused"
        );
        assert_eq!(
            Card::from_alias("ok", None, Some(&number))
                .unwrap_err()
                .code(),
            "card_number_refused"
        );
    }
}
