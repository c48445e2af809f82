//! Reading rates.

use paymesh_kernel::ErrorKind;
use paymesh_proto::{currency::v1 as proto, types::v1::Page};
use paymesh_testkit::Harness;

use crate::support::{World, noon, on_both_engines, refused, value};

on_both_engines!(
    the_rates_that_come_with_the_project_are_there_on_the_first_start_and_after_the_next,
    x3_a_rate_is_the_last_one_on_or_before_the_business_date_with_its_age,
    x4_a_rate_beyond_the_limit_is_refused_with_its_age,
    a_day_and_a_history_are_listed_page_by_page,
    convert_prices_and_fixes_nothing,
    bad_requests_name_their_fields,
);

async fn the_rates_that_come_with_the_project_are_there_on_the_first_start_and_after_the_next(
    harness: Harness,
) {
    let mut world = World::start(harness).await;
    for _ in 0..2 {
        let sources = world.sources().await;
        assert_eq!(sources.len(), 1);
        assert_eq!(
            (sources[0].name.as_str(), sources[0].newest_date.as_str()),
            ("ecb", "2026-10-30")
        );
        assert_eq!(sources[0].currency_count, 29);
        // The demo's days and the recent ones, as the ECB published them.
        for (on, expected) in [
            ("2018-04-03", "12308e-4"),
            ("2018-09-28", "11576e-4"),
            ("2026-10-30", "11172e-4"),
        ] {
            let rate = world.rate("EUR", "USD", on).await.unwrap();
            assert_eq!(
                (value(&rate).as_str(), rate.date.as_str(), rate.age_days),
                (expected, on, 0)
            );
        }
        world.restart(paymesh_currency::Config::default()).await;
    }
}

async fn x3_a_rate_is_the_last_one_on_or_before_the_business_date_with_its_age(harness: Harness) {
    let world = World::start(harness).await;
    // Saturday to Monday before the ECB has published, over Easter 2026 (3 to 6 April).
    for (on, date, age) in [
        ("2026-01-17", "2026-01-16", 1),
        ("2026-04-06", "2026-04-02", 4),
        ("2026-04-07", "2026-04-07", 0),
    ] {
        let rate = world.rate("USD", "JPY", on).await.unwrap();
        assert_eq!(
            (rate.date.as_str(), rate.age_days, rate.source.as_str()),
            (date, age, "ecb"),
            "X3"
        );
        assert_eq!(rate.method, i32::from(proto::RateMethod::Cross));
    }
    let now = world.rate("EUR", "USD", "").await.unwrap();
    assert_eq!(
        now.date, "2026-01-15",
        "without a business time it is the clock's"
    );
    let inverse = world.rate("USD", "EUR", "2026-10-30").await.unwrap();
    assert_eq!(value(&inverse), "895094880057286072e-18");
    assert_eq!(inverse.method, i32::from(proto::RateMethod::Inverse));
}

async fn x4_a_rate_beyond_the_limit_is_refused_with_its_age(harness: Harness) {
    let config = paymesh_currency::Config {
        max_age_days: Some(7),
        ..Default::default()
    };
    let world = World::with(harness, config).await;
    assert_eq!(
        world
            .rate("EUR", "USD", "2026-11-06")
            .await
            .unwrap()
            .age_days,
        7
    );
    let stale = world.rate("EUR", "USD", "2026-11-07").await;
    let error = stale.clone().unwrap_err();
    assert_eq!(
        refused(stale),
        (
            ErrorKind::FailedPrecondition,
            "RATE_STALE".to_owned(),
            vec![]
        ),
        "X4"
    );
    assert_eq!(
        (
            error.fact("newest_date"),
            error.fact("age_days"),
            error.fact("limit_days")
        ),
        (Some("2026-10-30"), Some("8"), Some("7"))
    );
    let gap = world.rate("EUR", "USD", "2020-01-01").await;
    assert_eq!(
        refused(gap).1,
        "RATE_STALE",
        "X4: years without rates are no rates"
    );
    let before = world.rate("EUR", "USD", "2018-04-02").await;
    assert_eq!(
        refused(before),
        (ErrorKind::NotFound, "RATE_NOT_FOUND".to_owned(), vec![])
    );
    let dinar = world.rate("EUR", "KWD", "2026-10-30").await;
    assert_eq!(
        refused(dinar).1,
        "RATE_NOT_FOUND",
        "the ECB has no Kuwaiti dinar"
    );
}

async fn list(world: &World, request: &proto::ListRatesRequest) -> proto::ListRatesResponse {
    let request = request.clone();
    world
        .call_as("gateway", &world.customer, |mut client| async move {
            client.list_rates(request).await
        })
        .await
        .unwrap()
}

/// All pages of a list.
async fn pages(world: &World, mut request: proto::ListRatesRequest, size: i32) -> Vec<proto::Rate> {
    let mut all = Vec::new();
    loop {
        let answer = list(world, &request).await;
        assert!(answer.rates.len() <= usize::try_from(size).unwrap());
        all.extend(answer.rates);
        let token = answer.page_info.unwrap().next_token;
        if token.is_empty() {
            return all;
        }
        request.page = Some(Page { size, token });
    }
}

async fn a_day_and_a_history_are_listed_page_by_page(harness: Harness) {
    let world = World::start(harness).await;
    let page = Some(Page {
        size: 7,
        token: String::new(),
    });
    let day = proto::ListRatesRequest {
        date: "2026-10-31".to_owned(),
        page: page.clone(),
        ..Default::default()
    };
    let rates = pages(&world, day, 7).await;
    let codes: Vec<&str> = rates
        .iter()
        .map(|rate| rate.quote_currency.as_str())
        .collect();
    assert_eq!(codes.len(), 29);
    assert!(codes.is_sorted() && codes.contains(&"USD") && !codes.contains(&"EUR"));
    assert!(
        rates
            .iter()
            .all(|rate| rate.date == "2026-10-30" && rate.base_currency == "EUR")
    );

    let dollars = proto::ListRatesRequest {
        base_currency: "USD".to_owned(),
        page: page.clone(),
        ..Default::default()
    };
    let rates = pages(&world, dollars, 7).await;
    assert_eq!(rates.len(), 29, "the euro has taken the dollar's place");
    assert!(rates.iter().any(|rate| rate.quote_currency == "EUR"));

    let history = proto::ListRatesRequest {
        base_currency: "EUR".to_owned(),
        quote_currency: "JPY".to_owned(),
        page,
        ..Default::default()
    };
    let rates = pages(&world, history.clone(), 7).await;
    assert_eq!(rates.len(), 362);
    assert!(
        rates.windows(2).all(|pair| pair[0].date > pair[1].date),
        "newest first"
    );
    assert_eq!(
        (rates[0].date.as_str(), rates[361].date.as_str()),
        ("2026-10-30", "2018-04-03")
    );
    let until = proto::ListRatesRequest {
        date: "2018-04-08".to_owned(),
        ..history
    };
    assert_eq!(pages(&world, until, 7).await.len(), 4);
}

async fn convert_prices_and_fixes_nothing(harness: Harness) {
    let world = World::start(harness).await;
    let request = proto::ConvertRequest {
        amount: Some(crate::support::money(11_172, "USD")),
        side: proto::QuoteSide::Source.into(),
        other_currency: "EUR".to_owned(),
        spread_side: 0,
        business_at_us: noon("2026-10-30"),
    };
    let answer = world
        .call(|mut client| async move { client.convert(request).await })
        .await
        .unwrap();
    let minors = [answer.source, answer.target, answer.spread].map(|money| money.unwrap().minor);
    assert_eq!(
        minors,
        [11_172, 9_950, 50],
        "1 EUR is 1.1172 USD, half a percent is ours"
    );
    assert_eq!(
        (answer.rate_source.as_str(), answer.rate_date.as_str()),
        ("ecb", "2026-10-30")
    );
}

async fn bad_requests_name_their_fields(harness: Harness) {
    let world = World::start(harness).await;
    let invalid = |fields: &[&str]| {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        (
            ErrorKind::InvalidArgument,
            "REQUEST_INVALID".to_owned(),
            fields,
        )
    };
    assert_eq!(
        refused(world.rate("eur", "XXX", "").await),
        invalid(&["base_currency", "quote_currency"])
    );
    assert_eq!(
        refused(world.rate("EUR", "EUR", "").await),
        invalid(&["quote_currency"])
    );
    let request = proto::GetRateRequest {
        base_currency: "EUR".to_owned(),
        quote_currency: "USD".to_owned(),
        source: "No such".to_owned(),
        business_at_us: -1,
    };
    let answer = world
        .call(|mut client| async move { client.get_rate(request).await })
        .await;
    assert_eq!(refused(answer), invalid(&["source", "business_at"]));
    let request = proto::GetRateRequest {
        base_currency: "EUR".to_owned(),
        quote_currency: "USD".to_owned(),
        source: "fixer".to_owned(),
        business_at_us: 0,
    };
    let answer = world
        .call(|mut client| async move { client.get_rate(request).await })
        .await;
    assert_eq!(
        refused(answer),
        (ErrorKind::NotFound, "SOURCE_NOT_FOUND".to_owned(), vec![])
    );
    let request = proto::ListRatesRequest {
        date: "yesterday".to_owned(),
        page: Some(Page {
            size: 101,
            token: "***".to_owned(),
        }),
        ..Default::default()
    };
    let answer = world
        .call_as("gateway", &world.customer, |mut client| async move {
            client.list_rates(request).await
        })
        .await;
    assert_eq!(
        refused(answer),
        invalid(&["date", "page.size", "page.token"])
    );
    let request = proto::ConvertRequest::default();
    let answer = world
        .call(|mut client| async move { client.convert(request).await })
        .await;
    assert_eq!(
        refused(answer),
        invalid(&["amount", "side", "other_currency"])
    );
}
