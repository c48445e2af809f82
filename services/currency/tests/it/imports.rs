//! Files that people send.

use paymesh_chassis::{Section, launch};
use paymesh_currency::Currency;
use paymesh_kernel::{ErrorKind, Role};
use paymesh_proto::{
    Fact as _,
    currency::v1::{self as proto, RateFormat},
    types::v1::Outcome,
};
use paymesh_testkit::Harness;
use prost::Message as _;

use crate::support::{Client, World, next, on_both_engines, refused, value};

on_both_engines!(
    x6_a_file_is_taken_in_once_and_tells_of_it,
    x6_a_file_with_anything_wrong_changes_nothing,
    a_correction_changes_later_answers_and_no_quote,
    a_new_source_stands_behind_the_others,
    without_the_files_of_the_project_there_are_no_rates,
    another_replica_sees_what_was_imported,
);

fn empty() -> paymesh_currency::Config {
    paymesh_currency::Config {
        builtin_rates: false,
        ..Default::default()
    }
}

const CSV: &str = "Date,USD,JPY,BGN,\n2026-01-15,1.16,184,N/A,\n2026-01-14,1.15,183,1.9558,\n";

fn xml(date: &str, rates: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\">\
         <Cube><Cube time=\"{date}\">{rates}</Cube></Cube></gesmes:Envelope>"
    )
}

async fn x6_a_file_is_taken_in_once_and_tells_of_it(harness: Harness) {
    let world = World::with(harness, empty()).await;
    let mut tail = world.tail().await;
    let first = world.import("ecb", RateFormat::EcbCsv, CSV).await.unwrap();
    assert_eq!(first.outcome, i32::from(Outcome::Applied));
    assert_eq!(
        (
            first.imported_count,
            &*first.oldest_date,
            &*first.newest_date
        ),
        (4, "2026-01-14", "2026-01-15")
    );
    let again = world.import("ecb", RateFormat::EcbCsv, CSV).await.unwrap();
    assert_eq!(again.outcome, i32::from(Outcome::AlreadyApplied), "X6");
    assert_eq!(
        again.imported_count, 4,
        "X6: a repeat is answered as the first time"
    );

    // Other bytes with the same rates: taken in, and nothing changes.
    let same = world
        .import(
            "ecb",
            RateFormat::EcbXml,
            &xml("2026-01-15", "<Cube currency='USD' rate='1.160'/>"),
        )
        .await
        .unwrap();
    assert_eq!(
        (same.outcome, same.imported_count),
        (i32::from(Outcome::Applied), 0)
    );
    let news = world
        .import(
            "ecb",
            RateFormat::EcbXml,
            &xml("2026-01-16", "<Cube currency='USD' rate='1.17'/>"),
        )
        .await
        .unwrap();
    assert_eq!(news.imported_count, 1);

    for (sequence, count, newest) in [(1, 4, "2026-01-15"), (2, 1, "2026-01-16")] {
        let event = next(&mut tail).await;
        let fact = proto::ExchangeRatesUpdated::decode(event.payload.as_slice()).unwrap();
        assert_eq!(
            (event.kind.as_ref(), event.sequence, event.tenant),
            (proto::ExchangeRatesUpdated::TYPE, sequence, None)
        );
        assert_eq!(
            (
                fact.source.as_str(),
                fact.base_currency.as_str(),
                fact.imported_count
            ),
            ("ecb", "EUR", count)
        );
        assert_eq!(fact.newest_date, newest);
        assert!(
            fact.newest_rates
                .iter()
                .all(|rate| rate.date == newest && rate.base_currency == "EUR")
        );
        assert!(!fact.newest_rates.is_empty());
    }
}

/// Files with something wrong in them, and the reason that is given.
const WRONG: [(RateFormat, &str, &str); 7] = [
    (
        RateFormat::EcbCsv,
        "Date,USD\n2026-01-13,1.1\n2026-01-12,x\n",
        "RATES_UNREADABLE",
    ),
    (RateFormat::EcbXml, CSV, "RATES_UNREADABLE"),
    (
        RateFormat::EcbCsv,
        "Date,USD\n2026-01-13,N/A\n",
        "RATES_EMPTY",
    ),
    (
        RateFormat::EcbCsv,
        "Date,USD\n2026-01-13,1.1\n2026-01-17,1.1\n",
        "RATES_IN_FUTURE",
    ),
    (
        RateFormat::EcbCsv,
        "Date,USD,JPY\n2026-01-13,1.1,18.4\n",
        "RATES_IMPLAUSIBLE",
    ),
    (RateFormat::EcbCsv, "", "REQUEST_INVALID"),
    (RateFormat::Unspecified, CSV, "REQUEST_INVALID"),
];

async fn x6_a_file_with_anything_wrong_changes_nothing(harness: Harness) {
    let world = World::with(harness, empty()).await;
    world.import("ecb", RateFormat::EcbCsv, CSV).await.unwrap();
    for (format, text, expected) in WRONG {
        let (kind, reason, fields) = refused(world.import("ecb", format, text).await);
        assert_eq!(reason, expected, "X6: {text:?}");
        let (expected, named) = match expected {
            "REQUEST_INVALID" | "RATES_UNREADABLE" => (ErrorKind::InvalidArgument, 1),
            _ => (ErrorKind::FailedPrecondition, 0),
        };
        assert_eq!((kind, fields.len()), (expected, named), "X6: {text:?}");
    }
    let gone = world.rate("EUR", "USD", "2026-01-13").await;
    assert_eq!(
        refused(gone).1,
        "RATE_NOT_FOUND",
        "X6: the good lines of a bad file are not taken in"
    );
    let answer = world.import("The ECB", RateFormat::EcbCsv, CSV).await;
    assert_eq!(refused(answer).2, ["source"]);
    let nothing = proto::ImportRequest::default();
    let customer = world
        .call_as("gateway", &world.customer, |mut client| async move {
            client.import(nothing).await
        })
        .await;
    assert_eq!(refused(customer).0, ErrorKind::PermissionDenied);
}

async fn a_correction_changes_later_answers_and_no_quote(harness: Harness) {
    let world = World::with(harness, empty()).await;
    world.import("ecb", RateFormat::EcbCsv, CSV).await.unwrap();
    let quote = world
        .lock(&crate::support::lock_request(1))
        .await
        .unwrap()
        .quote
        .unwrap();
    let corrected = world
        .import("ecb", RateFormat::EcbCsv, "Date,USD\n2026-01-15,1.20\n")
        .await
        .unwrap();
    assert_eq!(corrected.imported_count, 1);
    assert_eq!(value(&world.rate("EUR", "USD", "").await.unwrap()), "12e-1");
    assert_eq!(
        value(&world.rate("EUR", "JPY", "").await.unwrap()),
        "184e-0",
        "what a correction leaves out stays"
    );
    let again = world
        .lock(&crate::support::lock_request(1))
        .await
        .unwrap()
        .quote
        .unwrap();
    assert_eq!(again, quote);
}

async fn a_new_source_stands_behind_the_others(harness: Harness) {
    let world = World::with(harness, empty()).await;
    world
        .import(
            "treasury",
            RateFormat::EcbCsv,
            "Date,USD,KWD\n2026-01-15,1.25,0.36\n",
        )
        .await
        .unwrap();
    assert_eq!(
        value(&world.rate("EUR", "USD", "").await.unwrap()),
        "125e-2"
    );
    world.import("ecb", RateFormat::EcbCsv, CSV).await.unwrap();
    assert_eq!(
        world.rate("EUR", "USD", "").await.unwrap().source,
        "ecb",
        "X4"
    );
    let dinar = world.rate("EUR", "KWD", "").await.unwrap();
    assert_eq!(
        (dinar.source.as_str(), value(&dinar).as_str()),
        ("treasury", "36e-2")
    );
    let names: Vec<String> = world
        .sources()
        .await
        .into_iter()
        .map(|source| source.name)
        .collect();
    assert_eq!(names, ["ecb", "treasury"]);
    for n in 0..14 {
        world
            .import(&format!("s{n}"), RateFormat::EcbCsv, CSV)
            .await
            .unwrap();
    }
    let full = world.import("one-more", RateFormat::EcbCsv, CSV).await;
    assert_eq!(
        refused(full),
        (
            ErrorKind::ResourceExhausted,
            "SOURCES_TOO_MANY".to_owned(),
            vec![]
        )
    );
}

async fn without_the_files_of_the_project_there_are_no_rates(harness: Harness) {
    let world = World::with(harness, empty()).await;
    assert!(world.sources().await.is_empty());
    assert_eq!(
        refused(world.rate("EUR", "USD", "").await).1,
        "RATE_NOT_FOUND"
    );
    let notes = world.harness.platform.health.report().await.notes;
    assert!(
        notes.iter().any(|note| note.contains("no rates")),
        "{notes:?}"
    );
}

async fn another_replica_sees_what_was_imported(harness: Harness) {
    let mut world = World::with(harness, empty()).await;
    let section = Section {
        database: world.harness.database_of("currency").await,
        settings: paymesh_currency::Config {
            refresh_ms: 100,
            ..empty()
        },
        ..Section::default()
    };
    let other = Harness::sqlite::<Currency>(&[]).await;
    let launched = launch::<Currency>(section, &other.platform).await.unwrap();
    drop(launched.start().unwrap());
    world.import("ecb", RateFormat::EcbCsv, CSV).await.unwrap();
    let client = Client::new(other.channel("gateway", "currency"));
    let customer = other.person(Role::Customer);
    other
        .eventually("the other replica has the rates", || {
            let mut client = client.clone();
            let (other, customer) = (&other, &customer);
            let request = proto::GetRateRequest {
                base_currency: "EUR".to_owned(),
                quote_currency: "USD".to_owned(),
                ..Default::default()
            };
            async move { other.act(customer, client.get_rate(request)).await.is_ok() }
        })
        .await;
}
