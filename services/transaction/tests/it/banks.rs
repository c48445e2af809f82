//! Money to banks, which settlement sends: withdrawals and payouts.

use paymesh_kernel::Principal;
use paymesh_proto::{
    account::v1::AccountPurpose,
    transaction::v1::{self as wire, TransactionStatus as Status},
    types::v1::{DeclineReason, Outcome, OwnerKind},
};

use crate::platform::{ALICE_USD, AVAILABLE, Platform, account, bank, money, request};

impl Platform {
    fn settlement(&self) -> Principal {
        Principal::component(self.harness.tenant, "settlement")
    }

    async fn bank_says(
        &self,
        of: &wire::Transaction,
        status: Status,
    ) -> Result<wire::UpdateTransactionStatusResponse, tonic::Status> {
        let mut client = self.client("settlement");
        let request = wire::UpdateTransactionStatusRequest {
            transaction_id: of.id.clone(),
            expected_version: of.version,
            status: status.into(),
            reason: "BANK".to_owned(),
            reference: "po_1".to_owned(),
        };
        self.act(
            &self.settlement(),
            client.update_transaction_status(request),
        )
        .await
        .map(tonic::Response::into_inner)
    }
}

#[tokio::test]
async fn a_withdrawal_is_reserved_and_booked_when_the_bank_has_sent_it() {
    let mut platform = Platform::new().await;
    platform
        .config
        .fees
        .withdrawal
        .fixed_minor
        .insert("USD".to_owned(), 50);
    platform.start().await;
    let mut asked = request("k1", wire::TransactionKind::Withdrawal);
    asked.payer = account(ALICE_USD);
    asked.payee = bank();
    let waiting = platform
        .create(&platform.alice, asked.clone())
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(waiting.status(), Status::Processing, "{waiting:?}");
    assert_eq!(platform.world.ledger.lock().reserved(), 10_050);
    let done = platform
        .bank_says(&waiting, Status::Completed)
        .await
        .unwrap();
    assert_eq!(done.transaction.unwrap().status(), Status::Completed);
    let again = platform
        .bank_says(&waiting, Status::Completed)
        .await
        .unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(
        (ledger.reserved(), ledger.balance(ALICE_USD)),
        (0, 50_000 - 10_050)
    );
    assert_eq!(
        ledger.system_balance(AccountPurpose::PayoutInTransit, "USD", ""),
        10_000
    );

    asked.idempotency_key = "k2".to_owned();
    asked.amount = money(49_000, "USD");
    let poor = platform
        .create(&platform.alice, asked)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(poor.decline_reason(), DeclineReason::InsufficientFunds);
}

#[tokio::test]
async fn a_payout_that_the_bank_refuses_is_released_and_legal_edges_alone_are_taken() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let shop = platform.shop_id.to_string();
    platform.world.ledger.lock().open(
        AVAILABLE,
        (OwnerKind::Merchant, &shop),
        AccountPurpose::MerchantAvailable,
        (20_000, "EUR"),
    );
    let mut asked = request("k1", wire::TransactionKind::Payout);
    asked.amount = money(8_859, "EUR");
    asked.payer = account(AVAILABLE);
    asked.payee = bank();
    let by_shop = platform
        .create(&platform.shop, asked.clone())
        .await
        .unwrap_err();
    assert_eq!(by_shop.code(), tonic::Code::PermissionDenied);
    let mut client = platform.client("settlement");
    let settlement = platform.settlement();
    let answer = platform
        .act(&settlement, client.create_transaction(asked))
        .await
        .unwrap()
        .into_inner();
    let waiting = answer.transaction.unwrap();
    assert_eq!(waiting.status(), Status::Processing);
    let edge = platform
        .bank_says(&waiting, Status::Authorized)
        .await
        .unwrap_err();
    assert_eq!(edge.code(), tonic::Code::FailedPrecondition, "T1");
    let unknown = platform
        .bank_says(&waiting, Status::Unknown)
        .await
        .unwrap()
        .transaction
        .unwrap();
    let stale = platform
        .bank_says(&waiting, Status::Completed)
        .await
        .unwrap_err();
    assert_eq!(
        paymesh_mesh::CallError::from(stale).reason_text(),
        "VERSION_CONFLICT"
    );
    let failed = platform
        .bank_says(&unknown, Status::Compensated)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(failed.status(), Status::Compensated);
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!((ledger.reserved(), ledger.balance(AVAILABLE)), (0, 20_000));
}
