//! Answers that are lost, components that are away, and providers that say nothing.

use std::time::Duration;

use paymesh_proto::{
    account::v1::TransferResultCode,
    transaction::v1::{self as wire, TransactionStatus as Status},
    types::v1::DeclineReason,
};

use crate::{
    fakes::Behaviour,
    platform::{BOB_USD, PENDING, Platform, transfer},
};

#[tokio::test]
async fn t10_a_group_whose_answer_is_lost_is_looked_up_and_not_booked_twice() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.ledger.lock().line.answers_to_lose = 1;
    let mut request = transfer("k1", BOB_USD);
    request.wait_ms = Some(100);
    let first = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    platform.is_seen(&first.id, Status::Unknown).await;
    let done = platform.until(&first.id, Status::Completed).await;
    assert_eq!(done.status(), Status::Completed);
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(
        (ledger.groups_booked, ledger.balance(BOB_USD)),
        (1, 10_000),
        "T10"
    );
}

#[tokio::test]
async fn t10_an_authorization_whose_answer_is_lost_is_asked_for_and_not_sent_twice() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.provider.lock().line.answers_to_lose = 1;
    let mut request = platform.purchase("k1");
    request.wait_ms = Some(100);
    let first = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    platform.is_seen(&first.id, Status::Unknown).await;
    platform.until(&first.id, Status::Completed).await;
    assert_eq!(platform.world.provider.lock().authorizations, 1, "T10");
    assert_eq!(platform.world.ledger.lock().balance(PENDING), 9_154 - 295);
}

#[tokio::test]
async fn t10_a_silent_provider_that_did_it_is_found_out_and_one_that_never_had_it_too() {
    let mut platform = Platform::new().await;
    platform.start().await;
    for (behaviour, key, end) in [
        (Behaviour::Silent, "k1", Status::Completed),
        (Behaviour::NeverArrives, "k2", Status::Compensated),
    ] {
        platform.card_does(behaviour);
        let mut request = platform.purchase(key);
        request.wait_ms = Some(100);
        let first = platform
            .create(&platform.alice, request)
            .await
            .unwrap()
            .transaction
            .unwrap();
        platform.is_seen(&first.id, Status::Unknown).await;
        platform.until(&first.id, end).await;
    }
    platform.world.ledger.lock().assert_balanced();
}

#[tokio::test]
async fn t8_a_ledger_that_is_away_after_the_capture_is_waited_for() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.ledger.lock().line.calls_to_refuse = 20;
    let mut request = platform.purchase("k1");
    request.wait_ms = Some(100);
    let first = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    platform.is_seen(&first.id, Status::Processing).await;
    platform.until(&first.id, Status::Completed).await;
    assert_eq!(platform.world.provider.lock().taken(), 10_000);
    platform.world.ledger.lock().assert_balanced();
}

#[tokio::test]
async fn t8_before_the_pivot_a_ledger_that_stays_away_turns_a_transfer_back() {
    let mut platform = Platform::new().await;
    platform.config.forward_failures = 3;
    platform.start().await;
    platform.world.ledger.lock().line.calls_to_refuse = 1_000;
    let mut request = transfer("k1", BOB_USD);
    request.wait_ms = Some(50);
    let first = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    platform.until(&first.id, Status::Compensated).await;
    assert_eq!(platform.world.ledger.lock().groups_booked, 0);
}

#[tokio::test]
async fn t8_after_the_pivot_a_suspended_merchant_and_a_closed_period_do_not_stop_the_booking() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform
        .world
        .ledger
        .lock()
        .books
        .get_mut(PENDING)
        .unwrap()
        .is_suspended = true;
    let answer = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap();
    assert_eq!(
        answer.transaction.unwrap().status(),
        Status::Completed,
        "T8: the fee is netted"
    );
    assert_eq!(platform.world.ledger.lock().balance(PENDING), 9_154 - 295);
    platform.world.ledger.lock().refuse_next = Some((1, TransferResultCode::PeriodClosed));
    let answer = platform
        .create(&platform.alice, platform.purchase("k2"))
        .await
        .unwrap();
    assert_eq!(
        answer.transaction.unwrap().status(),
        Status::Completed,
        "T8"
    );
    platform.world.ledger.lock().assert_balanced();
}

#[tokio::test]
async fn t11_without_risk_only_small_amounts_pass_and_only_where_that_is_configured() {
    let mut platform = Platform::new().await;
    platform
        .config
        .unassessed_limits
        .insert("USD".to_owned(), 5_000);
    platform.config.forward_failures = 1;
    platform.start().await;
    platform.world.risk.lock().is_away = true;
    let refused = platform
        .create(&platform.alice, transfer("k1", BOB_USD))
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(refused.status(), Status::Declined, "T11");
    assert_eq!(refused.decline_reason(), DeclineReason::RiskUnavailable);
    let mut small = transfer("k2", BOB_USD);
    small.amount.as_mut().unwrap().minor = 5_000;
    let passed = platform
        .create(&platform.alice, small)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(passed.status(), Status::Completed, "T11");
}

#[tokio::test]
async fn t11_risk_that_is_away_for_a_moment_is_asked_again() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.risk.lock().is_away = true;
    let mut request = transfer("k1", BOB_USD);
    request.wait_ms = Some(50);
    let first = platform.create(&platform.alice, request).await.unwrap();
    let first = first.transaction.unwrap();
    assert_eq!(first.status(), Status::Initiated, "T11");
    platform.world.risk.lock().is_away = false;
    platform.until(&first.id, Status::Completed).await;
}

#[tokio::test]
async fn without_a_rate_nothing_begins() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.market.lock().has_no_rate = true;
    let declined = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(
        declined.decline_reason(),
        DeclineReason::CurrencyNotSupported
    );
    assert_eq!(platform.world.provider.lock().authorizations, 0);
}

#[tokio::test]
async fn what_cannot_be_undone_is_stuck_until_two_people_decide() {
    let mut platform = Platform::new().await;
    platform.config.undo_failures = 3;
    platform.start().await;
    let answer = platform
        .create(&platform.alice, platform.purchase_for_later("k1"))
        .await
        .unwrap();
    let id = answer.transaction.unwrap().id;
    platform.world.provider.lock().refuses_cancels = true;
    platform
        .harness
        .clock
        .advance(Duration::from_secs(8 * 24 * 3_600));
    platform.until(&id, Status::Stuck).await;
    let mut client = platform.client("gateway");
    let ask = |resolution: wire::Resolution| wire::RequestResolveStuckRequest {
        transaction_id: id.clone(),
        resolution: resolution.into(),
        reason: "the provider is back".to_owned(),
    };
    let asked = platform
        .act(
            &platform.finance,
            client.request_resolve_stuck(ask(wire::Resolution::RetryCompensation)),
        )
        .await
        .unwrap()
        .into_inner();
    let request = asked.transaction.unwrap().resolution_request.unwrap();
    let approve = wire::ApproveResolveStuckRequest {
        transaction_id: id.clone(),
        resolution_request_id: request.id,
    };
    let same = platform
        .act(
            &platform.finance,
            client.approve_resolve_stuck(approve.clone()),
        )
        .await
        .unwrap_err();
    assert_eq!(
        same.code(),
        tonic::Code::FailedPrecondition,
        "another person must"
    );
    platform.world.provider.lock().refuses_cancels = false;
    let second = platform.harness.person(paymesh_kernel::Role::Finance);
    platform
        .act(&second, client.approve_resolve_stuck(approve))
        .await
        .unwrap();
    platform.until(&id, Status::Canceled).await;
    assert_eq!(platform.world.provider.lock().open_authorizations(), 0);
}
