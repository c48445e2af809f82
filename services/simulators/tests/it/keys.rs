//! Idempotency keys.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{HandClock, eur, id, payment, provider_config, start_provider};

#[tokio::test]
async fn one_hundred_callers_with_one_key_make_one_payment() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let caller = caller.clone();
        callers.spawn(async move {
            caller
                .post_with_key("/v1/payments", "one", &payment("tok_delay_20", "r-1"))
                .await
        });
    }
    let (mut made, mut replayed, mut refused) = (Vec::new(), Vec::new(), 0);
    while let Some(reply) = callers.join_next().await {
        let reply = reply.unwrap();
        match (reply.status, reply.is_replayed()) {
            (201, false) => made.push(reply.text),
            (201, true) => replayed.push(reply.text),
            (409, _) => {
                reply.expect_problem(409, "key_in_flight");
                assert_eq!(reply.headers["retry-after"], "1");
                refused += 1;
            }
            other => panic!("unexpected answer {other:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(made.len() + replayed.len() + refused, 100);
    assert!(replayed.iter().all(|text| *text == made[0]));
    let again = caller
        .post_with_key("/v1/payments", "one", &payment("tok_delay_20", "r-1"))
        .await;
    assert!(
        again.is_replayed() && again.text == made[0],
        "the bytes are the same"
    );
    let created = caller
        .record()
        .await
        .iter()
        .filter(|fact| fact["type"] == "payment_created")
        .count();
    assert_eq!(created, 1);
}

#[tokio::test]
async fn a_key_with_another_request_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let paid = caller
        .post_with_key("/v1/payments", "k", &payment("tok_ok", "r-1"))
        .await
        .expect(201);
    let other = caller
        .post_with_key("/v1/payments", "k", &payment("tok_ok", "r-2"))
        .await;
    other.expect_problem(422, "key_reused");
    let elsewhere = format!("/v1/payments/{}/refunds", id(&paid));
    caller
        .post_with_key(&elsewhere, "k", &json!({}))
        .await
        .expect_problem(422, "key_reused");
    let long = "k".repeat(256);
    caller
        .post_with_key("/v1/payments", &long, &payment("tok_ok", "r-3"))
        .await
        .expect_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_key_replays_over_a_crash_until_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let clock = HandClock::new();
    let config = || {
        let mut config = provider_config(folder.path());
        config.clock = clock.clock();
        config.delays.key_lifetime_ms = 60_000;
        config
    };
    let (handle, caller) = start_provider(config()).await;
    let path = format!(
        "/v1/payments/{}/refunds",
        id(&caller.pay("tok_ok", "r-1").await)
    );
    let refund = json!({ "amount": eur(100) });
    let first = caller.post_with_key(&path, "k", &refund).await;
    drop(handle);

    clock.advance(Duration::from_secs(59));
    let (handle, caller) = start_provider(config()).await;
    let again = caller.post_with_key(&path, "k", &refund).await;
    assert!(again.is_replayed());
    assert_eq!(
        (again.status, again.text),
        (first.status, first.text.clone())
    );

    clock.advance(Duration::from_secs(1));
    let new = caller.post_with_key(&path, "k", &refund).await;
    assert!(!new.is_replayed());
    assert_ne!(id(&new.expect(201)), id(&first.json()));
    drop(handle);
}

#[tokio::test]
async fn what_had_no_effect_is_not_kept_under_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let path = format!(
        "/v1/payments/{}/refunds",
        id(&caller.pay("tok_ok", "r-1").await)
    );
    let refused = caller
        .post_with_key(&path, "k", &json!({ "amount": eur(10_001) }))
        .await;
    refused.expect_problem(422, "amount_too_large");
    let smaller = caller
        .post_with_key(&path, "k", &json!({ "amount": eur(10_000) }))
        .await;
    smaller.expect(201);
}
