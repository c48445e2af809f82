//! Payments of each kind, from the request to the books.

use paymesh_proto::{
    account::v1::AccountPurpose,
    transaction::v1::{self as wire, TransactionStatus as Status},
    types::v1::{DeclineReason, Outcome},
};

use crate::{
    fakes::{Behaviour, Verdict},
    platform::{ALICE_USD, AVAILABLE, BOB_EUR, BOB_USD, PENDING, Platform, transfer},
};

#[tokio::test]
async fn a_transfer_is_booked_and_told() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let answer = platform
        .create(&platform.alice, transfer("k1", BOB_USD))
        .await
        .unwrap();
    let transaction = answer.transaction.clone().unwrap();
    assert_eq!(transaction.status(), Status::Completed, "{transaction:?}");
    assert_eq!(answer.outcome(), Outcome::Applied);
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(
        (ledger.balance(ALICE_USD), ledger.balance(BOB_USD)),
        (40_000, 10_000)
    );
}

#[tokio::test]
async fn t3_a_transfer_across_currencies_is_booked_at_the_figures_of_its_quote() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let answer = platform
        .create(&platform.alice, transfer("k1", BOB_EUR))
        .await
        .unwrap();
    let transaction = answer.transaction.unwrap();
    assert_eq!(transaction.status(), Status::Completed);
    assert_eq!(transaction.exchange.unwrap().target.unwrap().minor, 9_154);
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.balance(BOB_EUR), 9_154);
    assert_eq!(
        ledger.system_balance(AccountPurpose::FxSpread, "EUR", ""),
        46
    );
}

#[tokio::test]
async fn t3_a_card_purchase_is_captured_and_booked_with_its_fee() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let answer = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap();
    let transaction = answer.transaction.unwrap();
    assert_eq!(transaction.status(), Status::Completed, "{transaction:?}");
    assert_eq!(transaction.fee.clone().unwrap().minor, 295);
    assert_eq!(transaction.operations.len(), 1);
    assert!(transaction.operations[0].id.starts_with("cap_"));
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.balance(PENDING), 9_154 - 295);
    assert_eq!(ledger.balance(AVAILABLE), 0);
    assert_eq!(platform.world.provider.lock().taken(), 10_000);
}

#[tokio::test]
async fn declines_are_outcomes_with_reasons() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut poor = transfer("k1", BOB_USD);
    poor.amount.as_mut().unwrap().minor = 60_000;
    let declined = platform
        .create(&platform.alice, poor)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(declined.status(), Status::Declined);
    assert_eq!(declined.decline_reason(), DeclineReason::InsufficientFunds);

    platform.card_does(Behaviour::Declines);
    let declined = platform
        .create(&platform.alice, platform.purchase("k2"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(declined.decline_reason(), DeclineReason::DoNotHonor);

    platform.world.risk.lock().verdict = Verdict::Deny;
    let declined = platform
        .create(&platform.alice, transfer("k3", BOB_USD))
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(declined.decline_reason(), DeclineReason::RiskDenied);
    platform.world.ledger.lock().assert_balanced();
}

#[tokio::test]
async fn history_shows_the_steps_with_their_keys() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let transaction = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    let mut client = platform.client("gateway");
    let request = wire::GetTransactionHistoryRequest {
        transaction_id: transaction.id.clone(),
    };
    let history = platform
        .act(&platform.finance, client.get_transaction_history(request))
        .await
        .unwrap()
        .into_inner();
    let keys: Vec<String> = history.steps.iter().map(|step| step.key.clone()).collect();
    let expected: Vec<String> = ["risk", "quote", "consume_quote", "authorize", "post"]
        .iter()
        .map(|step| format!("{}:{step}:forward", transaction.id))
        .collect();
    assert_eq!(keys, expected, "T9");
    assert_eq!(history.status_changes.len(), 1);
}
