#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[test]
fn people_see_the_decimals_of_the_currency() {
    for (minor, code, text) in [
        (1234, "USD", "USD 12.34"),
        (-1234, "USD", "USD -12.34"),
        (5, "EUR", "EUR 0.05"),
        (-5, "EUR", "EUR -0.05"),
        (0, "EUR", "EUR 0.00"),
        (500, "JPY", "JPY 500"),
        (1, "KWD", "KWD 0.001"),
        (12_345, "CLF", "CLF 1.2345"),
        (i64::MIN, "USD", "USD -92233720368547758.08"),
        (i64::MAX, "JPY", "JPY 9223372036854775807"),
    ] {
        assert_eq!(Money::new(minor, currency(code)).to_string(), text);
    }
}

#[test]
fn m2_every_overflow_is_an_error_that_names_the_operation() {
    let overflow = |operation| Err(MoneyError::Overflow { operation });
    assert_eq!(
        usd(i64::MAX).checked_add(usd(1)),
        overflow("an addition"),
        "M2"
    );
    assert_eq!(
        usd(i64::MIN).checked_sub(usd(1)),
        overflow("a subtraction"),
        "M2"
    );
    assert_eq!(usd(i64::MIN).checked_neg(), overflow("a negation"), "M2");
    assert_eq!(
        usd(i64::MIN).checked_mul(-1),
        overflow("a multiplication"),
        "M2"
    );
    assert_eq!(
        Money::checked_sum(Currency::USD, [usd(i64::MAX), usd(1)]),
        overflow("a sum"),
        "M2"
    );
}

#[test]
fn results_at_the_limits_are_exact() {
    assert_eq!(usd(i64::MAX).checked_add(usd(i64::MIN)), Ok(usd(-1)));
    assert_eq!(usd(-1).checked_sub(usd(i64::MAX)), Ok(usd(i64::MIN)));
    assert_eq!(usd(i64::MAX).checked_neg(), Ok(usd(-i64::MAX)));
    assert_eq!(
        Money::checked_sum(Currency::USD, [usd(i64::MAX), usd(1), usd(-1)]),
        Ok(usd(i64::MAX))
    );
    assert_eq!(
        Money::checked_sum(Currency::USD, []),
        Ok(Money::zero(Currency::USD))
    );
}

#[test]
fn m3_two_currencies_never_mix_and_the_error_names_both() {
    let euros = Money::new(1, Currency::EUR);
    let mismatch = MoneyError::CurrencyMismatch {
        left: Currency::USD,
        right: Currency::EUR,
    };
    assert_eq!(usd(1).checked_add(euros), Err(mismatch), "M3");
    assert_eq!(usd(1).checked_sub(euros), Err(mismatch), "M3");
    assert_eq!(usd(1).checked_cmp(euros), Err(mismatch), "M3");
    assert_eq!(
        Money::checked_sum(Currency::USD, [usd(1), euros]),
        Err(mismatch),
        "M3"
    );
    assert_eq!(
        mismatch.to_string(),
        "USD and EUR cannot be combined without a conversion"
    );
    assert_ne!(
        usd(0),
        Money::zero(Currency::EUR),
        "M3: nothing in dollars is not nothing in euros"
    );
}

#[test]
fn signs_and_order_are_those_of_the_minor_units() {
    assert!(usd(1).is_positive() && usd(-1).is_negative() && usd(0).is_zero());
    assert!(!usd(0).is_positive() && !usd(0).is_negative());
    assert_eq!(usd(-5).checked_cmp(usd(3)), Ok(Ordering::Less));
    assert_eq!(usd(3).checked_cmp(usd(3)), Ok(Ordering::Equal));
}

#[test]
fn major_units_are_read_without_rounding() {
    for (text, code, minor) in [
        ("12.34", "USD", 1234),
        ("-12.3", "USD", -1230),
        ("12", "USD", 1200),
        ("500.00", "JPY", 500),
        ("0.001", "KWD", 1),
        ("-0", "USD", 0),
        ("92233720368547758.07", "USD", i64::MAX),
        ("-92233720368547758.08", "USD", i64::MIN),
    ] {
        assert_eq!(
            Money::from_major(text, currency(code)),
            Ok(Money::new(minor, currency(code))),
            "{text}"
        );
    }
}

#[test]
fn m1_major_units_that_do_not_fit_are_refused_with_the_reason() {
    let too_precise = |code, minor_units| ParseMoneyError::TooPrecise {
        currency: currency(code),
        minor_units,
    };
    for (text, code, error) in [
        ("12.345", "USD", too_precise("USD", 2)),
        ("0.5", "JPY", too_precise("JPY", 0)),
        ("92233720368547758.08", "USD", ParseMoneyError::TooLarge),
        (
            "340282366920938463463374607431768211455",
            "USD",
            ParseMoneyError::TooLarge,
        ),
        ("--1", "USD", ParseMoneyError::Malformed),
        ("-", "USD", ParseMoneyError::Malformed),
        ("", "USD", ParseMoneyError::Malformed),
        ("1,000.00", "USD", ParseMoneyError::Malformed),
        ("1e3", "USD", ParseMoneyError::Malformed),
    ] {
        assert_eq!(
            Money::from_major(text, currency(code)),
            Err(error),
            "M1: {text:?}"
        );
    }
}
