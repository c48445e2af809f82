//! The rules under random input, with the limits of every type drawn often.

use paymesh_money::{Amount, BasisPoints, Currency, Money, Rate, Rounding, allocate, convert, fee};
use proptest::prelude::*;

/// Any minor units, the dangerous ones often.
fn minors() -> impl Strategy<Value = i64> {
    let limits = prop::sample::select(vec![
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        i64::MAX - 1,
        i64::MAX,
    ]);
    prop_oneof![1 => limits, 2 => any::<i64>(), 3 => -1_000_000_i64..1_000_000]
}

fn currencies() -> impl Strategy<Value = Currency> {
    prop::sample::select(Currency::all().collect::<Vec<_>>())
}

fn money() -> impl Strategy<Value = Money> {
    (minors(), currencies()).prop_map(|(minor, currency)| Money::new(minor, currency))
}

fn amounts() -> impl Strategy<Value = Amount> {
    let minors = prop_oneof![
        1..=10_000_i64,
        1..=Amount::MAX_MINOR,
        Just(Amount::MAX_MINOR)
    ];
    (minors, currencies()).prop_map(|(minor, currency)| Amount::try_new(minor, currency).unwrap())
}

/// Rates of all magnitudes and of up to 18 significant digits.
fn rates() -> impl Strategy<Value = Rate> {
    let mantissas = prop_oneof![
        1..1_000_u64,
        1..1_000_000_000_u64,
        1..1_000_000_000_000_000_000_u64
    ];
    (mantissas, 0..=26_usize).prop_filter_map("outside the limits", |(mantissa, scale)| {
        let width = scale + 1;
        let digits = format!("{mantissa:0>width$}");
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let text = if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        };
        text.parse().ok()
    })
}

fn roundings() -> impl Strategy<Value = Rounding> {
    prop::sample::select(vec![Rounding::HalfEven, Rounding::Down, Rounding::Up])
}

fn weights() -> impl Strategy<Value = Vec<u64>> {
    let weight = prop_oneof![Just(0), 1..100_u64, any::<u64>(), Just(u64::MAX)];
    prop::collection::vec(weight, 1..40).prop_filter("a weight above zero", |weights| {
        weights.iter().any(|w| *w > 0)
    })
}

fn basis_points() -> impl Strategy<Value = BasisPoints> {
    (0..=10_000_u32).prop_map(|value| BasisPoints::try_new(value).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn m2_arithmetic_is_exact_or_an_error(a in minors(), b in minors(), currency in currencies()) {
        let (left, right) = (Money::new(a, currency), Money::new(b, currency));
        let (wide_a, wide_b) = (i128::from(a), i128::from(b));
        let exact = |value: i128| i64::try_from(value).ok();
        prop_assert_eq!(left.checked_add(right).ok().map(Money::minor), exact(wide_a + wide_b), "M2");
        prop_assert_eq!(left.checked_sub(right).ok().map(Money::minor), exact(wide_a - wide_b), "M2");
        prop_assert_eq!(left.checked_mul(b).ok().map(Money::minor), exact(wide_a * wide_b), "M2");
        prop_assert_eq!(left.checked_neg().ok().map(Money::minor), exact(-wide_a), "M2");
        prop_assert_eq!(left.checked_cmp(right), Ok(a.cmp(&b)), "M2");
        let sum = Money::checked_sum(currency, [left, right, left]);
        prop_assert_eq!(sum.ok().map(Money::minor), exact(wide_a + wide_b + wide_a), "M2");
    }

    #[test]
    fn m3_two_currencies_are_always_an_error(a in money(), b in money()) {
        prop_assume!(a.currency() != b.currency());
        prop_assert!(a.checked_add(b).is_err() && a.checked_sub(b).is_err() && a.checked_cmp(b).is_err(), "M3");
    }

    #[test]
    fn m5_the_parts_always_add_up_to_the_whole(whole in money(), weights in weights()) {
        let parts = allocate(whole, &weights).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
        prop_assert_eq!(sum, i128::from(whole.minor()), "M5");
        prop_assert!(parts.iter().all(|part| part.currency() == whole.currency()), "M5");
    }

    #[test]
    fn m6_every_part_is_less_than_one_unit_from_its_exact_share(whole in money(), weights in weights()) {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let parts = allocate(whole, &weights).unwrap();
        for (part, weight) in parts.iter().zip(&weights) {
            let product = u128::from(whole.minor().unsigned_abs()) * u128::from(*weight);
            let (floor, exact) = (product / total, product % total == 0);
            let units = u128::from(part.minor().unsigned_abs());
            prop_assert!(units == floor || (!exact && units == floor + 1), "M6: {} of {}", units, floor);
            prop_assert!(part.is_zero() || part.is_negative() == whole.is_negative(), "M6");
        }
        prop_assert_eq!(parts, allocate(whole, &weights).unwrap(), "M6: the same again");
    }

    #[test]
    fn m6_a_larger_weight_never_gets_less(whole in amounts(), weights in weights()) {
        let parts = allocate(whole.money(), &weights).unwrap();
        let mut by_weight: Vec<_> = weights.iter().zip(parts.iter().map(|part| part.minor())).collect();
        by_weight.sort_unstable();
        for pair in by_weight.windows(2) {
            prop_assert!(pair[0].0 == pair[1].0 || pair[0].1 <= pair[1].1, "M6: {:?}", pair);
        }
    }

    #[test]
    fn m7_the_modes_of_rounding_bracket_the_result(money in money(), rate in rates(), to in currencies()) {
        let results = [Rounding::Down, Rounding::HalfEven, Rounding::Up]
            .map(|rounding| convert(money, rate, to, rounding).ok().map(|money| money.minor().unsigned_abs()));
        if let [Some(down), Some(half_even), Some(up)] = results {
            prop_assert!(down <= half_even && half_even <= up && up - down <= 1, "M7: {:?}", results);
        }
    }

    #[test]
    fn m8_there_and_back_never_makes_money(money in money(), rate in rates(), over in currencies()) {
        let there = convert(money, rate, over, Rounding::Down);
        prop_assume!(there.is_ok());
        let back = convert(there.unwrap(), rate.invert(Rounding::Down), money.currency(), Rounding::Down).unwrap();
        prop_assert!(back.minor().unsigned_abs() <= money.minor().unsigned_abs(), "M8: {} became {}", money, back);
        prop_assert!(back.is_zero() || back.is_negative() == money.is_negative(), "M8");
    }

    #[test]
    fn m8_a_triangle_through_the_base_never_makes_money(
        amount in amounts(), base_to_from in rates(), base_to_to in rates(), base in currencies(), to in currencies(),
    ) {
        let down = Rounding::Down;
        let cross = Rate::triangulate(base_to_from, base_to_to, down);
        prop_assume!(cross.is_ok());
        let there = convert(amount.money(), cross.unwrap(), to, down);
        prop_assume!(there.is_ok());
        let in_base = convert(there.unwrap(), base_to_to.invert(down), base, down);
        prop_assume!(in_base.is_ok());
        let back = convert(in_base.unwrap(), base_to_from, amount.currency(), down).unwrap();
        prop_assert!(back.minor() <= amount.minor(), "M8: {} became {}", amount, back);
    }

    #[test]
    fn m9_money_is_read_as_it_was_printed(money in money()) {
        prop_assert_eq!(Money::from_major(&money.to_major(), money.currency()), Ok(money), "M9");
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money, "M9");
    }

    #[test]
    fn m9_rates_are_read_as_they_were_printed(rate in rates()) {
        prop_assert_eq!(rate.to_string().parse(), Ok(rate), "M9");
        let json = serde_json::to_string(&rate).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), rate, "M9");
    }

    #[test]
    fn m9_no_text_makes_a_reader_panic(text in "[-+0-9.eE, ]{0,45}|\\PC{0,20}", currency in currencies()) {
        prop_assert!(text.parse::<Rate>().is_err() || !text.is_empty());
        prop_assert!(Money::from_major(&text, currency).is_err() || !text.is_empty());
        prop_assert!(text.parse::<Currency>().is_err() || text.len() == 3);
    }

    #[test]
    fn m11_every_rate_has_an_inverse_and_rounding_brackets_it(rate in rates()) {
        let [down, half_even, up] = [Rounding::Down, Rounding::HalfEven, Rounding::Up].map(|mode| rate.invert(mode));
        prop_assert!(down <= half_even && half_even <= up, "M11");
        let there_and_back = [down, up].map(|inverse| inverse.checked_mul(rate, Rounding::HalfEven).unwrap());
        let close: Rate = "1.00000000000000001".parse().unwrap();
        prop_assert!(there_and_back[0] <= Rate::ONE && Rate::ONE <= there_and_back[1], "M11");
        prop_assert!(there_and_back[1] <= close, "M11: {:?}", there_and_back);
    }

    #[test]
    fn m11_products_and_quotients_stay_in_the_limits_or_are_errors(a in rates(), b in rates(), mode in roundings()) {
        let (largest, smallest) = ("1000000000".parse::<Rate>().unwrap(), "0.000000001".parse::<Rate>().unwrap());
        for result in [a.checked_mul(b, mode), a.checked_div(b, mode)].into_iter().flatten() {
            prop_assert!(smallest <= result && result <= largest, "M11: {}", result);
            prop_assert_eq!(result.to_string().parse(), Ok(result), "M9");
        }
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse(), "M11");
    }

    #[test]
    fn m12_a_fee_is_never_negative_and_grows_with_the_amount(
        base in amounts(), more in 0..1_000_000_i64, percentage in basis_points(), fixed in 0..10_000_i64,
    ) {
        let fixed = Money::new(fixed, base.currency());
        let small = fee(base, percentage, fixed).unwrap();
        prop_assert!(fixed.minor() <= small.minor() && small.minor() <= fixed.minor() + base.minor(), "M12");
        if let Ok(larger) = Amount::try_new(base.minor() + more, base.currency()) {
            prop_assert!(small.minor() <= fee(larger, percentage, fixed).unwrap().minor(), "M12");
        }
    }

    #[test]
    fn a_spread_never_improves_a_rate(rate in rates(), spread in basis_points()) {
        if let Ok(worse) = rate.less_spread(spread, Rounding::Down) {
            prop_assert!(worse <= rate, "{} became {}", rate, worse);
        }
    }
}
