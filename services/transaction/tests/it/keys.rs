//! Idempotency keys, to the letter (T9).

use paymesh_proto::{
    transaction::v1::TransactionStatus as Status,
    types::v1::{DeclineReason, Outcome},
};

use crate::platform::{BOB_USD, Platform, transfer};

#[tokio::test]
async fn t9_a_repeat_answers_with_the_same_transaction_and_another_body_is_refused() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let first = platform
        .create(&platform.alice, transfer("k1", BOB_USD))
        .await
        .unwrap();
    let again = platform
        .create(&platform.alice, transfer("k1", BOB_USD))
        .await
        .unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied, "T9");
    assert_eq!(again.transaction, first.transaction, "T9");
    let mut other = transfer("k1", BOB_USD);
    other.amount.as_mut().unwrap().minor = 1;
    let reused =
        paymesh_mesh::CallError::from(platform.create(&platform.alice, other).await.unwrap_err());
    assert_eq!(reused.reason_text(), "IDEMPOTENCY_KEY_REUSED", "T9");
    // Another principal's key is another key.
    let mut by_finance = transfer("k1", BOB_USD);
    by_finance.amount.as_mut().unwrap().minor = 2;
    let applied = platform
        .create(&platform.finance, by_finance)
        .await
        .unwrap();
    assert_eq!(applied.outcome(), Outcome::Applied);
    assert_eq!(platform.world.ledger.lock().balance(BOB_USD), 10_002);
}

#[tokio::test]
async fn t9_a_hundred_requests_at_once_with_one_key_make_one_transaction() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let requests = (0..100).map(|_| platform.create(&platform.alice, transfer("k1", BOB_USD)));
    let answers = futures::future::join_all(requests).await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|answer| {
            answer
                .as_ref()
                .unwrap()
                .transaction
                .as_ref()
                .unwrap()
                .id
                .clone()
        })
        .collect();
    assert_eq!(ids.len(), 1, "T9");
    let applied = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap().outcome() == Outcome::Applied)
        .count();
    assert_eq!(applied, 1, "T9");
    assert_eq!(platform.world.ledger.lock().balance(BOB_USD), 10_000);
}

#[tokio::test]
async fn t9_a_repeat_while_the_first_is_at_work_waits_or_says_so() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.ledger.lock().line.calls_to_refuse = u32::MAX;
    let mut request = platform.purchase("k1");
    request.wait_ms = Some(50);
    let first = platform
        .create(&platform.alice, request.clone())
        .await
        .unwrap()
        .transaction
        .unwrap();
    platform.is_seen(&first.id, Status::Processing).await;
    let busy = paymesh_mesh::CallError::from(
        platform
            .create(&platform.alice, request.clone())
            .await
            .unwrap_err(),
    );
    assert_eq!(busy.reason_text(), "IDEMPOTENCY_IN_PROGRESS", "T9");
    assert!(paymesh_kernel::Fault::retry_after_ms(&busy).is_some(), "T9");
    platform.world.ledger.lock().line.calls_to_refuse = 0;
    platform.until(&first.id, Status::Completed).await;
    let again = platform.create(&platform.alice, request).await.unwrap();
    assert_eq!(
        again.outcome(),
        Outcome::AlreadyApplied,
        "T9: how long one waits is no part of what is asked"
    );
}

#[tokio::test]
async fn t9_a_decline_is_kept_and_a_failed_validation_is_not() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut poor = transfer("k1", BOB_USD);
    poor.amount.as_mut().unwrap().minor = 60_000;
    let declined = platform
        .create(&platform.alice, poor.clone())
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(declined.decline_reason(), DeclineReason::InsufficientFunds);
    let again = platform.create(&platform.alice, poor).await.unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied, "T9");
    let mut unknown = transfer("k2", "acct_01h455vb4pex5vsknk084sn0z9");
    platform
        .create(&platform.alice, unknown.clone())
        .await
        .unwrap_err();
    unknown = transfer("k2", BOB_USD);
    let applied = platform.create(&platform.alice, unknown).await.unwrap();
    assert_eq!(
        applied.outcome(),
        Outcome::Applied,
        "T9: the key was not used up"
    );
}

#[tokio::test]
async fn t9_a_repeat_is_answered_although_the_merchant_has_stopped_since() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.purchased("k1").await;
    platform.world.merchants.lock().0.clear();
    platform
        .harness
        .clock
        .advance(std::time::Duration::from_secs(60));
    let again = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied, "T9");
}
