//! How long a decision takes in process, and how fast thirty days of history are imported.
//!
//! The first part feeds the windows with 290,000 payments of 5,000 customers at 10,000 terminals and then decides on 100,000 more,
//! without the commit. The second imports as many over gRPC, in pieces of 10,000, into a SQLite file.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use paymesh_kernel::{Clock as _, Principal, Role, Timestamp, id::TenantId};
use paymesh_money::{Amount, Currency};
use paymesh_proto::{
    risk::v1::{self as pb, risk_service_client::RiskServiceClient},
    types::v1::Money,
};
use paymesh_risk::{
    Risk, Settings,
    domain::{
        Lists, Payment, RuleSet, Thresholds, Windows, payment::Newness, rule, verdict,
        windows::Limits,
    },
};
use paymesh_testkit::Harness;
use uuid::Uuid;

const PAYMENTS: i64 = 290_000;
const DECISIONS: i64 = 100_000;
const CHUNK: i64 = 10_000;
const DAYS_30_US: i64 = 30 * 86_400_000_000;

#[tokio::main]
async fn main() {
    decide();
    import().await;
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{text}").unwrap();
}

/// Numbers that look like chance and are the same in each run.
fn spread(number: i64, below: i64) -> i64 {
    number
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
        .rotate_right(29)
        .rem_euclid(below)
}

fn payment(number: i64, at: i64) -> Payment {
    let customer = spread(number, 5_000);
    Payment {
        kind: "purchase".to_owned(),
        amount: Amount::try_new(100 + spread(number, 20_000), Currency::USD).unwrap(),
        customer: format!("user_{customer}"),
        payee: String::new(),
        method: format!("fp_{customer}"),
        newness: Newness::Known,
        issuer_country: "DE".to_owned(),
        merchant: format!("mrc_{}", spread(number, 200)),
        terminal: format!("trm_{}", spread(number, 10_000)),
        country: "DE".to_owned(),
        business_at: Timestamp::from_micros(at),
    }
}

fn decide() {
    let tenant = TenantId::from(Uuid::from_u128(1));
    let windows = Windows::new(Limits {
        entities: 250_000,
        moments: 6_000_000,
    });
    let step = DAYS_30_US / PAYMENTS;
    let begun = Instant::now();
    for number in 0..PAYMENTS {
        windows.count(tenant, &payment(number, number * step));
    }
    say(&format!("fed {PAYMENTS} payments in {:?}", begun.elapsed()));
    let rules = RuleSet::of(&rule::defaults(tenant, Timestamp::EPOCH), |_, _| {});
    let (lists, thresholds) = (
        Lists::default(),
        Thresholds {
            challenge: 60,
            review: 80,
        },
    );
    let mut times: Vec<Duration> = Vec::new();
    for number in PAYMENTS..PAYMENTS + DECISIONS {
        let payment = payment(number, number * step);
        let begun = Instant::now();
        let features = windows.observe(tenant, &payment);
        let verdict = verdict::judge(&rules, &lists, (&payment, &features), thresholds);
        times.push(begun.elapsed());
        std::hint::black_box(verdict);
    }
    times.sort_unstable();
    let at = |permille: usize| {
        times
            .get(times.len() * permille / 1_000)
            .copied()
            .unwrap_or_default()
    };
    say(&format!(
        "{DECISIONS} decisions: p50 {:?}, p99 {:?}, p99.9 {:?}",
        at(500),
        at(990),
        at(999)
    ));
}

async fn import() {
    let mut harness = Harness::sqlite::<Risk>(&[]).await;
    harness.launch::<Risk>(Settings::default()).await;
    let admin: Principal = harness.person(Role::Admin);
    let first = harness.clock.now().as_micros() - DAYS_30_US;
    let begun = Instant::now();
    for chunk in 0..PAYMENTS / CHUNK {
        let items = (chunk * CHUNK..(chunk + 1) * CHUNK).map(|number| item(number, first));
        let request = pb::ImportHistoryRequest {
            import_id: "bench".to_owned(),
            chunk: i32::try_from(chunk).unwrap(),
            items: items.collect(),
        };
        let mut client = RiskServiceClient::new(harness.channel("gateway", "risk"));
        harness
            .act(&admin, client.import_history(request))
            .await
            .unwrap();
    }
    say(&format!(
        "imported {PAYMENTS} payments in {:?}",
        begun.elapsed()
    ));
    harness.restart().await;
    harness.launch::<Risk>(Settings::default()).await;
    let begun = Instant::now();
    let mut client = RiskServiceClient::new(harness.channel("gateway", "risk"));
    let request = pb::ListRulesRequest::default();
    harness
        .act(&admin, client.list_rules(request))
        .await
        .unwrap();
    say(&format!(
        "filled the windows after a restart in {:?}",
        begun.elapsed()
    ));
}

fn item(number: i64, first: i64) -> pb::HistoryItem {
    let at = first + number * (DAYS_30_US / PAYMENTS);
    let payment = payment(number, at);
    pb::HistoryItem {
        reference: format!("h{number}"),
        customer_id: payment.customer,
        payment_method_id: payment.method,
        merchant_id: payment.merchant,
        terminal_id: payment.terminal,
        country: payment.country,
        amount: Some(Money {
            minor: payment.amount.minor(),
            currency: "USD".to_owned(),
        }),
        business_at_us: at,
        fraud: number % 120 == 0,
        labelled_at_us: 0,
    }
}
