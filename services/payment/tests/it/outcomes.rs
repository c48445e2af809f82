//! Each magic token of the provider, and what an attempt becomes by it.

use std::time::Duration;

use paymesh_proto::payment::v1::{
    AttemptCapture, AttemptOperationState, AttemptState, ReferenceStanding,
};
use paymesh_proto::types::v1::DeclineReason;

use crate::{on_both_engines, world::World};

async fn a_good_card_is_captured_at_once_and_both_facts_are_told(world: World) {
    let paid = world.pay("tok_ok", AttemptCapture::Automatic).await;
    assert_eq!(paid.state(), AttemptState::Captured);
    assert_eq!(paid.captured.as_ref().unwrap().minor, 10_000);
    assert_eq!(
        world.told(&paid.id).await,
        ["payment.authorized", "payment.processed"]
    );
    world.close_the_books().await;
}

async fn a_decline_is_a_state_with_a_reason(world: World) {
    for (token, reason) in [
        ("tok_declined", DeclineReason::DoNotHonor),
        (
            "tok_declined_insufficient_funds",
            DeclineReason::InsufficientFunds,
        ),
        ("tok_declined_stolen", DeclineReason::LostOrStolen),
        ("tok_declined_expired", DeclineReason::PaymentMethodExpired),
    ] {
        let declined = world.pay(token, AttemptCapture::Automatic).await;
        assert_eq!(declined.state(), AttemptState::Declined, "{token}");
        assert_eq!(declined.decline_reason(), reason, "{token}");
        assert_eq!(
            world.told(&declined.id).await,
            ["payment.failed"],
            "{token}"
        );
    }
    world.close_the_books().await;
}

async fn p5_a_time_out_with_effect_is_unknown_until_the_provider_is_asked(world: World) {
    for token in ["tok_timeout_with_effect", "tok_timeout_with_effect_cut"] {
        let attempt = world.pay(token, AttemptCapture::Automatic).await;
        assert_eq!(attempt.state(), AttemptState::Unknown, "P5: {token}");
        let asked = world.ask(&attempt.reference).await;
        assert_eq!(asked.standing(), ReferenceStanding::Found, "P5: {token}");
        assert_eq!(
            asked.attempt.unwrap().state(),
            AttemptState::Captured,
            "P5: {token}"
        );
        let told = world.told(&attempt.id).await;
        assert_eq!(
            told,
            ["payment.updated", "payment.authorized", "payment.processed"]
        );
    }
    world.close_the_books().await;
}

async fn p5_the_resolver_asks_by_itself(world: World) {
    let attempt = world
        .pay("tok_timeout_with_effect", AttemptCapture::Manual)
        .await;
    world.clock.advance(Duration::from_secs(1));
    let is_authorized = |seen: &paymesh_proto::payment::v1::PaymentAttempt| {
        seen.state() == AttemptState::Authorized
    };
    world.until(&attempt.id, "authorized", is_authorized).await;
    world.close_the_books().await;
}

async fn p5_a_time_out_without_effect_stays_unknown_until_not_found_counts(world: World) {
    let attempt = world
        .pay("tok_timeout_no_effect", AttemptCapture::Automatic)
        .await;
    assert_eq!(attempt.state(), AttemptState::Unknown);
    let asked = world.ask(&attempt.reference).await;
    assert_eq!(asked.standing(), ReferenceStanding::NotFoundYet, "P5");
    assert!(asked.ask_again_at_us > 0);
    world.clock.advance(Duration::from_secs(200));
    let asked = world.ask(&attempt.reference).await;
    assert_eq!(asked.standing(), ReferenceStanding::NotFound, "P5");
    assert_eq!(asked.attempt.unwrap().state(), AttemptState::Failed, "P5");
    assert_eq!(
        world.told(&attempt.id).await,
        ["payment.updated", "payment.failed"]
    );
    assert_eq!(
        world.gate.posts("/v1/payments"),
        2,
        "P5: it was sent again while its payer could be waiting, and not later"
    );
    world.close_the_books().await;
}

async fn a_slow_provider_is_waited_for_and_a_slower_one_is_unknown(world: World) {
    let slow = world.pay("tok_delay_200", AttemptCapture::Automatic).await;
    assert_eq!(slow.state(), AttemptState::Captured);
    let slower = world.pay("tok_delay_2500", AttemptCapture::Automatic).await;
    assert_eq!(slower.state(), AttemptState::Unknown);
    // It arrives late, and the webhook about it is a reason to look.
    loop {
        let webhook = world.next_webhook().await;
        world.hand_over(&webhook).await.unwrap();
        if String::from_utf8_lossy(&webhook.body).contains(&slower.reference) {
            break;
        }
    }
    let is_captured =
        |seen: &paymesh_proto::payment::v1::PaymentAttempt| seen.state() == AttemptState::Captured;
    world.until(&slower.id, "captured", is_captured).await;
    world.close_the_books().await;
}

async fn an_error_without_effect_is_repeated_inside_the_call(world: World) {
    for token in ["tok_error_500_then_ok", "tok_429_then_ok"] {
        let paid = world.pay(token, AttemptCapture::Automatic).await;
        assert_eq!(paid.state(), AttemptState::Captured, "{token}");
    }
    assert_eq!(world.gate.posts("/v1/payments"), 4);
    world.close_the_books().await;
}

async fn a_provider_that_is_always_busy_fails_the_attempt_for_certain(world: World) {
    let failed = world.pay("tok_429", AttemptCapture::Automatic).await;
    assert_eq!(failed.state(), AttemptState::Failed);
    assert_eq!(world.told(&failed.id).await, ["payment.failed"]);
    assert_eq!(world.gate.posts("/v1/payments"), 3, "three tries");
    world.close_the_books().await;
}

async fn a_capture_that_fails_leaves_the_authorization(world: World) {
    let attempt = world.pay("tok_capture_fails", AttemptCapture::Manual).await;
    let captured = world.capture(&attempt.id, 10_000).await;
    assert_eq!(
        captured.operation.unwrap().state(),
        AttemptOperationState::Declined
    );
    assert_eq!(captured.attempt.unwrap().state(), AttemptState::Authorized);
    let canceled = world.cancel(&attempt.id).await;
    assert_eq!(canceled.attempt.unwrap().state(), AttemptState::Canceled);
    world.close_the_books().await;
}

async fn p6_a_lost_capture_or_refund_is_found_or_sent_again_under_its_key(world: World) {
    for token in [
        "tok_capture_timeout_with_effect",
        "tok_capture_timeout_no_effect",
    ] {
        let attempt = world.pay(token, AttemptCapture::Manual).await;
        let captured = world.capture(&attempt.id, 4_000).await;
        let operation = captured.operation.unwrap();
        assert_eq!(operation.state(), AttemptOperationState::Unknown, "{token}");
        let asked = world.ask(&operation.key).await;
        assert_eq!(asked.standing(), ReferenceStanding::Found, "P6: {token}");
        assert_eq!(
            asked.operation.unwrap().state(),
            AttemptOperationState::Succeeded
        );
        assert_eq!(
            asked.attempt.unwrap().captured.unwrap().minor,
            4_000,
            "P6: once"
        );
    }
    for token in [
        "tok_refund_timeout_with_effect",
        "tok_refund_timeout_no_effect",
    ] {
        let attempt = world.pay(token, AttemptCapture::Automatic).await;
        let refunded = world.refund(&attempt.id, 3_000).await;
        let operation = refunded.operation.unwrap();
        assert_eq!(operation.state(), AttemptOperationState::Unknown, "{token}");
        world.clock.advance(Duration::from_secs(1));
        let is_back = |seen: &paymesh_proto::payment::v1::PaymentAttempt| {
            seen.refunded.as_ref().unwrap().minor == 3_000
        };
        world.until(&attempt.id, "refunded", is_back).await;
        let told = world.told(&attempt.id).await.split_off(2);
        assert_eq!(told, ["refund.initiated", "refund.processed"], "{token}");
    }
    world.close_the_books().await;
}

on_both_engines!(
    a_good_card_is_captured_at_once_and_both_facts_are_told,
    a_decline_is_a_state_with_a_reason,
    p5_a_time_out_with_effect_is_unknown_until_the_provider_is_asked,
    p5_the_resolver_asks_by_itself,
    p5_a_time_out_without_effect_stays_unknown_until_not_found_counts,
    a_slow_provider_is_waited_for_and_a_slower_one_is_unknown,
    an_error_without_effect_is_repeated_inside_the_call,
    a_provider_that_is_always_busy_fails_the_attempt_for_certain,
    a_capture_that_fails_leaves_the_authorization,
    p6_a_lost_capture_or_refund_is_found_or_sent_again_under_its_key,
);
