#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

#[test]
fn m9_rates_print_as_the_shortest_text_that_is_the_same_number() {
    for (text, printed) in [
        ("0.9154", "0.9154"),
        ("162.35", "162.35"),
        ("162.3500", "162.35"),
        ("1", "1"),
        ("01.0", "1"),
        ("17500", "17500"),
        ("0.000000001", "0.000000001"),
        ("1000000000", "1000000000"),
        (
            "0.00000000123456789012345678",
            "0.00000000123456789012345678",
        ),
        ("123456789.123456789", "123456789.123456789"),
    ] {
        assert_eq!(rate(text).to_string(), printed, "M9");
        assert_eq!(rate(printed), rate(text), "M9");
    }
}

#[test]
fn m11_what_is_no_rate_is_refused_with_the_reason() {
    for text in [
        "", ".", "1.", ".5", "-1", "+1", "1e5", "1,5", " 1", "NaN", "inf",
    ] {
        assert_eq!(
            text.parse::<Rate>(),
            Err(RateError::Malformed),
            "M11: {text:?}"
        );
    }
    for text in [
        "0",
        "0.000",
        "0.000000000999999999",
        "1000000000.1",
        "99999999999999999999999999",
    ] {
        assert_eq!(
            text.parse::<Rate>(),
            Err(RateError::OutOfRange),
            "M11: {text}"
        );
    }
    for text in [
        "1.234567890123456789",
        "123456789.1234567891",
        "0.1000000000000000000000000000000000000001",
    ] {
        assert_eq!(
            text.parse::<Rate>(),
            Err(RateError::TooPrecise),
            "M11: {text}"
        );
    }
}

#[test]
fn m7_products_and_quotients_are_rounded_once_as_asked() {
    use Rounding::{Down, HalfEven, Up};
    for (left, right, rounding, product) in [
        ("0.92", "162.35", HalfEven, "149.362"),
        (
            "1.00000000000000001",
            "1.00000000000000001",
            Down,
            "1.00000000000000002",
        ),
        (
            "1.00000000000000001",
            "1.00000000000000001",
            Up,
            "1.00000000000000003",
        ),
        (
            "1.00000000000000001",
            "1.5",
            HalfEven,
            "1.50000000000000002",
        ),
        (
            "1.00000000000000003",
            "1.5",
            HalfEven,
            "1.50000000000000004",
        ),
        ("31622", "31622", HalfEven, "999950884"),
    ] {
        assert_eq!(
            rate(left).checked_mul(rate(right), rounding),
            Ok(rate(product)),
            "M7: {left} x {right}"
        );
    }
    for (left, right, rounding, quotient) in [
        ("1", "3", HalfEven, "0.333333333333333333"),
        ("1", "3", Up, "0.333333333333333334"),
        ("2", "3", HalfEven, "0.666666666666666667"),
        ("2", "3", Down, "0.666666666666666666"),
        ("149.362", "162.35", Down, "0.92"),
        ("1000000000", "1000000000", Up, "1"),
        (
            "0.000000001",
            "0.00000000123456789012345678",
            Down,
            "0.810000007290000072",
        ),
    ] {
        assert_eq!(
            rate(left).checked_div(rate(right), rounding),
            Ok(rate(quotient)),
            "M7: {left} / {right}"
        );
    }
}

#[test]
fn m11_results_outside_the_limits_are_errors() {
    let (largest, smallest) = (rate("1000000000"), rate("0.000000001"));
    let out_of_range = Err(RateError::OutOfRange);
    assert_eq!(
        largest.checked_mul(rate("1.1"), Rounding::Down),
        out_of_range,
        "M11"
    );
    assert_eq!(
        largest.checked_mul(largest, Rounding::Down),
        out_of_range,
        "M11"
    );
    assert_eq!(
        smallest.checked_mul(smallest, Rounding::Up),
        out_of_range,
        "M11"
    );
    assert_eq!(
        largest.checked_div(smallest, Rounding::Up),
        out_of_range,
        "M11"
    );
    assert_eq!(
        smallest.checked_div(largest, Rounding::Up),
        out_of_range,
        "M11"
    );
    assert_eq!(
        Rate::ONE.less_spread(BasisPoints::WHOLE, Rounding::Down),
        out_of_range,
        "M11"
    );
}

#[test]
fn m11_the_limits_are_each_others_inverse() {
    for rounding in [Rounding::HalfEven, Rounding::Down, Rounding::Up] {
        assert_eq!(
            rate("1000000000").invert(rounding),
            rate("0.000000001"),
            "M11"
        );
        assert_eq!(
            rate("0.000000001").invert(rounding),
            rate("1000000000"),
            "M11"
        );
    }
    let nearly = rate("0.00000000100000000000000001");
    assert_eq!(
        nearly.invert(Rounding::Up).to_string(),
        "999999999.999999991",
        "M11: 999999999.99999999000…"
    );
    assert_eq!(
        nearly.invert(Rounding::Down).to_string(),
        "999999999.99999999",
        "M11"
    );
}

#[test]
fn cross_rates_go_through_the_common_base() {
    let (usd, jpy) = (rate("1.0873"), rate("162.35"));
    let cross = Rate::triangulate(usd, jpy, Rounding::HalfEven).unwrap();
    assert_eq!(cross.to_string(), "149.314816517980318");
}

#[test]
fn a_spread_is_taken_off_the_mid_rate() {
    let spread = BasisPoints::try_new(50).unwrap();
    assert_eq!(
        rate("0.92").less_spread(spread, Rounding::HalfEven),
        Ok(rate("0.9154"))
    );
    assert_eq!(
        rate("0.92").less_spread(BasisPoints::ZERO, Rounding::Up),
        Ok(rate("0.92"))
    );
}

#[test]
fn rates_are_ordered_as_numbers() {
    let sorted = [
        "0.000000001",
        "0.00000000123456789012345678",
        "0.9",
        "0.91",
        "1",
        "9",
        "10",
        "999999999.1",
        "1000000000",
    ];
    assert!(sorted.map(rate).is_sorted_by(|a, b| a < b));
    assert_eq!(
        rate("1000000000").cmp(&rate("0.00000000123456789012345678")),
        Ordering::Greater
    );
}
