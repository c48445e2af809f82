//! Captures, cancellations and refunds, in parts and several.

use paymesh_kernel::{ErrorKind, Fault as _};
use paymesh_proto::payment::v1::{
    self as proto, AttemptCapture, AttemptOperationState, AttemptState, RefundFailed,
};
use paymesh_proto::types::v1::Outcome;

use crate::{
    on_both_engines,
    world::{World, eur, read},
};

async fn p1_several_captures_and_a_final_one(world: World) {
    let attempt = world.pay("tok_ok", AttemptCapture::Manual).await;
    assert_eq!(attempt.state(), AttemptState::Authorized);
    let first = world.capture(&attempt.id, 2_500).await.attempt.unwrap();
    assert_eq!(first.state(), AttemptState::PartiallyCaptured);
    let too_much = world.capture_request(&attempt.id, 7_501);
    let refused = world
        .try_call(|mut at| async move { at.capture(too_much).await })
        .await;
    assert_eq!(
        refused.unwrap_err().reason_text(),
        "CAPTURE_EXCEEDS_AUTHORIZED",
        "P1"
    );
    let last = proto::CaptureRequest {
        r#final: true,
        ..world.capture_request(&attempt.id, 2_500)
    };
    let last = world
        .call(|mut at| async move { at.capture(last).await })
        .await;
    let captured = last.attempt.unwrap();
    assert_eq!(captured.state(), AttemptState::Captured);
    assert_eq!(captured.captured.unwrap().minor, 5_000);
    let more = world.capture_request(&attempt.id, 1);
    let refused = world
        .try_call(|mut at| async move { at.capture(more).await })
        .await;
    assert_eq!(
        refused.unwrap_err().reason_text(),
        "ATTEMPT_ALREADY_CAPTURED"
    );
    assert_eq!(
        world.told(&attempt.id).await,
        [
            "payment.authorized",
            "payment.processed",
            "payment.processed"
        ]
    );
    world.close_the_books().await;
}

async fn p2_several_refunds_up_to_what_was_captured(world: World) {
    let attempt = world.pay("tok_ok", AttemptCapture::Automatic).await;
    for minor in [4_000, 5_000] {
        let refunded = world.refund(&attempt.id, minor).await;
        assert_eq!(
            refunded.operation.unwrap().state(),
            AttemptOperationState::Succeeded
        );
    }
    let too_much = world.refund_request(&attempt.id, 1_001);
    let refused = world
        .try_call(|mut at| async move { at.refund(too_much).await })
        .await;
    let error = refused.unwrap_err();
    assert_eq!(
        (error.kind(), error.reason_text()),
        (ErrorKind::FailedPrecondition, "REFUND_EXCEEDS_CAPTURED"),
        "P2"
    );
    let dollars = proto::RefundRequest {
        amount: Some(paymesh_proto::types::v1::Money {
            currency: "USD".to_owned(),
            ..eur(1)
        }),
        ..world.refund_request(&attempt.id, 1)
    };
    let refused = world
        .try_call(|mut at| async move { at.refund(dollars).await })
        .await;
    assert_eq!(refused.unwrap_err().reason_text(), "CURRENCY_MISMATCH");
    world.close_the_books().await;
}

async fn a_refund_may_fail_at_once_or_later(world: World) {
    let at_once = world
        .pay("tok_refund_fails", AttemptCapture::Automatic)
        .await;
    let refunded = world.refund(&at_once.id, 1_000).await;
    assert_eq!(
        refunded.operation.unwrap().state(),
        AttemptOperationState::Declined
    );
    let told = world.told(&at_once.id).await.split_off(2);
    assert_eq!(told, ["refund.initiated", "refund.failed"]);

    let later = world
        .pay("tok_refund_fails_later", AttemptCapture::Automatic)
        .await;
    let refunded = world.refund(&later.id, 1_000).await;
    assert_eq!(
        refunded.operation.unwrap().state(),
        AttemptOperationState::Succeeded
    );
    world.provider_timers().await;
    let failed = loop {
        let webhook = world.next_webhook().await;
        if String::from_utf8_lossy(&webhook.body).contains("refund.failed")
            && String::from_utf8_lossy(&webhook.body).contains(&later.reference)
        {
            break webhook;
        }
    };
    world.hand_over(&failed).await.unwrap();
    let is_reversed = |seen: &proto::PaymentAttempt| seen.refunded.as_ref().unwrap().minor == 0;
    world
        .until(&later.id, "the refund failed", is_reversed)
        .await;
    let facts = world.facts().await;
    let (kind, _, _, payload) = facts.last().unwrap();
    assert_eq!(kind, "refund.failed.v1");
    assert!(
        read::<RefundFailed>(payload).after_success,
        "its booking must be reversed"
    );
    world.close_the_books().await;
}

async fn a_cancellation_releases_all_or_the_rest(world: World) {
    let whole = world.pay("tok_ok", AttemptCapture::Manual).await;
    let canceled = world.cancel(&whole.id).await.attempt.unwrap();
    assert_eq!(canceled.state(), AttemptState::Canceled);
    assert_eq!(
        world.told(&whole.id).await,
        ["payment.authorized", "payment.updated"]
    );
    let rest = world.pay("tok_ok", AttemptCapture::Manual).await;
    world.capture(&rest.id, 4_000).await;
    let released = world.cancel(&rest.id).await.attempt.unwrap();
    assert_eq!(released.state(), AttemptState::Captured);
    let captured = world.pay("tok_ok", AttemptCapture::Automatic).await;
    let request = proto::CancelRequest {
        key: "late:cancel:do".to_owned(),
        attempt_id: captured.id.clone(),
        reason: String::new(),
    };
    let refused = world
        .try_call(|mut at| async move { at.cancel(request).await })
        .await;
    assert_eq!(
        refused.unwrap_err().reason_text(),
        "ATTEMPT_ALREADY_CAPTURED"
    );
    let declined = world.pay("tok_declined", AttemptCapture::Automatic).await;
    let nothing = world.cancel(&declined.id).await;
    assert_eq!(
        nothing.attempt.unwrap().state(),
        AttemptState::Declined,
        "nothing is to be released"
    );
    world.close_the_books().await;
}

async fn p7_a_cancellation_of_an_unknown_attempt_leaves_a_tombstone(world: World) {
    let order = world.order("tok_ok", AttemptCapture::Automatic).await;
    let tombstone = world.cancel(&order.attempt_id).await;
    assert!(tombstone.attempt.is_none());
    assert_eq!(tombstone.outcome(), Outcome::Applied);
    assert_eq!(
        world.cancel(&order.attempt_id).await.outcome(),
        Outcome::AlreadyApplied
    );
    let late = order.clone();
    let refused = world
        .try_call(|mut at| async move { at.authorize(late).await })
        .await;
    let error = refused.unwrap_err();
    assert_eq!(
        error.reason_text(),
        "ATTEMPT_CANCELED",
        "P7: a late original is refused"
    );
    assert_eq!(error.outcome(), paymesh_kernel::Outcome::NotProcessed);
    assert_eq!(world.gate.posts("/v1/payments"), 0, "P7");
    let request = proto::GetAttemptRequest {
        attempt_id: order.attempt_id,
    };
    let missing = world
        .try_call(|mut at| async move { at.get_attempt(request).await })
        .await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    world.close_the_books().await;
}

async fn p7_a_cancellation_in_doubt_gives_back_what_turns_up(world: World) {
    for (token, capture) in [
        ("tok_timeout_with_effect", AttemptCapture::Manual),
        ("tok_timeout_with_effect_b", AttemptCapture::Automatic),
        ("tok_timeout_no_effect", AttemptCapture::Automatic),
    ] {
        let attempt = world.pay(token, capture).await;
        assert_eq!(attempt.state(), AttemptState::Unknown, "{token}");
        world.cancel(&attempt.id).await;
        let is_over = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Canceled;
        let ended = world.until(&attempt.id, "canceled", is_over).await;
        assert_eq!(ended.captured, ended.refunded, "P7: {token}");
        let told = world.told(&attempt.id).await;
        assert!(
            told.iter().all(|kind| kind == "payment.updated"),
            "P7: {token}: {told:?}"
        );
    }
    world.close_the_books().await;
}

async fn p7_a_success_after_the_window_goes_back_by_itself(world: World) {
    // It takes longer than the window that the connector declares: by the clock, which the provider's delay does not follow.
    let attempt = world.pay("tok_delay_3000", AttemptCapture::Automatic).await;
    assert_eq!(attempt.state(), AttemptState::Unknown);
    world.clock.advance(std::time::Duration::from_secs(200));
    let is_failed = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Failed;
    world.until(&attempt.id, "failed", is_failed).await;
    let webhook = world.next_webhook().await;
    world.hand_over(&webhook).await.unwrap();
    let is_back = |seen: &proto::PaymentAttempt| seen.refunded.as_ref().unwrap().minor == 10_000;
    let ended = world.until(&attempt.id, "refunded", is_back).await;
    assert_eq!(
        ended.state(),
        AttemptState::Failed,
        "P7: what was told stays"
    );
    world.close_the_books().await;
}

on_both_engines!(
    p1_several_captures_and_a_final_one,
    p2_several_refunds_up_to_what_was_captured,
    a_refund_may_fail_at_once_or_later,
    a_cancellation_releases_all_or_the_rest,
    p7_a_cancellation_of_an_unknown_attempt_leaves_a_tombstone,
    p7_a_cancellation_in_doubt_gives_back_what_turns_up,
    p7_a_success_after_the_window_goes_back_by_itself,
);
