//! The component dies around a call to the provider, and rises again on the same database (P4).

use std::time::Duration;

use paymesh_proto::payment::v1::{self as proto, AttemptCapture, AttemptState};

use crate::{
    gate::Hold,
    on_both_engines,
    world::{Client, World},
};

/// Does something until the gate holds it, then kills the component.
async fn die_at<T: Send + 'static, F>(
    world: &mut World,
    (path, hold): (&'static str, Hold),
    work: impl FnOnce(Client) -> F + Send + 'static,
) where
    F: Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send,
{
    let reached = world.gate.hold(path, hold);
    let who = ("transaction", Some(world.transaction()));
    {
        let work = |channel| {
            work(proto::payment_service_client::PaymentServiceClient::new(
                channel,
            ))
        };
        let calling = world.life.act(who, work);
        tokio::pin!(calling);
        tokio::select! {
            reached = reached => reached.unwrap(),
            answer = &mut calling => panic!("it was not held: {:?}", answer.map(|answer| answer.is_ok())),
        }
    }
    world.rise_again().await;
}

async fn p4_an_authorization_that_never_left_fails_after_its_window(mut world: World) {
    let order = world.order("tok_ok", AttemptCapture::Automatic).await;
    let sent = order.clone();
    die_at(
        &mut world,
        ("/v1/payments", Hold::Before),
        |mut at| async move { at.authorize(sent).await },
    )
    .await;
    let found = world.get(&order.attempt_id).await;
    assert_eq!(
        found.state(),
        AttemptState::Created,
        "P4: the row was there before the call"
    );
    world.clock.advance(Duration::from_secs(300));
    let is_failed = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Failed;
    world.until(&order.attempt_id, "failed", is_failed).await;
    assert_eq!(world.told(&order.attempt_id).await, ["payment.failed"]);
    world.close_the_books().await;
}

async fn p4_an_authorization_whose_answer_was_lost_is_found(mut world: World) {
    let order = world.order("tok_ok", AttemptCapture::Automatic).await;
    let sent = order.clone();
    die_at(
        &mut world,
        ("/v1/payments", Hold::After),
        |mut at| async move { at.authorize(sent).await },
    )
    .await;
    // The caller repeats its command: work that was begun is finished, not begun again.
    let repeated = world.authorize(&order).await;
    assert_eq!(repeated.state(), AttemptState::Captured, "P4");
    assert_eq!(world.gate.posts("/v1/payments"), 1, "P4");
    world.close_the_books().await;
}

async fn p4_an_authorization_whose_answer_was_lost_is_found_without_anybody_asking(
    mut world: World,
) {
    let order = world.order("tok_ok", AttemptCapture::Manual).await;
    let sent = order.clone();
    die_at(
        &mut world,
        ("/v1/payments", Hold::After),
        |mut at| async move { at.authorize(sent).await },
    )
    .await;
    world.clock.advance(Duration::from_secs(60));
    let is_authorized = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Authorized;
    world
        .until(&order.attempt_id, "authorized", is_authorized)
        .await;
    world.close_the_books().await;
}

async fn p4_a_capture_is_finished_wherever_it_was_cut(mut world: World) {
    for hold in [Hold::Before, Hold::After] {
        let attempt = world.pay("tok_ok", AttemptCapture::Manual).await;
        let request = world.capture_request(&attempt.id, 6_000);
        let sent = request.clone();
        die_at(&mut world, ("/captures", hold), |mut at| async move {
            at.capture(sent).await
        })
        .await;
        world.clock.advance(Duration::from_secs(60));
        let is_taken =
            |seen: &proto::PaymentAttempt| seen.captured.as_ref().unwrap().minor == 6_000;
        world.until(&attempt.id, "captured", is_taken).await;
        let repeated = world
            .call(|mut at| async move { at.capture(request).await })
            .await;
        assert_eq!(
            repeated.attempt.unwrap().captured.unwrap().minor,
            6_000,
            "P4: once, {hold:?}"
        );
    }
    world.close_the_books().await;
}

async fn p4_a_refund_is_finished_wherever_it_was_cut(mut world: World) {
    for hold in [Hold::Before, Hold::After] {
        let attempt = world.pay("tok_ok", AttemptCapture::Automatic).await;
        let request = world.refund_request(&attempt.id, 7_000);
        let sent = request.clone();
        die_at(&mut world, ("/refunds", hold), |mut at| async move {
            at.refund(sent).await
        })
        .await;
        world.clock.advance(Duration::from_secs(60));
        let is_back = |seen: &proto::PaymentAttempt| seen.refunded.as_ref().unwrap().minor == 7_000;
        world.until(&attempt.id, "refunded", is_back).await;
        let told = world.told(&attempt.id).await.split_off(2);
        assert_eq!(
            told,
            ["refund.initiated", "refund.processed"],
            "P4: {hold:?}"
        );
        drop(request);
    }
    world.close_the_books().await;
}

async fn p4_a_cancellation_is_finished_wherever_it_was_cut(mut world: World) {
    for hold in [Hold::Before, Hold::After] {
        let attempt = world.pay("tok_ok", AttemptCapture::Manual).await;
        let request = proto::CancelRequest {
            key: format!("{}:cancel:do", attempt.id),
            attempt_id: attempt.id.clone(),
            reason: String::new(),
        };
        die_at(&mut world, ("/cancel", hold), |mut at| async move {
            at.cancel(request).await
        })
        .await;
        world.clock.advance(Duration::from_secs(60));
        let is_over = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Canceled;
        world.until(&attempt.id, "canceled", is_over).await;
    }
    world.close_the_books().await;
}

async fn a_caller_who_hangs_up_stops_nothing(world: World) {
    let order = world
        .order("tok_delay_300", AttemptCapture::Automatic)
        .await;
    let sent = order.clone();
    let hung_up = world
        .try_call(|mut at| async move {
            let mut request = tonic::Request::new(sent);
            request.set_timeout(Duration::from_millis(100));
            let call = at.authorize(request);
            tokio::time::timeout(Duration::from_millis(100), call)
                .await
                .unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("hung up")))
        })
        .await;
    assert!(hung_up.is_err());
    let is_captured = |seen: &proto::PaymentAttempt| seen.state() == AttemptState::Captured;
    world
        .until(&order.attempt_id, "captured", is_captured)
        .await;
    assert_eq!(
        world.told(&order.attempt_id).await,
        ["payment.authorized", "payment.processed"]
    );
    world.close_the_books().await;
}

on_both_engines!(
    p4_an_authorization_that_never_left_fails_after_its_window,
    p4_an_authorization_whose_answer_was_lost_is_found,
    p4_an_authorization_whose_answer_was_lost_is_found_without_anybody_asking,
    p4_a_capture_is_finished_wherever_it_was_cut,
    p4_a_refund_is_finished_wherever_it_was_cut,
    p4_a_cancellation_is_finished_wherever_it_was_cut,
    a_caller_who_hangs_up_stops_nothing,
);
