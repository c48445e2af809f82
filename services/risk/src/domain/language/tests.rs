#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use paymesh_kernel::Timestamp;
use paymesh_money::{Amount, Currency};
use proptest::prelude::*;

use super::{
    tree::{Compare, Condition, Equality, Membership, Ratio, Text, Whole},
    *,
};
use crate::domain::{
    feature::{Measure, TextFeature, Value},
    payment::Newness,
};

fn payment() -> Payment {
    Payment {
        kind: "purchase".to_owned(),
        amount: Amount::try_new(25_000, Currency::USD).unwrap(),
        customer: "user_1".to_owned(),
        payee: String::new(),
        method: "fp_1".to_owned(),
        newness: Newness::New,
        issuer_country: "US".to_owned(),
        merchant: "mrc_1".to_owned(),
        terminal: "t_1".to_owned(),
        country: "DE".to_owned(),
        business_at: Timestamp::parse("2026-01-17T03:00:00Z").unwrap(),
    }
}

fn features() -> Features {
    let mut features = Features::of(&payment());
    for (name, value) in [
        ("customer_nb_tx_1h", Value::Whole(6)),
        ("customer_sum_1d", Value::Whole(60_000)),
        ("customer_avg_30d", Value::Whole(5_000)),
        ("terminal_risk_7d", Value::Ratio(0.5)),
    ] {
        features.restore(Feature::named(name).unwrap(), value);
    }
    features
}

#[test]
fn r7_conditions_hold_as_they_read() {
    for (text, wanted) in [
        ("true", true),
        ("not true", false),
        ("amount > 22000", true),
        ("amount > 22000 and currency == \"USD\"", true),
        ("amount > 22000 and currency == \"JPY\"", false),
        ("amount > 4 * customer_avg_30d", true),
        ("amount >= customer_avg_30d * customer_nb_tx_1h", false),
        ("customer_sum_1d - amount == 35000", true),
        ("-amount < -24999", true),
        ("terminal_risk_7d >= 0.5", true),
        ("terminal_risk_7d > 1", false),
        ("terminal_risk_7d * 2 + 0.5 > 1.4", true),
        ("kind in [\"purchase\", \"top_up\"]", true),
        ("country not in [\"DE\", \"AT\"]", false),
        ("customer_nb_tx_1h in [5, 6]", true),
        ("hour in [-3, 3]", true),
        ("country_differs and payment_method_is_new", true),
        ("is_night and is_weekend", true),
        // `and` holds tighter than `or`, `not` tighter than both.
        ("true or false and false", true),
        ("(true or false) and false", false),
        ("not false and false", false),
        ("issuer_country != country", true),
        (
            "merchant == \"mrc_1\" and terminal == \"t_1\" and customer == \"user_1\"",
            true,
        ),
        // Numbers stop at the ends of their range.
        ("amount * 9000000000000000000 > 0", true),
    ] {
        let expression =
            Expression::parse(text).unwrap_or_else(|error| unreachable!("{text}: {error}"));
        assert_eq!(
            expression.holds(&payment(), &features()),
            wanted,
            "R7: {text}"
        );
    }
}

#[test]
fn r7_what_is_no_condition_is_refused_with_its_place() {
    let long = "a".repeat(MAX_LENGTH + 1);
    let deep = format!(
        "{}true{}",
        "(".repeat(MAX_DEPTH + 1),
        ")".repeat(MAX_DEPTH + 1)
    );
    let members = vec!["1"; MAX_MEMBERS + 1].join(",");
    for (text, at, message) in [
        ("", 1, "a feature, a number, a text or `(`"),
        ("amount", 1, "a condition is expected"),
        ("amount > 5 amount", 12, "`and`, `or` or the end"),
        ("amout > 5", 1, "there is no feature `amout`"),
        ("true and amountt > 5", 10, "there is no feature `amountt`"),
        (
            "amount > customer_nb_tx_1h",
            8,
            "an amount cannot be compared with a count",
        ),
        ("amount + hour > 5", 8, "amounts and counts"),
        ("amount * amount > 5", 8, "amounts and counts"),
        (
            "amount * 1.5 > 5",
            8,
            "money is never multiplied by a ratio",
        ),
        ("amount > 5.5", 8, "different kinds"),
        ("terminal_risk_7d == 0.5", 18, "ratios are compared by"),
        ("kind < \"a\"", 6, "texts are compared by"),
        ("kind == 5", 6, "different kinds"),
        ("is_night == true", 10, "yes and no are not compared"),
        ("kind in [5]", 6, "the list has the same"),
        ("kind in []", 10, "a whole number or a text"),
        ("is_night in [1]", 10, "the list has the same"),
        ("hour not [1]", 10, "`in` is expected"),
        ("(true", 6, "`)` is expected"),
        ("hour = 5", 6, "equal is written `==`"),
        ("hour > 5a", 8, "a number is written"),
        ("hour > 99999999999999999999", 8, "too large"),
        ("kind == \"x", 9, "no closing"),
        ("kind == \"\\x\"", 10, "only `\"` or `\\`"),
        ("hour > 5 ; true", 10, "`;` does not belong"),
        ("-kind == \"x\"", 1, "before numbers only"),
        ("not hour", 5, "a condition is expected"),
        (long.as_str(), MAX_LENGTH + 1, "at most 2000 characters"),
        (deep.as_str(), MAX_DEPTH + 2, "at most 32 levels"),
        (&format!("hour in [{members}]"), 210, "at most 100 members"),
    ] {
        let error = Expression::parse(text).unwrap_err();
        assert!(error.message.contains(message), "R7: {text}: {error}");
        assert_eq!(error.at, at, "R7: {text}: {error}");
    }
}

#[test]
fn an_expression_knows_its_features() {
    let expression =
        Expression::parse("hour > 1 and (hour < 5 or terminal_risk_7d > 0.1)").unwrap();
    let names: Vec<&str> = expression
        .features()
        .iter()
        .map(|feature| feature.name())
        .collect();
    assert_eq!(names, ["hour", "terminal_risk_7d"]);
}

fn feature_of(measures: &'static [Measure]) -> impl Strategy<Value = Feature> {
    let all: Vec<Feature> = Feature::all()
        .filter(|feature| measures.contains(&feature.measure()))
        .collect();
    prop::sample::select(all)
}

fn whole(measure: &'static [Measure]) -> impl Strategy<Value = Whole> {
    let leaf = prop_oneof![
        (-i64::MAX..i64::MAX).prop_map(Whole::Literal),
        feature_of(measure).prop_map(Whole::Feature)
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        let literal = (-1_000_i64..1_000).prop_map(Whole::Literal);
        prop_oneof![
            inner
                .clone()
                .prop_filter("a sign joins its literal", |whole| !matches!(
                    whole,
                    Whole::Literal(_)
                ))
                .prop_map(|whole| Whole::Negative(Box::new(whole))),
            pair.clone()
                .prop_map(|(a, b)| Whole::Sum(Box::new(a), Box::new(b))),
            pair.prop_map(|(a, b)| Whole::Difference(Box::new(a), Box::new(b))),
            (inner, literal).prop_map(|(a, b)| Whole::Product(Box::new(a), Box::new(b))),
        ]
    })
}

fn ratio() -> impl Strategy<Value = Ratio> {
    // Literals as they are written: fifteen digits at most.
    let literal = (0_u32..1_000_000, 0_u32..1_000_000).prop_map(|(whole, millionths)| {
        Ratio::Literal(format!("{whole}.{millionths:06}").parse().unwrap())
    });
    let leaf = prop_oneof![
        literal,
        feature_of(&[Measure::Ratio]).prop_map(Ratio::Feature)
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), inner).prop_map(|(a, b)| Ratio::Product(Box::new(a), Box::new(b)))
    })
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[ -~]{0,12}".prop_map(Text::Literal),
        prop::sample::select(TextFeature::ALL.to_vec()).prop_map(Text::Feature)
    ]
}

fn comparison() -> impl Strategy<Value = Condition> {
    let all = [
        Compare::Equal,
        Compare::NotEqual,
        Compare::Less,
        Compare::AtMost,
        Compare::More,
        Compare::AtLeast,
    ];
    let compare = prop::sample::select(all.to_vec());
    let order = prop::sample::select(all[2..].to_vec());
    let member = prop::sample::select(vec![Membership::In, Membership::NotIn]);
    let numbers = prop::collection::vec(-1_000_i64..1_000, 1..5);
    let texts = prop::collection::vec("[ -~]{0,8}", 1..5);
    prop_oneof![
        any::<bool>().prop_map(Condition::Constant),
        feature_of(&[Measure::Flag]).prop_map(Condition::Flag),
        (
            compare.clone(),
            whole(&[Measure::Count]),
            whole(&[Measure::Count])
        )
            .prop_map(|(c, a, b)| Condition::Whole(c, a, b)),
        (compare, whole(&[Measure::Minor]), whole(&[Measure::Minor]))
            .prop_map(|(c, a, b)| Condition::Whole(c, a, b)),
        (order, feature_of(&[Measure::Ratio]), ratio()).prop_map(|(c, a, b)| Condition::Ratio(
            c,
            Ratio::Feature(a),
            b
        )),
        (
            prop::sample::select(vec![Equality::Equal, Equality::NotEqual]),
            text(),
            text()
        )
            .prop_map(|(e, a, b)| Condition::Text(e, a, b)),
        (member.clone(), whole(&[Measure::Count]), numbers)
            .prop_map(|(m, a, b)| Condition::WholeIn(m, a, b)),
        (member, text(), texts).prop_map(|(m, a, b)| Condition::TextIn(m, a, b)),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    comparison().prop_recursive(4, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
            pair.clone()
                .prop_map(|(a, b)| Condition::And(Box::new(a), Box::new(b))),
            pair.prop_map(|(a, b)| Condition::Or(Box::new(a), Box::new(b))),
        ]
    })
}

proptest! {
    #[test]
    fn r7_no_text_makes_the_parser_panic(text in "\\PC*") {
        Expression::parse(&text).ok();
    }

    #[test]
    fn r7_no_order_of_words_makes_the_parser_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "amount", "hour", "kind", "terminal_risk_7d", "is_night", "true", "and", "or", "not", "in", "(", ")", "[", "]",
            ",", "==", "<", "-", "+", "*", "5", "0.5", "\"x\"", "\\", "nothing",
        ]), 0..40),
    ) {
        if let Ok(expression) = Expression::parse(&words.join(" ")) {
            prop_assert_eq!(Expression::parse(&expression.to_string()), Ok(expression));
        }
    }

    #[test]
    fn r7_what_is_printed_reads_as_the_same(condition in condition()) {
        let printed = condition.to_string();
        prop_assume!(printed.chars().count() <= MAX_LENGTH);
        match parser::parse(&printed) {
            Ok((read, _)) => prop_assert_eq!(read, condition, "R7: {}", printed),
            Err(error) => prop_assert!(error.message.contains("levels"), "R7: {}: {}", printed, error),
        }
    }
}
