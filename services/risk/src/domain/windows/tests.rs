#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use paymesh_money::{Amount, Currency};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{Feature, payment::Newness};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
const LIMITS: Limits = Limits {
    entities: 100_000,
    moments: 1_000_000,
};

fn tenant() -> TenantId {
    TenantId::from(Uuid::from_u128(1))
}

fn payment(customer: &str, minor: i64, at: i64) -> Payment {
    Payment {
        kind: "purchase".to_owned(),
        amount: Amount::try_new(minor, Currency::USD).unwrap(),
        customer: customer.to_owned(),
        payee: String::new(),
        method: "fp".to_owned(),
        newness: Newness::Known,
        issuer_country: String::new(),
        merchant: "m".to_owned(),
        terminal: "t".to_owned(),
        country: "DE".to_owned(),
        business_at: Timestamp::from_micros(at),
    }
}

fn feature(features: &Features, name: &str) -> f64 {
    features.real(Feature::named(name).unwrap())
}

fn label(kind: LabelKind, number: u128, at: i64, known_at: i64) -> Label {
    Label {
        payment: DecisionId::from(Uuid::from_u128(number)),
        tenant: tenant(),
        kind,
        known_at: Timestamp::from_micros(known_at),
        customer: "a".to_owned(),
        method: "fp".to_owned(),
        terminal: "t".to_owned(),
        business_at: Timestamp::from_micros(at),
    }
}

proptest! {
    #[test]
    fn r4_features_are_as_a_list_of_all_payments_has_them(
        made in prop::collection::vec((0_u8..3, 1_i64..100_000, 0..30 * DAY, any::<bool>()), 1..120),
    ) {
        let windows = Windows::new(LIMITS);
        let mut seen: Vec<Payment> = Vec::new();
        for (customer, minor, at, euro) in made {
            let mut now = payment(&format!("c{customer}"), minor, at);
            if euro {
                now.amount = Amount::try_new(minor, Currency::EUR).unwrap();
            }
            seen.push(now.clone());
            let features = windows.observe(tenant(), &now);
            for span in Span::ALL {
                let from = now.business_at.minus(span.length());
                let inside: Vec<&Payment> = seen
                    .iter()
                    .filter(|other| other.business_at > from && other.business_at <= now.business_at)
                    .collect();
                let own: Vec<&&Payment> = inside.iter().filter(|other| other.customer == now.customer).collect();
                let sum = |of: &[&&Payment]| of.iter()
                    .filter(|other| other.currency() == now.currency())
                    .map(|other| other.amount.minor())
                    .sum::<i64>();
                let name = |what: &str| format!("{what}_{}", span.suffix());
                let count = |len: usize| crate::domain::number::real(i64::try_from(len).unwrap());
                prop_assert_eq!(feature(&features, &name("customer_nb_tx")), count(own.len()), "R4");
                prop_assert_eq!(feature(&features, &name("merchant_nb_tx")), count(inside.len()), "R4");
                prop_assert_eq!(feature(&features, &name("customer_sum")), crate::domain::number::real(sum(&own)), "R4");
            }
        }
    }
}

#[test]
fn r6_the_risk_of_a_terminal_uses_no_label_inside_the_delay_and_none_that_is_not_known_yet() {
    let windows = Windows::new(LIMITS);
    for (number, at) in [(1, 0), (2, HOUR), (3, 2 * HOUR), (4, 3 * HOUR)] {
        windows.count(tenant(), &payment("a", 100, at));
        if number <= 2 {
            let known = if number == 1 { DAY } else { 9 * DAY };
            windows.learn(&label(LabelKind::Fraud, number, at, known));
        }
    }
    let risk = |at: i64| {
        let probe = payment("b", 100, at);
        let features = windows.observe(tenant(), &probe);
        windows.take_back(tenant(), &probe);
        feature(&features, "terminal_risk_7d")
    };
    for (at, wanted) in [
        // Everything is inside the delay of seven days.
        (6 * DAY, 0.0),
        // The first payment alone is outside, and its label is known.
        (7 * DAY, 1.0),
        (7 * DAY + 3 * HOUR, 0.25),
        // The label of the second one becomes known on the ninth day.
        (9 * DAY - 1, 0.25),
        (9 * DAY, 0.5),
        // The window has gone by.
        (15 * DAY, 0.0),
    ] {
        assert!((risk(at) - wanted).abs() < 1e-9, "R6: {at}: {}", risk(at));
    }
    windows.learn(&label(LabelKind::Cleared, 1, 0, 10 * DAY));
    assert!((risk(9 * DAY) - 0.5).abs() < 1e-9);
    assert!((risk(10 * DAY) - 0.25).abs() < 1e-9);
}

#[test]
fn failures_count_from_the_moment_they_are_known() {
    let windows = Windows::new(LIMITS);
    windows.learn(&label(LabelKind::Failed, 1, 0, HOUR));
    for (at, wanted) in [
        (HOUR - 1, 0.0),
        (HOUR, 1.0),
        (2 * HOUR - 1, 1.0),
        (2 * HOUR, 0.0),
    ] {
        let features = windows.observe(tenant(), &payment("a", 1, at));
        let found = feature(&features, "customer_nb_failed_1h");
        assert!((found - wanted).abs() < 1e-9, "{at}: {found}");
        let found = feature(&features, "payment_method_nb_failed_1h");
        assert!((found - wanted).abs() < 1e-9, "{at}: {found}");
    }
}

#[test]
fn the_average_that_an_amount_is_compared_with_is_of_earlier_payments() {
    let windows = Windows::new(LIMITS);
    let first = windows.observe(tenant(), &payment("a", 100, DAY));
    assert!(feature(&first, "amount_to_average_30d").abs() < 1e-9);
    windows.count(tenant(), &payment("a", 300, 2 * DAY));
    let third = windows.observe(tenant(), &payment("a", 1_000, 3 * DAY));
    assert!((feature(&third, "amount_to_average_30d") - 5.0).abs() < 1e-9);
    assert!((feature(&third, "customer_avg_30d") - 466.0).abs() < 1e-9);
}

#[test]
fn r5_entities_have_a_limit_and_the_ones_in_use_stay() {
    let windows = Windows::new(Limits {
        entities: 2_000,
        moments: 1_000_000,
    });
    for number in 0..20_000 {
        let at = i64::from(number);
        windows.count(tenant(), &payment(&format!("c{number}"), 1, at));
        windows.count(tenant(), &payment("regular", 1, at));
    }
    let (entities, evicted) = windows.usage();
    assert!(entities <= 2_000 + SHARDS, "R5: {entities}");
    assert!(evicted > 10_000, "R5: {evicted}");
    let features = windows.observe(tenant(), &payment("regular", 1, 20_000));
    assert!(
        (feature(&features, "customer_nb_tx_1h") - 20_001.0).abs() < 1e-9,
        "R5"
    );
}

#[test]
fn a_tenant_is_forgotten_alone() {
    let windows = Windows::new(LIMITS);
    let other = TenantId::from(Uuid::from_u128(2));
    windows.count(tenant(), &payment("a", 1, 0));
    windows.count(other, &payment("a", 1, 0));
    windows.forget(tenant());
    let later = payment("a", 1, 1);
    assert!((feature(&windows.observe(tenant(), &later), "customer_nb_tx_1h") - 1.0).abs() < 1e-9);
    assert!((feature(&windows.observe(other, &later), "customer_nb_tx_1h") - 2.0).abs() < 1e-9);
    assert!(Duration::from_secs(1) < DELAY);
}
