//! Money that goes back: refunds, refunds that fail later, chargebacks.

use paymesh_proto::{
    account::v1::AccountPurpose,
    merchant::v1::NegativeBalance,
    transaction::v1::{self as wire, OperationState},
    types::v1::{DeclineReason, Outcome},
};

use crate::platform::{ALICE_USD, AVAILABLE, PENDING, Platform, account, money};

impl Platform {
    pub(crate) async fn refund(
        &self,
        (id, key): (&str, &str),
        minor: Option<i64>,
    ) -> Result<wire::RefundResponse, tonic::Status> {
        let mut client = self.client("gateway");
        let request = wire::RefundRequest {
            idempotency_key: key.to_owned(),
            transaction_id: id.to_owned(),
            amount: minor.and_then(|minor| money(minor, "USD")),
            reason: "broken".to_owned(),
            ..wire::RefundRequest::default()
        };
        self.act(&self.shop, client.refund(request))
            .await
            .map(tonic::Response::into_inner)
    }

    pub(crate) async fn purchased(&self, key: &str) -> String {
        let transaction = self
            .create(&self.alice, self.purchase(key))
            .await
            .unwrap()
            .transaction
            .unwrap();
        assert_eq!(
            transaction.status(),
            wire::TransactionStatus::Completed,
            "{transaction:?}"
        );
        transaction.id
    }

    pub(crate) async fn charge_back(
        &self,
        (id, dispute): (&str, &str),
        stage: wire::ChargebackStage,
    ) -> Result<wire::RecordChargebackResponse, tonic::Status> {
        let mut client = self.client("gateway");
        let request = wire::RecordChargebackRequest {
            dispute_id: dispute.to_owned(),
            transaction_id: id.to_owned(),
            stage: stage.into(),
            amount: money(10_000, "USD"),
            connector_fee: (stage == wire::ChargebackStage::Opened)
                .then(|| money(1_500, "USD"))
                .flatten(),
            ..wire::RecordChargebackRequest::default()
        };
        self.act(&self.finance, client.record_chargeback(request))
            .await
            .map(tonic::Response::into_inner)
    }
}

pub(crate) const DISPUTE: &str = "dp_01h455vb4pex5vsknk084sn0e0";

#[tokio::test]
async fn t7_refunds_draw_from_what_the_purchase_has_and_no_more_is_refunded_than_captured() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.purchased("k1").await;
    let other = platform.purchased("k2").await;
    let half = platform.refund((&id, "r1"), Some(5_000)).await.unwrap();
    let operation = half.operation.unwrap();
    assert_eq!(
        operation.state(),
        OperationState::Completed,
        "{operation:?}"
    );
    assert!(operation.id.starts_with("re_"));
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(
        ledger.balance(PENDING),
        2 * (9_154 - 295) - 4_623,
        "46.00 and a spread of 0.23"
    );
    let too_much = platform.refund((&id, "r2"), Some(5_001)).await.unwrap_err();
    assert_eq!(too_much.code(), tonic::Code::FailedPrecondition, "T5");
    // The fee is kept, so the second half is not covered by what this purchase has left, and another purchase's is not touched.
    let rest = platform
        .refund((&id, "r3"), None)
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_eq!(rest.state(), OperationState::Declined, "T7: {rest:?}");
    assert_eq!(rest.decline_reason(), DeclineReason::RefundNotCovered);
    platform.plan(|plan| plan.set_negative_balance(NegativeBalance::Allowed));
    let kept = platform
        .refund((&id, "r4"), None)
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_eq!(
        kept.state(),
        OperationState::Declined,
        "T6: a transaction keeps the plan it began with"
    );
    assert_eq!(platform.get(&other).await.refunded.unwrap().minor, 0);
    assert_eq!(platform.world.provider.lock().taken(), 15_000);
}

#[tokio::test]
async fn t7_a_plan_that_allows_it_forces_the_rest() {
    let mut platform = Platform::new().await;
    platform.plan(|plan| plan.set_negative_balance(NegativeBalance::Allowed));
    platform.start().await;
    let id = platform.purchased("k1").await;
    let whole = platform
        .refund((&id, "r1"), None)
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_eq!(whole.state(), OperationState::Completed, "{whole:?}");
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.balance(PENDING), 0);
    assert_eq!(
        ledger.balance(AVAILABLE),
        9_154 - 295 - 9_246,
        "T7: forced below zero"
    );
    assert_eq!(platform.get(&id).await.refunded.unwrap().minor, 10_000);
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_is_declined_and_its_reservation_released() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.purchased("k1").await;
    platform.world.provider.lock().refuses_refunds = true;
    let refused = platform
        .refund((&id, "r1"), Some(1_000))
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_eq!(refused.state(), OperationState::Declined);
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(
        (ledger.reserved(), ledger.balance(PENDING)),
        (0, 9_154 - 295)
    );
    platform.world.provider.lock().refuses_refunds = false;
    let second = platform
        .refund((&id, "r2"), Some(1_000))
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_eq!(
        second.state(),
        OperationState::Completed,
        "what was refused is free again"
    );
}

#[tokio::test]
async fn a_refund_of_a_balance_is_one_group() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut request = platform.purchase("k1");
    request.payer = account(ALICE_USD);
    let id = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap()
        .id;
    let before = platform.world.ledger.lock().groups_booked;
    let part = platform
        .refund((&id, "r1"), Some(2_000))
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_eq!(part.state(), OperationState::Completed, "{part:?}");
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.groups_booked, before + 1);
    assert_eq!(ledger.balance(ALICE_USD), 50_000 - 8_000);
}

#[tokio::test]
async fn t3_a_chargeback_is_forced_once_and_given_back_when_it_is_won() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.purchased("k1").await;
    let before = platform.world.ledger.lock().clone();
    let opened = platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Opened)
        .await
        .unwrap();
    assert_eq!(opened.operation.unwrap().state(), OperationState::Completed);
    let again = platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Opened)
        .await
        .unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied, "T9");
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.balance(AVAILABLE), -(9_246 + 1_400));
    assert_eq!(
        ledger.system_balance(AccountPurpose::ConnectorFees, "USD", "sim"),
        -1_500
    );
    let refund = platform.refund((&id, "r1"), Some(1)).await.unwrap_err();
    assert_eq!(
        refund.code(),
        tonic::Code::FailedPrecondition,
        "T5: all of it is charged back"
    );
    let won = platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Won)
        .await
        .unwrap();
    assert_eq!(
        won.operation.unwrap().kind(),
        wire::OperationKind::ChargebackReversal
    );
    let after = platform.world.ledger.lock().clone();
    after.assert_balanced();
    for book in [PENDING, AVAILABLE] {
        assert_eq!(
            after.balance(book),
            before.balance(book),
            "T3: reversed at the original figures"
        );
    }
    let fees = after.system_balance(AccountPurpose::ConnectorFees, "USD", "sim");
    assert_eq!(fees, -1_500, "T16: nobody said that the fee came back");
}

#[tokio::test]
async fn a_lost_chargeback_counts_as_refunded() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.purchased("k1").await;
    let early = platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Lost)
        .await
        .unwrap_err();
    assert_eq!(early.code(), tonic::Code::FailedPrecondition);
    platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Opened)
        .await
        .unwrap();
    assert_eq!(platform.get(&id).await.refunded.unwrap().minor, 0);
    let lost = platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Lost)
        .await
        .unwrap();
    assert_eq!(lost.transaction.unwrap().refunded.unwrap().minor, 10_000);
    let won = platform
        .charge_back((&id, DISPUTE), wire::ChargebackStage::Won)
        .await
        .unwrap_err();
    assert_eq!(won.code(), tonic::Code::FailedPrecondition, "lost is lost");
}
