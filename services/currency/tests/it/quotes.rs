//! Locking and consuming quotes.

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Role};
use paymesh_proto::{Fact as _, currency::v1 as proto, types::v1::Outcome};
use paymesh_testkit::Harness;
use prost::Message as _;

use crate::support::{
    World, id, lock_request, locked, money, next, noon, on_both_engines, refused,
};

on_both_engines!(
    x1_a_quote_fixes_both_amounts_and_its_legs_add_up,
    a_repeated_lock_answers_the_first_quote_and_another_request_is_refused,
    x7_a_quote_is_consumed_once_and_stays_valid_for_its_operation,
    x7_a_quote_can_be_locked_and_consumed_in_one_commit,
    x7_of_many_operations_at_once_one_gets_the_quote,
    an_expired_quote_is_not_consumed,
    quotes_survive_a_restart_and_a_repeat_does_not_need_a_rate,
);

fn minors(quote: &proto::Quote) -> [i64; 5] {
    [
        &quote.source,
        &quote.mid_source,
        &quote.mid_target,
        &quote.target,
        &quote.spread,
    ]
    .map(|money| money.as_ref().unwrap().minor)
}

async fn x1_a_quote_fixes_both_amounts_and_its_legs_add_up(harness: Harness) {
    let world = World::start(harness).await;
    let mut tail = world.tail().await;
    // 1 EUR = 1.1172 USD = 175.68 JPY
    let request = proto::LockQuoteRequest {
        business_at_us: noon("2026-10-31"),
        ..lock_request(1)
    };
    let answer = world.lock(&request).await.unwrap();
    assert_eq!(answer.outcome, i32::from(Outcome::Applied));
    let quote = answer.quote.unwrap();
    // 100 / 1.1172 = 89.509…, less half a percent 89.061…
    assert_eq!(minors(&quote), [10_000, 10_000, 8_950, 8_906, 44], "X1");
    assert_eq!(
        (
            quote.rate_source.as_str(),
            quote.rate_date.as_str(),
            quote.spread_bp
        ),
        ("ecb", "2026-10-30", 50)
    );
    assert_eq!(quote.state, i32::from(proto::QuoteState::Open));
    assert_eq!(quote.expires_at_us - quote.created_at_us, 300_000_000);

    let refund = proto::LockQuoteRequest {
        quote_id: id("qt", 2),
        amount: Some(money(17_568, "JPY")),
        side: proto::QuoteSide::Target.into(),
        spread_side: proto::SpreadSide::Source.into(),
        ..request
    };
    let quote = world.lock(&refund).await.unwrap().quote.unwrap();
    assert_eq!(minors(&quote), [10_050, 10_000, 17_568, 17_568, 50], "X1");

    let event = loop {
        let event = next(&mut tail).await;
        if event.kind == proto::QuoteLocked::TYPE {
            break event;
        }
    };
    let fact = proto::QuoteLocked::decode(event.payload.as_slice()).unwrap();
    assert_eq!(fact.quote.unwrap().id, id("qt", 1));
    assert_eq!(
        (event.tenant, event.sequence),
        (Some(world.harness.tenant), 1)
    );
}

async fn a_repeated_lock_answers_the_first_quote_and_another_request_is_refused(harness: Harness) {
    let world = World::start(harness).await;
    let first = locked(&world, 1).await;
    world.harness.clock.advance(Duration::from_secs(5));
    let again = world.lock(&lock_request(1)).await.unwrap();
    assert_eq!(again.outcome, i32::from(Outcome::AlreadyApplied));
    assert_eq!(again.quote.unwrap(), first);
    let reused = (
        ErrorKind::FailedPrecondition,
        "IDEMPOTENCY_KEY_REUSED".to_owned(),
        vec!["quote_id".to_owned()],
    );
    for other in [
        proto::LockQuoteRequest {
            amount: Some(money(10_001, "USD")),
            ..lock_request(1)
        },
        proto::LockQuoteRequest {
            ttl_ms: 1_000,
            ..lock_request(1)
        },
        proto::LockQuoteRequest {
            consume_for: id("txn", 1),
            ..lock_request(1)
        },
    ] {
        assert_eq!(refused(world.lock(&other).await), reused, "{other:?}");
    }
    let stranger = world.harness.person(Role::Customer);
    let stolen = world
        .call_as("transaction", &stranger, |mut client| async move {
            client.lock_quote(lock_request(1)).await
        })
        .await;
    assert_eq!(
        refused(stolen),
        reused,
        "X8: nobody learns what is in another person's quote"
    );
}

async fn x7_a_quote_is_consumed_once_and_stays_valid_for_its_operation(harness: Harness) {
    let world = World::start(harness).await;
    let quote = locked(&world, 1).await;
    let first = world.consume(&quote.id, &id("txn", 1)).await.unwrap();
    assert_eq!(first.outcome, i32::from(Outcome::Applied));
    let consumed = first.quote.unwrap();
    assert_eq!(
        (consumed.state, consumed.consumed_by.as_str()),
        (i32::from(proto::QuoteState::Consumed), &*id("txn", 1))
    );
    assert_eq!(
        minors(&consumed),
        minors(&quote),
        "X7: consuming changes no amount"
    );
    world.harness.clock.advance(Duration::from_secs(86_400));
    let again = world.consume(&quote.id, &id("txn", 1)).await.unwrap();
    assert_eq!(
        again.outcome,
        i32::from(Outcome::AlreadyApplied),
        "X7: long after it would have expired"
    );
    assert_eq!(again.quote.unwrap(), consumed);
    for operation in [id("txn", 2), id("cap", 1), id("re", 1)] {
        let other = world.consume(&quote.id, &operation).await;
        assert_eq!(
            refused(other),
            (
                ErrorKind::FailedPrecondition,
                "QUOTE_CONSUMED".to_owned(),
                vec![]
            ),
            "X7"
        );
    }
}

async fn x7_a_quote_can_be_locked_and_consumed_in_one_commit(harness: Harness) {
    let world = World::start(harness).await;
    let mut tail = world.tail().await;
    let request = proto::LockQuoteRequest {
        consume_for: id("cap", 7),
        ..lock_request(1)
    };
    let answer = world.lock(&request).await.unwrap();
    let quote = answer.quote.unwrap();
    assert_eq!(
        (quote.state, quote.consumed_by.as_str()),
        (i32::from(proto::QuoteState::Consumed), &*id("cap", 7))
    );
    assert_eq!(
        world.lock(&request).await.unwrap().outcome,
        i32::from(Outcome::AlreadyApplied)
    );
    let again = world.consume(&quote.id, &id("cap", 7)).await.unwrap();
    assert_eq!(again.outcome, i32::from(Outcome::AlreadyApplied), "X7");
    assert_eq!(
        refused(world.consume(&quote.id, &id("cap", 8)).await).1,
        "QUOTE_CONSUMED",
        "X7"
    );
    let event = loop {
        let event = next(&mut tail).await;
        if event.aggregate_type == proto::QuoteConsumed::AGGREGATE {
            break event;
        }
    };
    assert_eq!(
        (event.kind.as_ref(), event.sequence),
        (proto::QuoteConsumed::TYPE, 1),
        "one fact tells of both"
    );

    let outside = world
        .call_as("gateway", &world.customer, |mut client| async move {
            client.lock_quote(request).await
        })
        .await;
    assert_eq!(
        refused(outside),
        (
            ErrorKind::PermissionDenied,
            "QUOTE_CONSUME_FORBIDDEN".to_owned(),
            vec![]
        )
    );
}

async fn x7_of_many_operations_at_once_one_gets_the_quote(harness: Harness) {
    let world = World::start(harness).await;
    let quote = locked(&world, 1).await;
    let operations: Vec<String> = (1..=8).map(|n| id("txn", n)).collect();
    let mut won = 0;
    let tries = operations
        .iter()
        .map(|operation| world.consume(&quote.id, operation));
    for (outcome, operation) in futures::future::join_all(tries)
        .await
        .into_iter()
        .zip(&operations)
    {
        match outcome {
            Ok(answer) => {
                won += 1;
                assert_eq!(answer.quote.unwrap().consumed_by, *operation);
            }
            Err(error) => assert_eq!(error.reason_text(), "QUOTE_CONSUMED"),
        }
    }
    assert_eq!(won, 1, "X7");
}

async fn an_expired_quote_is_not_consumed(harness: Harness) {
    let world = World::start(harness).await;
    let request = proto::LockQuoteRequest {
        ttl_ms: 60_000,
        ..lock_request(1)
    };
    let quote = world.lock(&request).await.unwrap().quote.unwrap();
    world.harness.clock.advance(Duration::from_secs(60));
    let late = world.consume(&quote.id, &id("txn", 1)).await;
    assert_eq!(
        late.clone().unwrap_err().fact("expired_at"),
        Some("2026-01-15T12:01:00Z")
    );
    assert_eq!(
        refused(late),
        (
            ErrorKind::FailedPrecondition,
            "QUOTE_EXPIRED".to_owned(),
            vec![]
        )
    );
    let seen = world.lock(&request).await.unwrap().quote.unwrap();
    assert_eq!(seen.state, i32::from(proto::QuoteState::Expired));
}

async fn quotes_survive_a_restart_and_a_repeat_does_not_need_a_rate(harness: Harness) {
    let mut world = World::start(harness).await;
    let quote = locked(&world, 1).await;
    // Three days later every rate is too old.
    world.harness.clock.advance(Duration::from_secs(3 * 86_400));
    world
        .restart(paymesh_currency::Config {
            max_age_days: Some(0),
            ..Default::default()
        })
        .await;
    let again = world.lock(&lock_request(1)).await.unwrap();
    assert_eq!(again.outcome, i32::from(Outcome::AlreadyApplied));
    assert_eq!(minors(&again.quote.unwrap()), minors(&quote));
    assert_eq!(refused(world.lock(&lock_request(2)).await).1, "RATE_STALE");
}
