//! Who sees quotes, how they are listed, and what is refused.

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Principal, Role, id::TenantId};
use paymesh_proto::{
    currency::v1 as proto,
    types::v1::{Page, TimeRange},
};
use paymesh_testkit::Harness;
use uuid::Uuid;

use crate::support::{World, id, lock_request, locked, money, noon, on_both_engines, refused};

on_both_engines!(
    x8_others_do_not_see_a_quote,
    quotes_are_listed_newest_first,
    bad_quotes_are_refused_with_their_fields,
    amounts_that_come_to_nothing_or_too_much_are_refused,
);

async fn read(
    world: &World,
    principal: &Principal,
    quote: &str,
) -> Result<proto::GetQuoteResponse, paymesh_mesh::CallError> {
    let request = proto::GetQuoteRequest {
        quote_id: quote.to_owned(),
    };
    world
        .call_as("gateway", principal, |mut client| async move {
            client.get_quote(request).await
        })
        .await
}

async fn x8_others_do_not_see_a_quote(harness: Harness) {
    let world = World::start(harness).await;
    let quote = locked(&world, 1).await;
    let foreign = Principal {
        tenant: TenantId::from(Uuid::from_u128(9)),
        ..world.finance.clone()
    };
    let nobody = (ErrorKind::NotFound, "QUOTE_NOT_FOUND".to_owned(), vec![]);
    for principal in [
        &world.harness.person(Role::Customer),
        &world.harness.person(Role::Merchant),
        &foreign,
    ] {
        assert_eq!(
            refused(read(&world, principal, &quote.id).await),
            nobody,
            "X8: {principal:?}"
        );
    }
    let component = Principal::component(world.harness.tenant, "transaction");
    let stranger = world.harness.person(Role::Customer);
    let request = proto::ConsumeQuoteRequest {
        quote_id: quote.id.clone(),
        operation_id: id("txn", 1),
    };
    let again = request.clone();
    let stolen = world
        .call_as("transaction", &stranger, |mut client| async move {
            client.consume_quote(again).await
        })
        .await;
    assert_eq!(refused(stolen), nobody, "X8");
    for principal in [&world.customer, &world.finance] {
        assert_eq!(
            read(&world, principal, &quote.id)
                .await
                .unwrap()
                .quote
                .unwrap(),
            quote
        );
    }
    let consumed = world
        .call_as("transaction", &component, |mut client| async move {
            client.consume_quote(request).await
        })
        .await;
    assert!(
        consumed.is_ok(),
        "a saga that wakes up acts for the whole tenant"
    );
}

/// Ids of a page of quotes, and the token of the next one.
async fn list(world: &World, request: proto::ListQuotesRequest) -> (Vec<String>, String) {
    let answer = world
        .call_as("gateway", &world.finance, |mut client| async move {
            client.list_quotes(request).await
        })
        .await
        .unwrap();
    let ids = answer.quotes.into_iter().map(|quote| quote.id);
    (ids.collect(), answer.page_info.unwrap().next_token)
}

async fn quotes_are_listed_newest_first(harness: Harness) {
    let world = World::start(harness).await;
    for n in 1..=5 {
        locked(&world, n).await;
        world.harness.clock.advance(Duration::from_secs(90));
    }
    world.consume(&id("qt", 4), &id("txn", 1)).await.unwrap();
    let ids = |numbers: &[u128]| {
        numbers
            .iter()
            .map(|&n| id("qt", n))
            .collect::<Vec<String>>()
    };
    let page = |token| proto::ListQuotesRequest {
        page: Some(Page { size: 3, token }),
        ..Default::default()
    };
    let (first, token) = list(&world, page(String::new())).await;
    assert_eq!(first, ids(&[5, 4, 3]));
    assert_eq!(
        list(&world, page(token)).await,
        (ids(&[2, 1]), String::new())
    );
    // 450 seconds have passed; a quote holds for 300.
    for (state, expected) in [
        (proto::QuoteState::Open, ids(&[5, 3])),
        (proto::QuoteState::Consumed, ids(&[4])),
        (proto::QuoteState::Expired, ids(&[2, 1])),
    ] {
        let request = proto::ListQuotesRequest {
            state: state.into(),
            ..Default::default()
        };
        assert_eq!(list(&world, request).await.0, expected, "{state:?}");
    }
    let noon = noon("2026-01-15");
    let created = TimeRange {
        from_at_us: noon + 90_000_000,
        until_at_us: noon + 270_000_000,
    };
    let request = proto::ListQuotesRequest {
        created: Some(created),
        ..Default::default()
    };
    assert_eq!(list(&world, request).await.0, ids(&[3, 2]));
    let nothing = proto::ListQuotesRequest::default();
    let answer = world
        .call_as("gateway", &world.customer, |mut client| async move {
            client.list_quotes(nothing).await
        })
        .await;
    assert_eq!(refused(answer).0, ErrorKind::PermissionDenied);
}

type Change = fn(&mut proto::LockQuoteRequest);

/// What is wrong, and which fields are named.
const WRONG: [(Change, &[&str]); 13] = [
    (
        |it| *it = proto::LockQuoteRequest::default(),
        &["quote_id", "amount", "side", "other_currency"],
    ),
    (|it| it.quote_id = id("txn", 1), &["quote_id"]),
    (|it| it.amount = Some(money(0, "USD")), &["amount.minor"]),
    (|it| it.amount = Some(money(-5, "USD")), &["amount.minor"]),
    (
        |it| it.amount = Some(money(1_000_000_000_000_001, "USD")),
        &["amount.minor"],
    ),
    (|it| it.amount = Some(money(1, "usd")), &["amount.currency"]),
    (|it| it.amount = Some(money(1, "DEM")), &["amount.currency"]),
    (
        |it| it.other_currency = "USD".to_owned(),
        &["other_currency"],
    ),
    (
        |it| (it.side, it.spread_side) = (9, 9),
        &["side", "spread_side"],
    ),
    (|it| it.ttl_ms = 3_600_001, &["ttl_ms"]),
    (|it| it.ttl_ms = -1, &["ttl_ms"]),
    (|it| it.business_at_us = i64::MAX, &["business_at"]),
    (|it| it.consume_for = "me".to_owned(), &["consume_for"]),
];

async fn bad_quotes_are_refused_with_their_fields(harness: Harness) {
    let world = World::start(harness).await;
    for (change, fields) in WRONG {
        let mut request = lock_request(1);
        change(&mut request);
        let (kind, reason, found) = refused(world.lock(&request).await);
        let expected = (ErrorKind::InvalidArgument, "REQUEST_INVALID");
        assert_eq!((kind, reason.as_str()), expected, "{request:?}");
        assert_eq!(found, fields, "{request:?}");
    }
    let unknown = world.consume(&id("qt", 1), &id("txn", 1)).await;
    assert_eq!(
        refused(unknown).1,
        "QUOTE_NOT_FOUND",
        "nothing was locked by what was refused"
    );
    let wrong = world.consume("qt_1", "usr").await;
    assert_eq!(refused(wrong).2, ["quote_id", "operation_id"]);
}

async fn amounts_that_come_to_nothing_or_too_much_are_refused(harness: Harness) {
    let world = World::start(harness).await;
    let mut request = lock_request(1);
    request.amount = Some(money(1, "JPY"));
    let small = (
        ErrorKind::FailedPrecondition,
        "AMOUNT_TOO_SMALL".to_owned(),
        vec![],
    );
    assert_eq!(refused(world.lock(&request).await), small);
    request.amount = Some(money(1_000_000_000_000_000, "EUR"));
    request.other_currency = "IDR".to_owned();
    let field = vec!["amount.minor".to_owned()];
    let large = (
        ErrorKind::InvalidArgument,
        "AMOUNT_TOO_LARGE".to_owned(),
        field,
    );
    assert_eq!(refused(world.lock(&request).await), large);
}
