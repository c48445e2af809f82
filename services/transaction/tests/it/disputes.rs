//! Chargebacks that meet other chargebacks and refunds: never more is taken than was captured, but what a provider has taken already.

use std::time::Duration;

use paymesh_mesh::CallError;
use paymesh_proto::{
    merchant::v1::NegativeBalance,
    payment::v1 as payment,
    transaction::v1::{self as wire, ChargebackStage, OperationKind, OperationState},
    types::v1::Money,
};
use paymesh_testkit::harness::Engine;

use crate::{
    events::Payment,
    platform::{AVAILABLE, Platform, money},
    refunds::DISPUTE,
};

const OTHER_DISPUTE: &str = "dp_01h455vb4pex5vsknk084sn0e1";
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

pub(crate) fn reason(status: tonic::Status) -> String {
    CallError::from(status).reason_text().to_owned()
}

/// A platform whose merchant may go below zero, with one purchase of 100 dollars.
async fn with_purchase(engine: Engine) -> Option<(Platform, String)> {
    let mut platform = Platform::on(engine).await?;
    platform.plan(|plan| plan.set_negative_balance(NegativeBalance::Allowed));
    platform.start().await;
    let id = platform.purchased("k1").await;
    Some((platform, id))
}

fn opened(id: &str) -> payment::DisputeOpened {
    payment::DisputeOpened {
        dispute: Some(payment::Dispute {
            id: DISPUTE.to_owned(),
            transaction_id: id.to_owned(),
            amount: money(10_000, "USD"),
            connector_fee: money(1_500, "USD"),
            ..payment::Dispute::default()
        }),
        ..payment::DisputeOpened::default()
    }
}

async fn ends(platform: &Platform, id: &str, kind: OperationKind, state: OperationState) {
    platform
        .harness
        .eventually(&format!("{kind:?} is {state:?}"), || async {
            platform.harness.clock.advance(Duration::from_secs(1));
            let of = platform.get(id).await;
            of.operations
                .iter()
                .any(|part| part.kind() == kind && part.state() == state)
        })
        .await;
}

#[tokio::test]
async fn t5_of_chargebacks_at_once_only_what_was_captured_is_taken() {
    for engine in ENGINES {
        let Some((platform, id)) = with_purchase(engine).await else {
            continue;
        };
        let disputes: Vec<String> = (0..6)
            .map(|n| format!("dp_01h455vb4pex5vsknk084sn0f{n}"))
            .collect();
        let all = disputes
            .iter()
            .map(|dispute| platform.charge_back((&id, dispute), ChargebackStage::Opened));
        let answers = futures::future::join_all(all).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(good.len(), 1, "T5: {good:?}");
        let part = good.into_iter().next().and_then(Result::ok);
        let fee = part
            .and_then(|part| part.operation)
            .and_then(|part| part.fee);
        let fee = fee.map(|fee| (fee.minor, fee.currency));
        assert_eq!(
            fee,
            Some((1_400, "EUR".to_owned())),
            "what the plan charges is shown"
        );
        for refused in bad {
            assert_eq!(reason(refused.unwrap_err()), "AMOUNT_EXCEEDS_LEFT", "T5");
        }
        let ledger = platform.world.ledger.lock().clone();
        ledger.assert_balanced();
        assert_eq!(ledger.balance(AVAILABLE), -(9_246 + 1_400), "T5");
    }
}

#[tokio::test]
async fn t5_a_refund_and_a_chargeback_at_once_take_no_more_than_was_captured() {
    for engine in ENGINES {
        let Some((platform, id)) = with_purchase(engine).await else {
            continue;
        };
        let (refund, chargeback) = tokio::join!(
            platform.refund((&id, "r1"), Some(5_000)),
            platform.charge_back((&id, DISPUTE), ChargebackStage::Opened),
        );
        assert_ne!(
            refund.is_ok(),
            chargeback.is_ok(),
            "T5: {refund:?} {chargeback:?}"
        );
        let refused = refund.err().or(chargeback.err()).unwrap();
        assert_eq!(reason(refused), "AMOUNT_EXCEEDS_LEFT", "T5");
        platform.world.ledger.lock().assert_balanced();
        let mut parts = platform.get(&id).await.operations;
        parts.retain(|part| part.kind() != OperationKind::Capture);
        assert_eq!(parts.len(), 1, "T5: {parts:?}");
        assert_eq!(parts[0].state(), OperationState::Completed);
    }
}

#[tokio::test]
async fn t5_a_provider_that_takes_what_is_being_refunded_is_booked_and_never_panics() {
    for engine in ENGINES {
        let Some((platform, id)) = with_purchase(engine).await else {
            continue;
        };
        let payment = Payment::start(&platform).await;
        platform.world.provider.lock().line.calls_to_refuse = 1_000;
        drop(platform.refund((&id, "r1"), Some(5_000)).await);
        payment
            .tell(&platform, uuid::Uuid::from_u128(4), opened(&id))
            .await;
        let taken = (OperationKind::Chargeback, OperationState::Completed);
        ends(&platform, &id, taken.0, taken.1).await;
        platform.world.provider.lock().line.calls_to_refuse = 0;
        platform
            .harness
            .eventually("the refund has ended", || async {
                platform.harness.clock.advance(Duration::from_secs(60));
                let parts = platform.get(&id).await.operations;
                parts.iter().all(|part| part.finished_at_us > 0)
            })
            .await;
        let more = platform.refund((&id, "r2"), Some(1)).await.unwrap_err();
        assert_eq!(reason(more), "AMOUNT_EXCEEDS_LEFT", "T5");
        let again = platform.charge_back((&id, OTHER_DISPUTE), ChargebackStage::Opened);
        assert_eq!(
            reason(again.await.unwrap_err()),
            "AMOUNT_EXCEEDS_LEFT",
            "T5"
        );
        platform.world.ledger.lock().assert_balanced();
    }
}

#[tokio::test]
async fn t5_a_provider_that_takes_what_was_refunded_is_booked_and_given_back_when_won() {
    for engine in ENGINES {
        let Some((platform, id)) = with_purchase(engine).await else {
            continue;
        };
        let payment = Payment::start(&platform).await;
        platform.refund((&id, "r1"), Some(5_000)).await.unwrap();
        let before = platform.world.ledger.lock().balance(AVAILABLE);
        let aggregate = uuid::Uuid::from_u128(4);
        payment.tell(&platform, aggregate, opened(&id)).await;
        let booked = OperationState::Completed;
        ends(&platform, &id, OperationKind::Chargeback, booked).await;
        let after = platform.world.ledger.lock().balance(AVAILABLE);
        assert_eq!(after, before - 9_246 - 1_400, "T5: all of it is gone");
        let won = payment::DisputeWon {
            dispute: opened(&id).dispute,
            ..payment::DisputeWon::default()
        };
        payment.tell(&platform, aggregate, won).await;
        ends(&platform, &id, OperationKind::ChargebackReversal, booked).await;
        assert_eq!(platform.world.ledger.lock().balance(AVAILABLE), before);
        let rest = platform.refund((&id, "r2"), Some(5_000)).await.unwrap();
        let rest: wire::Operation = rest.operation.unwrap();
        assert_eq!(rest.state(), booked, "T5: what was won is free again");
    }
}

#[tokio::test]
async fn a_dispute_names_one_chargeback_and_its_fee_is_within_bounds() {
    let (platform, id) = with_purchase(Engine::Sqlite).await.unwrap();
    let other = platform.purchased("k2").await;
    let record = |transaction: &str, (minor, fee): (i64, Option<Money>)| {
        let request = wire::RecordChargebackRequest {
            dispute_id: DISPUTE.to_owned(),
            transaction_id: transaction.to_owned(),
            stage: ChargebackStage::Opened.into(),
            amount: money(minor, "USD"),
            connector_fee: fee,
            ..wire::RecordChargebackRequest::default()
        };
        let platform = &platform;
        async move {
            let mut client = platform.client("gateway");
            let answer = client.record_chargeback(request);
            platform.act(&platform.finance, answer).await
        }
    };
    for fee in [money(1_500, "EUR"), money(10_001, "USD")] {
        let refused = CallError::from(record(&id, (5_000, fee)).await.unwrap_err());
        let fields = paymesh_kernel::Fault::violations(&refused);
        assert_eq!(fields[0].field, "connector_fee");
    }
    record(&id, (5_000, money(1_500, "USD"))).await.unwrap();
    record(&id, (5_000, None)).await.unwrap();
    for (transaction, minor) in [(&other, 5_000), (&id, 4_000)] {
        let refused = record(transaction, (minor, None)).await.unwrap_err();
        assert_eq!(reason(refused), "DISPUTE_REUSED");
    }
    platform.world.ledger.lock().assert_balanced();
}
