//! What the JSON forms accept, what they refuse, and what they say then (M9, M10).

use std::fmt::Debug;

use paymesh_money::{Amount, BasisPoints, Currency, Money, Rate};
use serde::de::DeserializeOwned;

fn refusal<T: DeserializeOwned + Debug>(json: &str) -> String {
    match serde_json::from_str::<T>(json) {
        Ok(value) => panic!("M10: {json} was accepted as {value:?}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn assert_refused<T: DeserializeOwned + Debug>(json: &str, reason: &str) {
    let message = refusal::<T>(json);
    assert!(
        message.starts_with(reason),
        "M10: {json} was refused with: {message}"
    );
}

#[test]
fn m9_money_has_one_form_in_json() {
    let money = Money::new(1234, Currency::USD);
    let json = r#"{"minor":1234,"currency":"USD"}"#;
    assert_eq!(serde_json::to_string(&money).unwrap(), json, "M9");
    assert_eq!(serde_json::from_str::<Money>(json).unwrap(), money, "M9");
    let other_order = r#"{ "currency": "USD", "minor": 1234 }"#;
    assert_eq!(
        serde_json::from_str::<Money>(other_order).unwrap(),
        money,
        "M9"
    );
    let value = serde_json::from_str::<serde_json::Value>(json).unwrap();
    assert_eq!(serde_json::from_value::<Money>(value).unwrap(), money, "M9");

    let amount = Amount::try_from(money).unwrap();
    assert_eq!(serde_json::to_string(&amount).unwrap(), json, "M9");
    assert_eq!(serde_json::from_str::<Amount>(json).unwrap(), amount, "M9");
}

#[test]
fn m10_minor_units_are_whole_numbers_and_nothing_else() {
    let no_decimals =
        "minor must be a whole number of minor units in 64 bits, without decimals or exponent";
    let not_text = "minor must be a number of minor units, not text";
    let too_large = "minor is outside the range of 64-bit minor units";
    let other = "expected a whole number of minor units";
    for (minor, reason) in [
        ("12.34", no_decimals),
        ("12.0", no_decimals),
        ("1e3", no_decimals),
        ("99999999999999999999", no_decimals),
        ("-9223372036854775809", no_decimals),
        ("9223372036854775808", too_large),
        (r#""1234""#, not_text),
        ("null", other),
        ("true", other),
        ("[1234]", other),
        ("{}", other),
    ] {
        let json = format!(r#"{{"minor":{minor},"currency":"USD"}}"#);
        let message = refusal::<Money>(&json);
        assert!(
            message.contains(reason),
            "M10: {json} was refused with: {message}"
        );
    }
}

#[test]
fn m10_text_sent_as_minor_is_not_repeated() {
    let message = refusal::<Money>(r#"{"minor":"4242424242424242","currency":"USD"}"#);
    assert!(!message.contains("4242"), "M10: {message}");
}

#[test]
fn m10_only_the_two_fields_once_each_make_money() {
    for (json, reason) in [
        (
            r#"{"minor":1,"currency":"USD","scale":2}"#,
            "unknown field `scale`, expected `minor` or `currency`",
        ),
        (
            r#"{"amount":1,"currency":"USD"}"#,
            "unknown field `amount`, expected `minor` or `currency`",
        ),
        (r#"{"currency":"USD"}"#, "missing field `minor`"),
        (r#"{"minor":1}"#, "missing field `currency`"),
        (
            r#"{"minor":1,"minor":2,"currency":"USD"}"#,
            "duplicate field `minor`",
        ),
        (
            r#"{"minor":1,"currency":"USD","currency":"EUR"}"#,
            "duplicate field `currency`",
        ),
        (
            r#"[1,"USD"]"#,
            r#"invalid type: sequence, expected an object such as {"minor":1234,"currency":"USD"}"#,
        ),
        (
            "12.34",
            r#"invalid type: floating point `12.34`, expected an object such as"#,
        ),
        (
            r#""USD 12.34""#,
            r#"invalid type: string "USD 12.34", expected an object such as"#,
        ),
    ] {
        assert_refused::<Money>(json, reason);
        assert_refused::<Amount>(json, reason);
    }
}

#[test]
fn m10_currencies_are_codes_of_the_standard() {
    for (code, reason) in [
        (r#""ABC""#, "ABC is not an active ISO 4217 currency code"),
        (
            r#""XAU""#,
            "XAU has no minor unit in ISO 4217 and cannot be used for payments",
        ),
        (
            r#""usd""#,
            "a currency is written as three upper-case letters of ISO 4217, such as EUR",
        ),
        (
            "840",
            "invalid type: integer `840`, expected a three-letter ISO 4217 currency code",
        ),
    ] {
        assert_refused::<Currency>(code, reason);
        assert_refused::<Money>(&format!(r#"{{"minor":1,"currency":{code}}}"#), reason);
    }
    assert_eq!(serde_json::to_string(&Currency::JPY).unwrap(), r#""JPY""#);
}

#[test]
fn m4_amounts_are_checked_when_they_are_read() {
    for (minor, reason) in [
        ("0", "an amount must be more than zero"),
        ("-1", "an amount must not be negative"),
        (
            "1000000000000001",
            "an amount must be at most 1000000000000000 minor units",
        ),
    ] {
        assert_refused::<Amount>(&format!(r#"{{"minor":{minor},"currency":"USD"}}"#), reason);
    }
}

#[test]
fn m10_rates_are_text_in_json() {
    let rate: Rate = "0.9154".parse().unwrap();
    assert_eq!(serde_json::to_string(&rate).unwrap(), r#""0.9154""#, "M9");
    assert_eq!(
        serde_json::from_str::<Rate>(r#""0.9154""#).unwrap(),
        rate,
        "M9"
    );
    assert_refused::<Rate>(
        "0.9154",
        "invalid type: floating point `0.9154`, expected a rate as decimal text",
    );
    assert_refused::<Rate>(
        "1",
        "invalid type: integer `1`, expected a rate as decimal text",
    );
    assert_refused::<Rate>(r#""0""#, "a rate lies between 0.000000001 and 1000000000");
}

#[test]
fn m10_basis_points_are_whole_numbers_in_range() {
    let points = BasisPoints::try_new(290).unwrap();
    assert_eq!(serde_json::to_string(&points).unwrap(), "290", "M9");
    assert_eq!(
        serde_json::from_str::<BasisPoints>("290").unwrap(),
        points,
        "M9"
    );
    assert_refused::<BasisPoints>("10001", "a share is at most 10000 basis points");
    assert_refused::<BasisPoints>("2.9", "invalid type: floating point");
    assert_refused::<BasisPoints>("-1", "invalid value: integer `-1`");
}
