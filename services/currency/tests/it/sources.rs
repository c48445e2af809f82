//! Publishers over HTTP: order, time-outs, fallback, and keys that never show.

use std::time::Duration;

use paymesh_chassis::Secret;
use paymesh_currency::{
    Config, Currency,
    config::{EcbConfig, KeyedConfig},
};
use paymesh_testkit::Harness;

use crate::{
    publishers::{self, Behaviour, Publisher},
    support::{World, on_both_engines, refused, value},
};

on_both_engines!(
    the_ecb_is_asked_for_what_is_missing_and_its_rates_are_used,
    fixer_and_currencyapi_are_asked_with_their_keys,
    x4_the_order_of_sources_decides,
    a_source_that_fails_leaves_the_last_known_rates_in_use_and_their_age_shown,
);

const TODAY: &str = "2026-01-15";

fn offline() -> Config {
    Config {
        builtin_rates: false,
        ..Config::default()
    }
}

fn ecb(publisher: &Publisher) -> EcbConfig {
    EcbConfig {
        enabled: true,
        url: publisher.url.clone(),
        timeout_ms: 500,
        ..EcbConfig::default()
    }
}

fn keyed(publisher: &Publisher) -> KeyedConfig {
    KeyedConfig {
        enabled: true,
        url: publisher.url.clone(),
        key: Secret::new("k3y"),
        timeout_ms: 500,
        interval_minutes: 720,
    }
}

/// Waits until a source has its first rates.
async fn arrived(world: &World, source: &str) {
    world
        .harness
        .eventually("the rates arrive", || async {
            world
                .sources()
                .await
                .iter()
                .any(|known| known.name == source && !known.newest_date.is_empty())
        })
        .await;
}

async fn the_ecb_is_asked_for_what_is_missing_and_its_rates_are_used(harness: Harness) {
    let publisher =
        Publisher::start(&harness.platform.tasks, publishers::ecb(TODAY, "1.1624")).await;
    let world = World::with(
        harness,
        Config {
            ecb: ecb(&publisher),
            ..offline()
        },
    )
    .await;
    arrived(&world, "ecb").await;
    assert_eq!(publisher.requests(), ["/eurofxref-hist-90d.xml"]);
    let rate = world.rate("EUR", "USD", "").await.unwrap();
    assert_eq!(
        (value(&rate).as_str(), rate.date.as_str()),
        ("11624e-4", TODAY)
    );
    assert_eq!(
        world.sources().await[0].max_age_ms,
        7 * 86_400_000,
        "who asks a source is stricter about age"
    );
}

async fn fixer_and_currencyapi_are_asked_with_their_keys(harness: Harness) {
    let tasks = harness.platform.tasks.clone();
    let fixer = Publisher::start(&tasks, publishers::fixer(TODAY, "1.162381")).await;
    let currencyapi =
        Publisher::start(&tasks, publishers::currencyapi(TODAY, "1.1623805543")).await;
    let config = Config {
        fixer: keyed(&fixer),
        currencyapi: keyed(&currencyapi),
        ..offline()
    };
    let world = World::with(harness, config).await;
    arrived(&world, "fixer").await;
    arrived(&world, "currencyapi").await;
    assert_eq!(fixer.requests(), ["/latest?access_key=k3y"]);
    assert_eq!(
        currencyapi.requests(),
        ["/v3/latest?base_currency=EUR&type=fiat k3y"]
    );
    let rate = world.rate("EUR", "USD", "").await.unwrap();
    assert_eq!(
        (value(&rate).as_str(), rate.source.as_str()),
        ("1162381e-6", "fixer")
    );
    // Three digits after the point of a dinar, two of a euro: 1 EUR is 0.357312 KWD.
    let quote = crate::support::lock_request(1);
    let quote = paymesh_proto::currency::v1::LockQuoteRequest {
        amount: Some(crate::support::money(100_000, "EUR")),
        other_currency: "KWD".to_owned(),
        ..quote
    };
    let quote = world.lock(&quote).await.unwrap().quote.unwrap();
    assert_eq!(
        (quote.mid_target.unwrap().minor, quote.target.unwrap().minor),
        (357_312, 355_525)
    );
}

async fn x4_the_order_of_sources_decides(harness: Harness) {
    let tasks = harness.platform.tasks.clone();
    // The ECB's rate is five days old; the other's is of today.
    let first = Publisher::start(&tasks, publishers::ecb("2026-01-12", "1.15")).await;
    let second = Publisher::start(&tasks, publishers::fixer(TODAY, "1.17")).await;
    let config = Config {
        ecb: ecb(&first),
        fixer: keyed(&second),
        ..offline()
    };
    let world = World::with(harness, config).await;
    arrived(&world, "ecb").await;
    arrived(&world, "fixer").await;
    let fresh = world.rate("EUR", "USD", "").await.unwrap();
    assert_eq!(
        (fresh.source.as_str(), fresh.age_days),
        ("ecb", 3),
        "X4: among fresh rates the order decides"
    );
    let older = world.rate("EUR", "USD", "2026-01-18").await.unwrap();
    assert_eq!(
        (older.source.as_str(), older.age_days),
        ("fixer", 3),
        "X4: a rate that is not fresh gives way"
    );
    let names: Vec<String> = world
        .sources()
        .await
        .into_iter()
        .map(|source| source.name)
        .collect();
    assert_eq!(names, ["ecb", "fixer"]);
}

async fn a_source_that_fails_leaves_the_last_known_rates_in_use_and_their_age_shown(
    harness: Harness,
) {
    let tasks = harness.platform.tasks.clone();
    let healthy = Publisher::start(&tasks, publishers::ecb(TODAY, "1.1624")).await;
    let mut world = World::with(
        harness,
        Config {
            ecb: ecb(&healthy),
            ..offline()
        },
    )
    .await;
    arrived(&world, "ecb").await;
    for behaviour in [
        Behaviour::Silence,
        Behaviour::Answer(503, "busy".to_owned()),
        Behaviour::Answer(200, "<html>".to_owned()),
        publishers::ecb("2026-01-15", "116.24"),
        publishers::fixer_refusal(),
    ] {
        world.harness.clock.advance(Duration::from_secs(86_400));
        world.harness.restart().await;
        let tasks = world.harness.platform.tasks.clone();
        let sick = Publisher::start(&tasks, behaviour).await;
        let config = Config {
            ecb: ecb(&sick),
            fixer: keyed(&sick),
            ..offline()
        };
        world.harness.launch::<Currency>(config).await;
        sick.asked().await;
        let rate = world.rate("EUR", "USD", "").await.unwrap();
        assert_eq!(
            (value(&rate).as_str(), rate.date.as_str()),
            ("11624e-4", TODAY),
            "the last known rate"
        );
    }
    let rate = world.rate("EUR", "USD", "").await.unwrap();
    assert_eq!(rate.age_days, 5);
    let health = &world.harness.platform.health;
    world
        .harness
        .eventually("the report says how old the rates are", || async {
            let notes = health.report().await.notes;
            notes.iter().any(|note| {
                note.contains("5 days old") && note.contains("ecb") && !note.contains("k3y")
            })
        })
        .await;
    world.harness.clock.advance(Duration::from_secs(3 * 86_400));
    assert_eq!(
        refused(world.rate("EUR", "USD", "").await).1,
        "RATE_STALE",
        "X4"
    );
}
