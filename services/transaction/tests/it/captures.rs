//! Captures in parts, from cards and from balances, and what is called off.

use paymesh_proto::{
    account::v1::AccountPurpose,
    transaction::v1::{self as wire, TransactionStatus as Status},
};

use crate::platform::{ALICE_USD, PENDING, Platform, account, money};

impl Platform {
    pub(crate) async fn capture(
        &self,
        (id, key): (&str, &str),
        minor: Option<i64>,
        is_final: bool,
    ) -> Result<wire::CaptureResponse, tonic::Status> {
        let mut client = self.client("gateway");
        let request = wire::CaptureRequest {
            idempotency_key: key.to_owned(),
            transaction_id: id.to_owned(),
            amount: minor.and_then(|minor| money(minor, "USD")),
            r#final: is_final,
            ..wire::CaptureRequest::default()
        };
        self.act(&self.shop, client.capture(request))
            .await
            .map(tonic::Response::into_inner)
    }

    pub(crate) async fn cancel(
        &self,
        id: &str,
        key: &str,
    ) -> Result<wire::Transaction, tonic::Status> {
        let mut client = self.client("gateway");
        let request = wire::CancelTransactionRequest {
            idempotency_key: key.to_owned(),
            transaction_id: id.to_owned(),
            reason: "CHANGED_MIND".to_owned(),
            wait_ms: None,
        };
        let answer = self
            .act(&self.alice, client.cancel_transaction(request))
            .await?;
        Ok(answer.into_inner().transaction.unwrap())
    }

    async fn authorized(&self) -> String {
        let answer = self
            .create(&self.alice, self.purchase_for_later("auth"))
            .await
            .unwrap();
        let transaction = answer.transaction.unwrap();
        assert_eq!(transaction.status(), Status::Authorized, "{transaction:?}");
        transaction.id
    }
}

#[tokio::test]
async fn t6_three_partial_captures_cost_and_pay_what_one_does() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.authorized().await;
    assert_eq!(
        platform.world.ledger.lock().groups_booked,
        0,
        "authorizing posts nothing"
    );
    for (key, minor, is_final) in [
        ("c1", 3_333, false),
        ("c2", 3_333, false),
        ("c3", 3_334, true),
    ] {
        let answer = platform
            .capture((&id, key), Some(minor), is_final)
            .await
            .unwrap();
        assert_eq!(
            answer.operation.unwrap().state(),
            wire::OperationState::Completed
        );
        platform.world.ledger.lock().assert_balanced();
    }
    let transaction = platform.get(&id).await;
    assert_eq!(transaction.status(), Status::Completed);
    assert_eq!(transaction.captured.unwrap().minor, 10_000);
    assert_eq!(transaction.fee.unwrap().minor, 295, "T6");
    assert_eq!(transaction.operations.len(), 3);
    let ledger = platform.world.ledger.lock().clone();
    assert_eq!(ledger.balance(PENDING), 9_154 - 295, "T6");
    assert_eq!(
        ledger.system_balance(AccountPurpose::FxSpread, "EUR", ""),
        46,
        "T4"
    );
}

#[tokio::test]
async fn t5_no_more_is_captured_than_is_authorized() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.authorized().await;
    platform
        .capture((&id, "c1"), Some(6_000), false)
        .await
        .unwrap();
    let error = platform
        .capture((&id, "c2"), Some(4_001), false)
        .await
        .unwrap_err();
    assert_eq!(error.code(), tonic::Code::FailedPrecondition, "T5: {error}");
    let last = platform.capture((&id, "c3"), None, false).await.unwrap();
    assert_eq!(last.operation.unwrap().amount.unwrap().minor, 4_000);
    assert_eq!(last.transaction.unwrap().status(), Status::Completed);
}

#[tokio::test]
async fn what_is_called_off_is_released_and_what_was_captured_stays() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.authorized().await;
    let canceled = platform.cancel(&id, "x1").await.unwrap();
    assert_eq!(canceled.status(), Status::Canceled);
    assert_eq!(platform.world.provider.lock().open_authorizations(), 0);
    assert_eq!(platform.world.provider.lock().taken(), 0);
    let again = platform.cancel(&id, "x1").await.unwrap();
    assert_eq!(
        again.status(),
        Status::Canceled,
        "a repeat is answered alike"
    );
    let late = platform.capture((&id, "c1"), None, true).await.unwrap_err();
    assert_eq!(late.code(), tonic::Code::FailedPrecondition);

    let mut second = platform.purchase_for_later("auth2");
    second.amount = money(5_000, "USD");
    let id = platform
        .create(&platform.alice, second)
        .await
        .unwrap()
        .transaction
        .unwrap()
        .id;
    platform
        .capture((&id, "c2"), Some(2_000), false)
        .await
        .unwrap();
    let rest = platform.cancel(&id, "x2").await.unwrap();
    assert_eq!(rest.status(), Status::Completed, "the rest is released");
    assert_eq!(rest.captured.unwrap().minor, 2_000);
}

#[tokio::test]
async fn a_balance_is_reserved_and_captured_in_parts() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut request = platform.purchase_for_later("k1");
    request.payer = account(ALICE_USD);
    let transaction = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(transaction.status(), Status::Authorized, "{transaction:?}");
    assert_eq!(platform.world.ledger.lock().reserved(), 10_000);
    let id = transaction.id;
    platform
        .capture((&id, "c1"), Some(4_000), false)
        .await
        .unwrap();
    assert_eq!(
        platform.world.ledger.lock().reserved(),
        6_000,
        "the rest stays reserved"
    );
    platform
        .capture((&id, "c2"), Some(5_000), true)
        .await
        .unwrap();
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.reserved(), 0, "the rest is released");
    assert_eq!(ledger.balance(ALICE_USD), 50_000 - 9_000);
    assert_eq!(platform.get(&id).await.status(), Status::Completed);
}

#[tokio::test]
async fn an_authorization_that_nobody_captures_ends_by_itself() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.authorized().await;
    platform
        .harness
        .clock
        .advance(std::time::Duration::from_secs(8 * 24 * 3_600));
    let ended = platform.until(&id, Status::Canceled).await;
    assert_eq!(ended.status(), Status::Canceled);
    assert_eq!(platform.world.provider.lock().open_authorizations(), 0);
}
