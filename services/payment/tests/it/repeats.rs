//! The same command many times, also at once (P10).

use paymesh_kernel::Fault as _;
use paymesh_proto::payment::v1::{self as proto, AttemptCapture, AttemptState};
use paymesh_proto::types::v1::Outcome;

use crate::{
    on_both_engines,
    world::{World, eur},
};

async fn p10_the_same_authorization_at_once_is_done_once(world: World) {
    let order = world
        .order("tok_delay_100", AttemptCapture::Automatic)
        .await;
    let calls = (0..12).map(|_| {
        let order = order.clone();
        world.call(|mut at| async move { at.authorize(order).await })
    });
    let answers = futures::future::join_all(calls).await;
    let applied = answers
        .iter()
        .filter(|answer| answer.outcome() == Outcome::Applied);
    assert_eq!(applied.count(), 1, "P10");
    for answer in &answers {
        assert_eq!(
            answer.attempt.as_ref().unwrap().state(),
            AttemptState::Captured,
            "P10: all wait for it"
        );
    }
    assert_eq!(world.gate.posts("/v1/payments"), 1, "P10");
    world.close_the_books().await;
}

async fn p10_the_same_capture_or_refund_at_once_is_done_once(world: World) {
    let attempt = world.pay("tok_ok", AttemptCapture::Manual).await;
    let request = world.capture_request(&attempt.id, 5_000);
    let calls = (0..8).map(|_| {
        let request = request.clone();
        world.call(|mut at| async move { at.capture(request).await })
    });
    let answers = futures::future::join_all(calls).await;
    let applied = answers
        .iter()
        .filter(|answer| answer.outcome() == Outcome::Applied);
    assert_eq!(applied.count(), 1, "P10");
    let request = world.refund_request(&attempt.id, 5_000);
    let calls = (0..8).map(|_| {
        let request = request.clone();
        world.call(|mut at| async move { at.refund(request).await })
    });
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| {
        answer
            .attempt
            .as_ref()
            .unwrap()
            .refunded
            .as_ref()
            .unwrap()
            .minor
            == 5_000
    }));
    assert_eq!(
        (world.gate.posts("/captures"), world.gate.posts("/refunds")),
        (1, 1),
        "P10"
    );
    world.cancel(&attempt.id).await;
    world.close_the_books().await;
}

async fn p1_p2_different_captures_and_refunds_at_once_never_exceed_the_amount(world: World) {
    let attempt = world.pay("tok_ok", AttemptCapture::Manual).await;
    let calls = (0..8).map(|_| {
        let request = world.capture_request(&attempt.id, 3_000);
        world.try_call(|mut at| async move { at.capture(request).await })
    });
    let answers = futures::future::join_all(calls).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    for error in refused {
        assert!(
            matches!(
                error.reason_text(),
                "CAPTURE_EXCEEDS_AUTHORIZED" | "CONCURRENT_CHANGE"
            ),
            "{error:?}"
        );
        assert_eq!(error.outcome(), paymesh_kernel::Outcome::NotProcessed);
    }
    let seen = world.get(&attempt.id).await;
    assert!((1..=3).contains(&taken));
    assert_eq!(
        seen.captured.unwrap().minor,
        i64::try_from(taken).unwrap() * 3_000,
        "P1"
    );
    world.cancel(&attempt.id).await;
    world.close_the_books().await;
}

async fn p10_an_id_or_key_with_another_body_is_refused(world: World) {
    let order = world.order("tok_ok", AttemptCapture::Manual).await;
    let attempt = world.authorize(&order).await;
    let another = world.order("tok_ok", AttemptCapture::Manual).await;
    for reused in [
        proto::AuthorizeRequest {
            amount: Some(eur(1)),
            ..order.clone()
        },
        proto::AuthorizeRequest {
            key: "other:authorize:do".to_owned(),
            ..order.clone()
        },
        proto::AuthorizeRequest {
            attempt_id: another.attempt_id,
            ..order.clone()
        },
    ] {
        let refused = world
            .try_call(|mut at| async move { at.authorize(reused).await })
            .await;
        assert_eq!(
            refused.unwrap_err().reason_text(),
            "IDEMPOTENCY_KEY_REUSED",
            "P10"
        );
    }
    let capture = world.capture_request(&attempt.id, 2_000);
    let first = capture.clone();
    world
        .call(|mut at| async move { at.capture(first).await })
        .await;
    for reused in [
        proto::CaptureRequest {
            amount: Some(eur(1)),
            ..capture.clone()
        },
        proto::CaptureRequest {
            key: "other:capture:do".to_owned(),
            ..capture.clone()
        },
    ] {
        let refused = world
            .try_call(|mut at| async move { at.capture(reused).await })
            .await;
        assert_eq!(
            refused.unwrap_err().reason_text(),
            "IDEMPOTENCY_KEY_REUSED",
            "P10"
        );
    }
    world.cancel(&attempt.id).await;
    world.close_the_books().await;
}

on_both_engines!(
    p10_the_same_authorization_at_once_is_done_once,
    p10_the_same_capture_or_refund_at_once_is_done_once,
    p1_p2_different_captures_and_refunds_at_once_never_exceed_the_amount,
    p10_an_id_or_key_with_another_body_is_refused,
);
