//! Webhooks: forged, replayed, duplicated, out of order, about what we do not know (yet).

use paymesh_kernel::{ErrorKind, Fault as _};
use paymesh_proto::payment::v1::{self as proto, AttemptCapture, AttemptState};
use paymesh_proto::types::v1::Outcome;

use crate::{
    on_both_engines,
    world::{Delivery, PATIENCE, World, pause},
};

async fn p8_forged_and_old_webhooks_are_refused(world: World) {
    world.pay("tok_ok", AttemptCapture::Automatic).await;
    let genuine = world.next_webhook().await;
    let mut forged = genuine.clone();
    forged.body.push(b' ');
    let mut unsigned = genuine.clone();
    unsigned
        .headers
        .retain(|header| !header.name.contains("signature"));
    for delivery in [forged, unsigned] {
        let error = world.hand_over(&delivery).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "P8");
        assert_eq!(error.reason_text(), "WEBHOOK_SIGNATURE_INVALID", "P8");
    }
    world.clock.advance(std::time::Duration::from_secs(301));
    let error = world.hand_over(&genuine).await.unwrap_err();
    assert_eq!(error.reason_text(), "WEBHOOK_TIME_REFUSED", "P8: a replay");
    let elsewhere = proto::HandleWebhookRequest {
        connector: "other".to_owned(),
        body: genuine.body,
        headers: genuine.headers,
        ..proto::HandleWebhookRequest::default()
    };
    let who = ("gateway", None);
    let refused = world
        .call_as(
            who,
            |mut at| async move { at.handle_webhook(elsewhere).await },
        )
        .await;
    assert_eq!(refused.unwrap_err().reason_text(), "CONNECTOR_UNKNOWN");
    world.close_the_books().await;
}

async fn p8_an_event_counts_once_however_often_it_comes(world: World) {
    let paid = world
        .pay("tok_duplicate_webhook", AttemptCapture::Automatic)
        .await;
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let webhook = world.next_webhook().await;
        outcomes.push(world.hand_over(&webhook).await.unwrap().outcome());
        // And once more, as a provider does that missed our answer.
        assert_eq!(
            world.hand_over(&webhook).await.unwrap().outcome(),
            Outcome::AlreadyApplied,
            "P8"
        );
    }
    let first = outcomes
        .iter()
        .filter(|outcome| **outcome == Outcome::Applied);
    assert_eq!(first.count(), 2, "P8: authorized and captured, each once");
    assert_eq!(
        world.told(&paid.id).await,
        ["payment.authorized", "payment.processed"],
        "P8"
    );
    world.close_the_books().await;
}

async fn p3_webhooks_in_any_order_only_move_forward(world: World) {
    let attempt = world.pay("tok_ok", AttemptCapture::Manual).await;
    world.capture(&attempt.id, 4_000).await;
    world.refund(&attempt.id, 1_000).await;
    world.cancel(&attempt.id).await;
    let mut webhooks: Vec<Delivery> = Vec::new();
    for _ in 0..4 {
        webhooks.push(world.next_webhook().await);
    }
    let before = world.get(&attempt.id).await;
    let requests = world.gate.requests();
    for webhook in webhooks.iter().rev() {
        world.hand_over(webhook).await.unwrap();
    }
    world.all_webhooks_are_done().await;
    assert_eq!(world.get(&attempt.id).await, before, "P3");
    assert_eq!(
        world.gate.requests(),
        requests,
        "what is known costs no question"
    );
    world.close_the_books().await;
}

async fn a_webhook_tells_what_the_lost_answer_did_not(world: World) {
    let attempt = world
        .pay("tok_timeout_with_effect", AttemptCapture::Automatic)
        .await;
    assert_eq!(attempt.state(), AttemptState::Unknown);
    // The later one first: the fetched payment has everything.
    let first = world.next_webhook().await;
    let second = world.next_webhook().await;
    for webhook in [&second, &first] {
        world.hand_over(webhook).await.unwrap();
    }
    let is_captured = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Captured;
    world.until(&attempt.id, "captured", is_captured).await;
    world.all_webhooks_are_done().await;
    let told = world.told(&attempt.id).await;
    assert_eq!(
        told,
        ["payment.updated", "payment.authorized", "payment.processed"]
    );
    world.close_the_books().await;
}

async fn an_attempt_that_cannot_be_read_keeps_no_other_webhook_waiting(world: World) {
    let spoilt = world.pay("tok_ok", AttemptCapture::Manual).await;
    let of_spoilt = world.next_webhook().await;
    world.pay("tok_ok", AttemptCapture::Manual).await;
    let of_good = world.next_webhook().await;
    world.spoil(&spoilt.id).await;
    for webhook in [&of_spoilt, &of_good] {
        world.hand_over(webhook).await.unwrap();
    }
    let limit = tokio::time::Instant::now() + PATIENCE;
    while world.webhook_states().await != ["done", "waiting"] {
        assert!(tokio::time::Instant::now() < limit, "it waits");
        pause().await;
    }
}

async fn an_unknown_reference_is_parked_and_given_up_after_its_time(world: World) {
    let body = serde_json::json!({
        "amount": { "minor": 500, "currency": "EUR" }, "token": "tok_ok", "reference": "somebody-else",
    });
    world.provider_post("/v1/payments", &body).await;
    let webhook = world.next_webhook().await;
    assert_eq!(
        world.hand_over(&webhook).await.unwrap().outcome(),
        Outcome::Applied
    );
    world.webhooks_become("parked").await;
    world
        .clock
        .advance(std::time::Duration::from_secs(25 * 3_600));
    world.webhooks_become("given_up").await;
}

on_both_engines!(
    p8_forged_and_old_webhooks_are_refused,
    p8_an_event_counts_once_however_often_it_comes,
    p3_webhooks_in_any_order_only_move_forward,
    a_webhook_tells_what_the_lost_answer_did_not,
    an_attempt_that_cannot_be_read_keeps_no_other_webhook_waiting,
    an_unknown_reference_is_parked_and_given_up_after_its_time,
);
