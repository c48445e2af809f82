//! Webhooks: signed, repeated, doubled, out of order, resumed.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Receiver, WEBHOOK_SECRET, id, provider_config, start_provider};

fn is_signed(signature: &str, body: &str) -> bool {
    let (time, code) = signature.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    mac.verify_slice(&hex::decode(code).unwrap()).is_ok()
}

#[tokio::test]
async fn events_are_signed_and_name_their_payment() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(0).await;
    let mut config = provider_config(folder.path());
    config.webhook_targets = vec![receiver.target()];
    let (_handle, caller) = start_provider(config).await;
    let paid = caller.pay("tok_ok", "r-1").await;
    let mut kinds = BTreeSet::new();
    for _ in 0..2 {
        let delivery = receiver.next().await;
        assert!(delivery.signature.starts_with("t=1772445600,v1="));
        assert!(is_signed(&delivery.signature, &delivery.body));
        assert!(!is_signed(
            &delivery.signature,
            &format!("{} ", delivery.body)
        ));
        let event: Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(event["data"]["payment_id"], paid["id"]);
        assert_eq!(event["data"]["payment_reference"], "r-1");
        kinds.insert(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        kinds,
        ["payment.authorized", "payment.captured"]
            .map(str::to_owned)
            .into()
    );
}

#[tokio::test]
async fn a_refused_event_is_sent_again_until_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(3).await;
    let mut config = provider_config(folder.path());
    config.webhook_targets = vec![receiver.target()];
    config.webhooks.first_retry_ms = 5;
    let (_handle, caller) = start_provider(config).await;
    caller.pay("tok_declined", "r-1").await;
    let first = receiver.next_json().await;
    for _ in 0..3 {
        assert_eq!(receiver.next_json().await, first);
    }
    while caller.get("/v1/status").await.expect(200)["webhooks_delivered"] != 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        caller.get("/v1/status").await.expect(200)["webhooks_pending"],
        0
    );
}

#[tokio::test]
async fn an_event_nobody_takes_is_given_up_after_its_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(i64::MAX).await;
    let mut config = provider_config(folder.path());
    config.webhook_targets = vec![receiver.target()];
    config.webhooks.first_retry_ms = 1;
    config.webhooks.attempts = 4;
    let (_handle, caller) = start_provider(config).await;
    caller.pay("tok_declined", "r-1").await;
    for _ in 0..4 {
        receiver.next().await;
    }
    while caller.get("/v1/status").await.expect(200)["webhooks_abandoned"] != 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        caller.get("/v1/status").await.expect(200)["webhooks_pending"],
        0
    );
}

#[tokio::test]
async fn a_token_or_a_share_doubles_events() {
    for (token, share) in [("tok_duplicate_webhook", 0), ("tok_ok", 1_000)] {
        let folder = tempfile::tempdir().unwrap();
        let mut receiver = Receiver::start(0).await;
        let mut config = provider_config(folder.path());
        config.webhook_targets = vec![receiver.target()];
        config.webhooks.duplicate_per_mille = share;
        let (_handle, caller) = start_provider(config).await;
        caller.pay(token, "r-1").await;
        let mut events = Vec::new();
        for _ in 0..4 {
            events.push(id(&receiver.next_json().await));
        }
        let distinct: BTreeSet<&String> = events.iter().collect();
        assert_eq!(distinct.len(), 2, "{events:?}");
        assert!(
            distinct
                .iter()
                .all(|event| events.iter().filter(|other| other == event).count() == 2)
        );
    }
}

#[tokio::test]
async fn a_share_of_events_is_overtaken_by_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(0).await;
    let mut config = provider_config(folder.path());
    config.webhook_targets = vec![receiver.target()];
    config.webhooks.reorder_per_mille = 500;
    config.webhooks.reorder_hold_ms = 150;
    let (_handle, caller) = start_provider(config).await;
    for number in 0..8 {
        caller.pay("tok_ok", &format!("r-{number}")).await;
    }
    let mut sequences = Vec::new();
    for _ in 0..16 {
        sequences.push(receiver.next_json().await["sequence"].as_u64().unwrap());
    }
    let mut sorted = sequences.clone();
    sorted.sort_unstable();
    assert_ne!(sequences, sorted, "some came late");
    sorted.dedup();
    assert_eq!(sorted.len(), 16, "and none was lost or doubled");
}

#[tokio::test]
async fn w2_undelivered_events_are_delivered_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(2).await;
    let config = || {
        let mut config = provider_config(folder.path());
        config.webhook_targets = vec![receiver.target()];
        config.webhooks.first_retry_ms = 3_600_000;
        config.webhooks.longest_retry_ms = 3_600_000;
        config
    };
    let (handle, caller) = start_provider(config()).await;
    caller.pay("tok_ok", "r-1").await;
    let restarted = config();
    let mut refused = [receiver.next_json().await, receiver.next_json().await];
    drop(handle);
    let (_handle, caller) = start_provider(restarted).await;
    let mut delivered = [receiver.next_json().await, receiver.next_json().await];
    for events in [&mut refused, &mut delivered] {
        events.sort_by_key(|event| event["sequence"].as_u64());
    }
    assert_eq!(refused, delivered);
    // A target that is new has no past.
    assert_eq!(
        caller.get("/v1/status").await.expect(200)["webhooks_dropped"],
        0
    );
}

#[tokio::test]
async fn a_full_queue_drops_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(i64::MAX).await;
    let mut config = provider_config(folder.path());
    config.webhook_targets = vec![receiver.target()];
    config.webhooks.pending = 3;
    let (_handle, caller) = start_provider(config).await;
    for number in 0..4 {
        caller.pay("tok_ok", &format!("r-{number}")).await;
    }
    let status = caller.get("/v1/status").await.expect(200);
    assert_eq!(
        (&status["webhooks_pending"], &status["webhooks_dropped"]),
        (&json!(3), &json!(5))
    );
}
