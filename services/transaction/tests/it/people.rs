//! What people decide: verification, review, adjustments; and who may see and do what.

use paymesh_kernel::Role;
use paymesh_proto::{
    transaction::v1::{self as wire, TransactionStatus as Status},
    types::v1::{DeclineReason, Outcome},
};

use crate::{
    disputes::reason,
    fakes::{Behaviour, Verdict},
    platform::{ALICE_USD, BOB_USD, PENDING, Platform, account, request, transfer},
};

impl Platform {
    async fn complete(
        &self,
        id: &str,
        action_id: &str,
        response: &str,
    ) -> Result<wire::Transaction, tonic::Status> {
        let mut client = self.client("gateway");
        let request = wire::CompleteActionRequest {
            idempotency_key: format!("act-{id}"),
            transaction_id: id.to_owned(),
            action_id: action_id.to_owned(),
            response: response.to_owned(),
            wait_ms: None,
        };
        let answer = self
            .act(&self.alice, client.complete_action(request))
            .await?;
        Ok(answer.into_inner().transaction.unwrap())
    }

    async fn approve(
        &self,
        id: &str,
        who: &paymesh_kernel::Principal,
    ) -> Result<wire::ApproveReviewResponse, tonic::Status> {
        let mut client = self.client("gateway");
        let request = wire::ApproveReviewRequest {
            transaction_id: id.to_owned(),
            note: String::new(),
            wait_ms: None,
        };
        self.act(who, client.approve_review(request))
            .await
            .map(tonic::Response::into_inner)
    }
}

#[tokio::test]
async fn a_payer_who_must_verify_does_and_the_payment_goes_on() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.card_does(Behaviour::AsksToVerify);
    let waiting = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(waiting.status(), Status::RequiresAction);
    let action = waiting.required_action.unwrap();
    assert_eq!(action.url, "https://verify");
    let wrong = platform
        .complete(&waiting.id, "act-other", "ok")
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::FailedPrecondition);
    let done = platform
        .complete(&waiting.id, &action.action_id, "ok")
        .await
        .unwrap();
    assert_eq!(done.status(), Status::Completed, "{done:?}");
    let again = platform
        .complete(&waiting.id, &action.action_id, "ok")
        .await
        .unwrap();
    assert_eq!(again.status(), Status::Completed);
    assert_eq!(platform.world.ledger.lock().balance(PENDING), 9_154 - 295);

    let waiting = platform
        .create(&platform.alice, platform.purchase("k2"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    let action = waiting.required_action.unwrap();
    let failed = platform
        .complete(&waiting.id, &action.action_id, "wrong")
        .await
        .unwrap();
    assert_eq!(failed.decline_reason(), DeclineReason::ActionFailed);
}

#[tokio::test]
async fn a_payer_who_does_not_verify_in_time_is_declined() {
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.card_does(Behaviour::AsksToVerify);
    let waiting = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    platform
        .harness
        .clock
        .advance(std::time::Duration::from_secs(31 * 60));
    let ended = platform.until(&waiting.id, Status::Declined).await;
    assert_eq!(ended.decline_reason(), DeclineReason::ActionExpired);
    assert_eq!(platform.world.provider.lock().open_authorizations(), 0);
}

#[tokio::test]
async fn a_transfer_in_review_is_reserved_until_a_person_decides() {
    let mut platform = Platform::new().await;
    platform.start().await;
    for (verdict, key) in [(Verdict::Review, "k1"), (Verdict::Challenge, "k2")] {
        platform.world.risk.lock().verdict = verdict;
        let waiting = platform
            .create(&platform.alice, transfer(key, BOB_USD))
            .await
            .unwrap()
            .transaction
            .unwrap();
        assert_eq!(waiting.status(), Status::InReview, "{verdict:?}");
        assert_eq!(platform.world.ledger.lock().reserved(), 10_000);
        let done = platform
            .approve(&waiting.id, &platform.finance)
            .await
            .unwrap();
        assert_eq!(done.transaction.unwrap().status(), Status::Completed);
        let again = platform
            .approve(&waiting.id, &platform.finance)
            .await
            .unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    }
    let waiting = platform
        .create(&platform.alice, transfer("k3", BOB_USD))
        .await
        .unwrap()
        .transaction
        .unwrap();
    let mut client = platform.client("gateway");
    let reject = wire::RejectReviewRequest {
        transaction_id: waiting.id.clone(),
        note: "odd".to_owned(),
    };
    let rejected = platform
        .act(&platform.finance, client.reject_review(reject))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        rejected.transaction.unwrap().decline_reason(),
        DeclineReason::ReviewRejected
    );
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!((ledger.reserved(), ledger.balance(BOB_USD)), (0, 20_000));
}

#[tokio::test]
async fn an_adjustment_needs_another_person() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut asked = request("k1", wire::TransactionKind::Adjustment);
    asked.payer = account(ALICE_USD);
    asked.payee = account(BOB_USD);
    let by_customer = platform
        .create(&platform.alice, asked.clone())
        .await
        .unwrap_err();
    assert_eq!(by_customer.code(), tonic::Code::PermissionDenied);
    let mut key = platform.finance.clone();
    key.subject = "key_01h455vb4pex5vsknk084sn0k1".to_owned();
    for who in [key, platform.harness.person(Role::Admin)] {
        let refused = platform.create(&who, asked.clone()).await.unwrap_err();
        assert_eq!(reason(refused), "TRANSACTION_KIND_NOT_ALLOWED", "T15");
    }
    let waiting = platform
        .create(&platform.finance, asked)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(waiting.status(), Status::InReview);
    let same = platform
        .approve(&waiting.id, &platform.finance)
        .await
        .unwrap_err();
    assert_eq!(same.code(), tonic::Code::FailedPrecondition);
    let support = platform.harness.person(Role::Support);
    let refused = platform.approve(&waiting.id, &support).await.unwrap_err();
    assert_eq!(reason(refused), "TRANSACTION_KIND_NOT_ALLOWED", "T15");
    let mut key = platform.finance.clone();
    key.subject = "key_01h455vb4pex5vsknk084sn0k1".to_owned();
    let refused = platform.approve(&waiting.id, &key).await.unwrap_err();
    assert_eq!(
        reason(refused),
        "PERSON_NEEDED",
        "T15: the same person's key"
    );
    let second = platform.harness.person(Role::Finance);
    let done = platform
        .approve(&waiting.id, &second)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(done.status(), Status::Completed);
    assert_eq!(platform.world.ledger.lock().balance(BOB_USD), 10_000);
}

#[tokio::test]
async fn t2_what_belongs_to_others_does_not_exist() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let foreign = platform
        .create(&platform.bob, transfer("k1", BOB_USD))
        .await
        .unwrap_err();
    assert_eq!(
        foreign.code(),
        tonic::Code::NotFound,
        "T2: another person's account"
    );
    let mut mallory = platform.shop.clone();
    mallory.merchant = Some(platform.harness.platform.ids.next());
    let id = platform.purchased("k2").await;
    let mut client = platform.client("gateway");
    let read = wire::GetTransactionRequest {
        transaction_id: id.clone(),
        wait_ms: 0,
    };
    let mut stranger = platform.finance.clone();
    stranger.tenant = platform.harness.platform.ids.next();
    for (who, sees) in [
        (&platform.alice, true),
        (&platform.shop, true),
        (&platform.finance, true),
        (&platform.bob, false),
        (&mallory, false),
        (&stranger, false),
    ] {
        let answer = platform
            .act(who, client.get_transaction(read.clone()))
            .await;
        assert_eq!(answer.is_ok(), sees, "T2: {who:?}");
        assert!(
            sees || answer.unwrap_err().code() == tonic::Code::NotFound,
            "T2"
        );
    }
    let refund = wire::RefundRequest {
        idempotency_key: "r1".to_owned(),
        transaction_id: id,
        ..wire::RefundRequest::default()
    };
    let foreign = platform
        .act(&mallory, client.refund(refund))
        .await
        .unwrap_err();
    assert_eq!(foreign.code(), tonic::Code::NotFound, "T2");
}

#[tokio::test]
async fn only_sandbox_tenants_send_a_business_time() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut request = transfer("k1", BOB_USD);
    request.business_at_us = 1_700_000_000_000_000;
    let live = platform
        .create(&platform.alice, request.clone())
        .await
        .unwrap_err();
    assert_eq!(live.code(), tonic::Code::InvalidArgument);
    platform.world.tenants.lock().is_sandbox = true;
    platform
        .harness
        .clock
        .advance(std::time::Duration::from_secs(60));
    let played = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(played.business_at_us, 1_700_000_000_000_000);
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut request = transfer("k1", "acct_wrong");
    request.amount = None;
    request.country = "usa".to_owned();
    request.return_url = "javascript:alert(1)".to_owned();
    let error = platform.create(&platform.alice, request).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::InvalidArgument);
    let error = paymesh_mesh::CallError::from(error);
    let fields: Vec<String> = paymesh_kernel::Fault::violations(&error)
        .iter()
        .map(|v| v.field.to_string())
        .collect();
    assert_eq!(
        fields,
        ["amount", "payee.account_id", "return_url", "country"]
    );
}
