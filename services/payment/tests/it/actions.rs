//! 3-D Secure: the payer verifies at the provider, and the attempt moves on.

use paymesh_proto::payment::v1::{self as proto, AttemptCapture, AttemptState};
use paymesh_proto::types::v1::{DeclineReason, Outcome};
use serde_json::json;

use crate::{on_both_engines, world::World};

async fn challenge(world: &World, attempt: &proto::PaymentAttempt, outcome: &str) {
    let action = attempt.action.as_ref().unwrap();
    assert!(action.url.ends_with(&action.action_id) && action.expires_at_us > 0);
    let path = format!("/v1/challenges/{}", action.action_id);
    world
        .provider_post(&path, &json!({ "outcome": outcome }))
        .await;
}

fn completion(attempt: &proto::PaymentAttempt, action_id: &str) -> proto::CompleteActionRequest {
    proto::CompleteActionRequest {
        key: format!("{}:action:do", attempt.id),
        attempt_id: attempt.id.clone(),
        action_id: action_id.to_owned(),
        response: String::new(),
    }
}

async fn the_payer_verifies_and_the_caller_completes(world: World) {
    let attempt = world
        .pay("tok_3ds_challenge", AttemptCapture::Automatic)
        .await;
    assert_eq!(attempt.state(), AttemptState::RequiresAction);
    let action_id = attempt.action.clone().unwrap().action_id;
    let early = completion(&attempt, &action_id);
    let waiting = world
        .call(|mut at| async move { at.complete_action(early).await })
        .await;
    assert_eq!(
        waiting.attempt.unwrap().state(),
        AttemptState::RequiresAction
    );
    challenge(&world, &attempt, "success").await;
    let request = completion(&attempt, &action_id);
    let again = request.clone();
    let done = world
        .call(|mut at| async move { at.complete_action(request).await })
        .await;
    let done = done.attempt.unwrap();
    assert_eq!((done.state(), done.action), (AttemptState::Captured, None));
    let repeated = world
        .call(|mut at| async move { at.complete_action(again).await })
        .await;
    assert_eq!(repeated.outcome(), Outcome::AlreadyApplied);
    let foreign = completion(&attempt, "chl_other");
    let refused = world
        .try_call(|mut at| async move { at.complete_action(foreign).await })
        .await;
    assert_eq!(refused.unwrap_err().reason_text(), "ACTION_UNKNOWN");
    assert_eq!(
        world.told(&attempt.id).await,
        ["payment.updated", "payment.authorized", "payment.processed"]
    );
    world.close_the_books().await;
}

async fn a_webhook_moves_the_attempt_on(world: World) {
    for (outcome, kind, state) in [
        ("success", "payment.authorized", AttemptState::Authorized),
        ("failure", "payment.declined", AttemptState::Declined),
    ] {
        let attempt = world.pay("tok_3ds_challenge", AttemptCapture::Manual).await;
        challenge(&world, &attempt, outcome).await;
        world.hand_over_until(kind, &attempt.reference).await;
        let is_there = |seen: &proto::PaymentAttempt| seen.state() == state;
        let seen = world.until(&attempt.id, outcome, is_there).await;
        if state == AttemptState::Declined {
            assert_eq!(seen.decline_reason(), DeclineReason::ActionFailed);
        } else {
            world.cancel(&attempt.id).await;
        }
    }
    world.close_the_books().await;
}

async fn verification_can_be_asked_for_and_ends_with_its_time(world: World) {
    let mut order = world.order("tok_ok", AttemptCapture::Automatic).await;
    order.three_ds = proto::ThreeDsMode::Required.into();
    let attempt = world.authorize(&order).await;
    assert_eq!(attempt.state(), AttemptState::RequiresAction);
    // Nobody tells us; when the time is over, we look.
    world.provider_timers().await;
    world.clock.advance(std::time::Duration::from_secs(16 * 60));
    let is_declined = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Declined;
    let seen = world.until(&attempt.id, "declined", is_declined).await;
    assert_eq!(seen.decline_reason(), DeclineReason::ActionExpired);
    let frictionless = world
        .pay("tok_3ds_frictionless", AttemptCapture::Automatic)
        .await;
    assert_eq!(frictionless.state(), AttemptState::Captured);
    world.close_the_books().await;
}

async fn p7_a_payer_who_verifies_after_the_cancellation_gets_the_money_back(world: World) {
    let attempt = world
        .pay("tok_3ds_challenge", AttemptCapture::Automatic)
        .await;
    let reached = world.gate.hold("/cancel", crate::gate::Hold::Before);
    // The cancellation is held up on its way while the payer verifies.
    let request = proto::CancelRequest {
        key: format!("{}:cancel:do", attempt.id),
        attempt_id: attempt.id.clone(),
        reason: String::new(),
    };
    let canceling = world.call(|mut at| async move { at.cancel(request).await });
    let (_, canceled) = tokio::join!(
        async {
            reached.await.unwrap();
            challenge(&world, &attempt, "success").await;
        },
        canceling
    );
    assert_eq!(
        canceled.attempt.unwrap().state(),
        AttemptState::RequiresAction,
        "in doubt"
    );
    world.clock.advance(std::time::Duration::from_secs(1));
    let is_over = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Canceled;
    let ended = world.until(&attempt.id, "canceled", is_over).await;
    assert_eq!(ended.captured, ended.refunded, "P7");
    assert_eq!(ended.captured.unwrap().minor, 10_000, "P7");
    world.close_the_books().await;
}

on_both_engines!(
    the_payer_verifies_and_the_caller_completes,
    a_webhook_moves_the_attempt_on,
    verification_can_be_asked_for_and_ends_with_its_time,
    p7_a_payer_who_verifies_after_the_cancellation_gets_the_money_back,
);
