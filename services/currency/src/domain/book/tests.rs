#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use uuid::Uuid;

use super::*;

const LIMITS: Limits = Limits {
    fresh_days: 4,
    max_age_days: 10,
};

fn date(text: &str) -> RateDate {
    text.parse().unwrap()
}

fn name(text: &str) -> SourceName {
    text.parse().unwrap()
}

fn currency(text: &str) -> Currency {
    text.parse().unwrap()
}

/// Days as `2026-01-05 USD=1.1 JPY=160`.
fn history(source: &str, days: &[&str]) -> History {
    let id = Uuid::from_u128(u128::from(source.as_bytes()[0]));
    let mut history = History::new(Source {
        id: SourceId::from(id),
        name: name(source),
        base: Currency::EUR,
        version: 1,
        imported_at: Timestamp::EPOCH,
        created_at: Timestamp::EPOCH,
    });
    for line in days {
        let mut words = line.split(' ');
        let day = date(words.next().unwrap());
        let rates = words
            .map(|word| word.split_once('=').unwrap())
            .map(|(code, rate)| (currency(code), rate.parse().unwrap()))
            .collect();
        let imported_at = Timestamp::EPOCH;
        history
            .days
            .insert(day, Arc::new(Day { rates, imported_at }));
    }
    history
}

fn book() -> Book {
    let first = history(
        "first",
        &[
            "2026-01-05 USD=1.10 JPY=160",
            "2026-01-06 JPY=161",
            "2026-01-09 USD=1.12 JPY=162",
        ],
    );
    let second = history(
        "second",
        &[
            "2026-01-05 USD=1.20 KWD=0.36",
            "2026-01-16 USD=1.25 KWD=0.37",
        ],
    );
    let histories = vec![Arc::new(second), Arc::new(first)];
    Book::new(histories, &[name("first"), name("second")])
}

fn mid(
    pair: (&str, &str),
    source: Option<&str>,
    on: &str,
) -> Result<(String, String, i32, Method), NoRate> {
    let pair = (currency(pair.0), currency(pair.1));
    let mid = book().mid(pair, source.map(name).as_ref(), date(on), LIMITS)?;
    Ok((
        mid.rate.to_string(),
        format!("{} {}", mid.source, mid.date),
        mid.age_days,
        mid.method,
    ))
}

#[test]
fn x3_the_last_rate_on_or_before_the_business_date_answers() {
    for (pair, on, rate, found, age, method) in [
        (
            ("EUR", "USD"),
            "2026-01-05",
            "1.1",
            "first 2026-01-05",
            0,
            Method::Direct,
        ),
        (
            ("EUR", "USD"),
            "2026-01-08",
            "1.1",
            "first 2026-01-05",
            3,
            Method::Direct,
        ),
        (
            ("EUR", "JPY"),
            "2026-01-08",
            "161",
            "first 2026-01-06",
            2,
            Method::Direct,
        ),
        (
            ("EUR", "USD"),
            "2026-01-09",
            "1.12",
            "first 2026-01-09",
            0,
            Method::Direct,
        ),
        (
            ("USD", "EUR"),
            "2026-01-09",
            "0.892857142857142857",
            "first 2026-01-09",
            0,
            Method::Inverse,
        ),
        (
            ("USD", "JPY"),
            "2026-01-10",
            "144.642857142857143",
            "first 2026-01-09",
            1,
            Method::Cross,
        ),
        // The day that has only one of the two is passed over.
        (
            ("USD", "JPY"),
            "2026-01-08",
            "145.454545454545455",
            "first 2026-01-05",
            3,
            Method::Cross,
        ),
        (
            ("USD", "KWD"),
            "2026-01-06",
            "0.3",
            "second 2026-01-05",
            1,
            Method::Cross,
        ),
    ] {
        let expected = (rate.to_owned(), found.to_owned(), age, method);
        assert_eq!(mid(pair, None, on), Ok(expected), "X3: {pair:?} {on}");
    }
}

#[test]
fn x4_the_order_decides_among_fresh_rates_and_the_newest_among_older_ones() {
    let usd = |source, on| {
        mid(("EUR", "USD"), source, on).map(|(rate, found, ..)| format!("{rate} {found}"))
    };
    // Both are fresh, the first source wins although the second is newer.
    assert_eq!(
        usd(None, "2026-01-13"),
        Ok("1.12 first 2026-01-09".to_owned())
    );
    // The first is not fresh any more.
    assert_eq!(
        usd(None, "2026-01-16"),
        Ok("1.25 second 2026-01-16".to_owned())
    );
    // Neither is fresh: the newest.
    assert_eq!(
        usd(None, "2026-01-21"),
        Ok("1.25 second 2026-01-16".to_owned())
    );
    // Who asks for a source gets that one.
    assert_eq!(
        usd(Some("first"), "2026-01-16"),
        Ok("1.12 first 2026-01-09".to_owned())
    );
    // Of equally old ones the first in order.
    assert_eq!(
        usd(None, "2026-01-05"),
        Ok("1.1 first 2026-01-05".to_owned())
    );
}

#[test]
fn x4_a_rate_beyond_the_limit_is_never_used_and_its_age_is_told() {
    let (base, quote) = (Currency::EUR, Currency::USD);
    let stale = mid(("EUR", "USD"), None, "2026-01-27");
    let expected = NoRate::Stale {
        base,
        quote,
        date: date("2026-01-16"),
        source_name: name("second"),
        age_days: 11,
        limit_days: 10,
    };
    assert_eq!(stale, Err(expected));
    assert!(
        mid(("EUR", "USD"), None, "2026-01-26").is_ok(),
        "X4: the limit itself is allowed"
    );
    let on = date("2026-01-04");
    assert_eq!(
        mid(("EUR", "USD"), None, "2026-01-04"),
        Err(NoRate::NotQuoted { base, quote, on })
    );
    let unknown = NoRate::UnknownSource {
        name: "third".to_owned(),
    };
    assert_eq!(
        mid(("EUR", "USD"), Some("third"), "2026-01-05"),
        Err(unknown)
    );
}

#[test]
fn sources_without_a_place_in_the_order_come_last_by_name() {
    let histories = ["b", "a", "z"].map(|source| Arc::new(history(source, &[])));
    let book = Book::new(histories.to_vec(), &[name("z")]);
    let names: Vec<&str> = book
        .histories()
        .iter()
        .map(|history| history.source.name.as_str())
        .collect();
    assert_eq!(names, ["z", "a", "b"]);
    let replaced = book.with(history("a", &["2026-01-05 USD=1"]), &[name("z")]);
    assert_eq!(replaced.histories().len(), 3);
    assert_eq!(replaced.history(&name("a")).unwrap().rate_count(), 1);
}
