#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, sync::Arc};

use paymesh_kernel::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{Book, Day, History, Limits, RateDate, Source, SourceId, read_rate};

const LIMITS: Limits = Limits {
    fresh_days: 4,
    max_age_days: 4,
};

/// A book with one day of one source.
#[derive(Debug)]
struct World {
    book: Book,
    date: RateDate,
}

impl World {
    fn new(rates: BTreeMap<Currency, Rate>) -> Self {
        let date = "2026-01-15".parse().unwrap();
        let mut history = History::new(Source {
            id: SourceId::from(Uuid::from_u128(1)),
            name: "ecb".parse().unwrap(),
            base: Currency::EUR,
            version: 1,
            imported_at: Timestamp::EPOCH,
            created_at: Timestamp::EPOCH,
        });
        let imported_at = Timestamp::EPOCH;
        history
            .days
            .insert(date, Arc::new(Day { rates, imported_at }));
        Self {
            book: Book::new(vec![Arc::new(history)], &[]),
            date,
        }
    }

    fn mid(&self, from: Currency, to: Currency) -> Mid {
        self.book.mid((from, to), None, self.date, LIMITS).unwrap()
    }

    fn price(&self, ask: &Ask, spread_bp: u32) -> Result<Priced, PriceError> {
        let (from, to) = ask.pair();
        price(
            ask,
            &self.mid(from, to),
            BasisPoints::try_new(spread_bp).unwrap(),
        )
    }
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn world(rates: &[(&str, &str)]) -> World {
    World::new(
        rates
            .iter()
            .map(|(code, rate)| (currency(code), read_rate(rate).unwrap()))
            .collect(),
    )
}

fn ask(minor: i64, from: &str, side: Side, other: &str, spread_side: SpreadSide) -> Ask {
    let amount = Amount::try_new(minor, currency(from)).unwrap();
    Ask {
        amount,
        side,
        other: currency(other),
        spread_side,
    }
}

/// Source, mid source, mid target, target, spread.
fn minors(priced: &Priced) -> [i64; 5] {
    [
        priced.source,
        priced.mid_source,
        priced.mid_target,
        priced.target,
        priced.spread,
    ]
    .map(Money::minor)
}

#[test]
fn x1_payments_and_refunds_come_to_the_figures_of_the_posting_templates() {
    use Side::{Source, Target};
    // 1 USD = 0.92 GBP = 160 JPY = 0.3 KWD.
    let world = world(&[
        ("USD", "1.25"),
        ("GBP", "1.15"),
        ("JPY", "200"),
        ("KWD", "0.375"),
    ]);
    for (ask, spread_bp, expected) in [
        // The payment, and the same by what arrives.
        (
            ask(10_000, "USD", Source, "GBP", SpreadSide::Target),
            50,
            [10_000, 10_000, 9_200, 9_154, 46],
        ),
        (
            ask(9_154, "GBP", Target, "USD", SpreadSide::Target),
            50,
            [10_000, 10_000, 9_200, 9_154, 46],
        ),
        // The refund of it, the spread on top.
        (
            ask(10_000, "USD", Target, "GBP", SpreadSide::Source),
            50,
            [9_246, 9_200, 10_000, 10_000, 46],
        ),
        (
            ask(9_246, "GBP", Source, "USD", SpreadSide::Source),
            50,
            [9_246, 9_200, 10_000, 10_000, 46],
        ),
        // Exponents 2 → 0, 0 → 2, 2 → 3, 3 → 0.
        (
            ask(10_000, "USD", Source, "JPY", SpreadSide::Target),
            50,
            [10_000, 10_000, 16_000, 15_920, 80],
        ),
        (
            ask(16_000, "JPY", Source, "USD", SpreadSide::Target),
            50,
            [16_000, 16_000, 10_000, 9_950, 50],
        ),
        (
            ask(10_000, "USD", Source, "KWD", SpreadSide::Target),
            0,
            [10_000, 10_000, 30_000, 30_000, 0],
        ),
        (
            ask(1, "KWD", Source, "JPY", SpreadSide::Target),
            0,
            [1, 1, 0, 0, 0],
        ),
        // A target that one minor unit of the source more than covers: the rest is spread, not lost.
        (
            ask(1, "USD", Target, "JPY", SpreadSide::Target),
            50,
            [2, 2, 1, 1, 0],
        ),
        (
            ask(10, "JPY", Target, "USD", SpreadSide::Target),
            50,
            [7, 7, 11, 10, 1],
        ),
    ] {
        match world.price(&ask, spread_bp) {
            Ok(priced) => assert_eq!(minors(&priced), expected, "X1: {ask:?}"),
            Err(error) => assert_eq!(
                (error, expected[3]),
                (PriceError::TooSmall(Currency::JPY), 0),
                "{ask:?}"
            ),
        }
    }
}

#[test]
fn x5_what_comes_out_even_at_a_published_rate_is_even() {
    let world = world(&[("USD", "1.0870")]);
    let there = world
        .price(
            &ask(10_870, "USD", Side::Source, "EUR", SpreadSide::Target),
            0,
        )
        .unwrap();
    assert_eq!(minors(&there), [10_870, 10_870, 10_000, 10_000, 0], "X5");
    let back = world
        .price(
            &ask(10_870, "USD", Side::Target, "EUR", SpreadSide::Source),
            0,
        )
        .unwrap();
    assert_eq!(minors(&back), [10_000, 10_000, 10_870, 10_870, 0], "X5");
}

#[test]
fn rates_are_shown_with_and_without_the_spread() {
    let world = world(&[("USD", "1.25"), ("GBP", "1.15")]);
    let customer = |spread_side| {
        let priced = world
            .price(&ask(10_000, "USD", Side::Source, "GBP", spread_side), 50)
            .unwrap();
        priced.customer_rate.to_string()
    };
    assert_eq!(
        world.mid(Currency::USD, Currency::GBP).rate.to_string(),
        "0.92"
    );
    assert_eq!(customer(SpreadSide::Target), "0.9154");
    assert_eq!(customer(SpreadSide::Source), "0.915422885572139303");
}

#[test]
fn amounts_that_are_no_amounts_are_refused() {
    let world = world(&[("IDR", "20275.17"), ("JPY", "175.68")]);
    let small = world.price(&ask(1, "JPY", Side::Source, "EUR", SpreadSide::Target), 50);
    assert_eq!(small, Err(PriceError::TooSmall(Currency::EUR)));
    let large = world.price(
        &ask(
            Amount::MAX_MINOR,
            "EUR",
            Side::Source,
            "IDR",
            SpreadSide::Target,
        ),
        50,
    );
    assert_eq!(large, Err(PriceError::TooLarge(currency("IDR"))));
}

fn any_currency() -> impl Strategy<Value = Currency> {
    let all: Vec<Currency> = Currency::all().collect();
    // The exponents that differ come up as often as all others together.
    let odd = ["JPY", "KWD", "BHD", "CLF", "EUR"].map(currency).to_vec();
    prop_oneof![proptest::sample::select(all), proptest::sample::select(odd)]
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (1_u64..1_000_000_000, -2_i32..=12).prop_filter_map("out of range", |(digits, decimals)| {
        read_rate(&format!("{digits}e{}", -decimals)).ok()
    })
}

fn any_minor() -> impl Strategy<Value = i64> {
    prop_oneof![1_i64..100, 1_i64..1_000_000, 1_i64..=Amount::MAX_MINOR]
}

fn any_side() -> impl Strategy<Value = (Side, SpreadSide)> {
    (
        proptest::sample::select(vec![Side::Source, Side::Target]),
        proptest::sample::select(vec![SpreadSide::Source, SpreadSide::Target]),
    )
}

/// Three different currencies with rates per euro.
fn any_world() -> impl Strategy<Value = (World, [Currency; 3])> {
    (
        [any_currency(), any_currency(), any_currency()],
        [any_rate(), any_rate(), any_rate()],
    )
        .prop_filter_map(
            "three different currencies whose cross rates are rates",
            |(currencies, rates)| {
                let [a, b, c] = currencies;
                let mut known: BTreeMap<Currency, Rate> =
                    currencies.into_iter().zip(rates).collect();
                known.remove(&Currency::EUR);
                let world = World::new(known);
                let is_usable =
                    |from, to| world.book.mid((from, to), None, world.date, LIMITS).is_ok();
                let all = a != b
                    && b != c
                    && c != a
                    && is_usable(a, b)
                    && is_usable(b, c)
                    && is_usable(c, a);
                all.then_some((world, currencies))
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn x1_x2_legs_and_spread_add_up_for_every_pair_side_and_spread(
        (world, [from, to, _]) in any_world(), minor in any_minor(), (side, spread_side) in any_side(),
        spread_bp in 0_u32..=1_000,
    ) {
        let (amount_in, other) = match side {
            Side::Source => (from, to),
            Side::Target => (to, from),
        };
        let ask = Ask { amount: Amount::try_new(minor, amount_in).unwrap(), side, other, spread_side };
        let mid = world.mid(from, to);
        if let Ok(priced) = world.price(&ask, spread_bp) {
            prop_assert!(priced.adds_up(spread_side), "X1");
            prop_assert!(!priced.spread.is_negative(), "X2");
            let asked = if side == Side::Source { priced.source } else { priced.target };
            prop_assert_eq!(asked, ask.amount.money());
            // The position never gives more than the mid rate is worth, and less by under one minor unit.
            let worth = mid.fraction.apply_down(magnitude(priced.mid_source), from, to);
            prop_assert!(worth >= Some(magnitude(priced.mid_target)), "X2");
            let cost = mid.fraction.inverse().apply_up(magnitude(priced.mid_target), to, from);
            prop_assert!(cost <= Some(magnitude(priced.mid_source)), "X2");
        }
    }

    #[test]
    fn x2_no_way_there_and_back_or_around_makes_money(
        (world, [a, b, c]) in any_world(), minor in any_minor(), spread_bp in 0_u32..=100,
        (_, first) in any_side(), (_, second) in any_side(), (_, third) in any_side(),
    ) {
        let step = |money: Money, to: Currency, spread_side| {
            let amount = Amount::try_from(money).unwrap();
            world.price(&Ask { amount, side: Side::Source, other: to, spread_side }, spread_bp).map(|priced| priced.target)
        };
        let start = Money::new(minor, a);
        if let Ok(there) = step(start, b, first) {
            if let Ok(back) = step(there, a, second) {
                prop_assert!(back.minor() <= minor, "X2: {start} → {there} → {back}");
            }
            if let Ok(back) = step(there, c, second).and_then(|money| step(money, a, third)) {
                prop_assert!(back.minor() <= minor, "X2: {start} around to {back}");
            }
        }
    }

    #[test]
    fn x2_what_a_target_costs_buys_at_least_that_target_and_one_unit_less_does_not(
        (world, [from, to, _]) in any_world(), minor in any_minor(), (_, spread_side) in any_side(), spread_bp in 0_u32..=100,
    ) {
        let wanted = Ask { amount: Amount::try_new(minor, to).unwrap(), side: Side::Target, other: from, spread_side };
        if let Ok(priced) = world.price(&wanted, spread_bp) {
            let buys = |source: i64| {
                let amount = Amount::try_new(source, from).ok()?;
                let ask = Ask { amount, side: Side::Source, other: to, spread_side };
                world.price(&ask, spread_bp).ok().map(|priced| priced.target.minor())
            };
            let cost = priced.source.minor();
            prop_assert!(buys(cost).is_none_or(|target| target >= minor), "X2: the cost covers the target");
            prop_assert!(buys(cost - 1).is_none_or(|target| target < minor), "X2: and is the least that does");
        }
    }
}
