//! Disputes: opened by the payer, answered with evidence, won or lost.

use paymesh_kernel::{Principal, Role};
use paymesh_proto::payment::v1::{self as proto, AttemptCapture, DisputeState};
use paymesh_proto::types::v1::Outcome;

use crate::{
    gate::Hold,
    on_both_engines,
    world::{World, pause},
};

impl World {
    /// A disputed payment: its attempt and its dispute.
    async fn disputed(&self) -> (proto::PaymentAttempt, proto::Dispute) {
        let paid = self.pay("tok_chargeback", AttemptCapture::Automatic).await;
        self.provider_timers().await;
        self.hand_over_until("dispute.opened", &paid.reference)
            .await;
        let dispute = self.dispute_becomes(&paid, DisputeState::Opened).await;
        (paid, dispute)
    }

    async fn dispute_becomes(
        &self,
        attempt: &proto::PaymentAttempt,
        state: DisputeState,
    ) -> proto::Dispute {
        let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let request = proto::ListDisputesRequest {
                transaction_id: attempt.transaction_id.clone(),
                ..proto::ListDisputesRequest::default()
            };
            let found = self
                .call(|mut at| async move { at.list_disputes(request).await })
                .await;
            if let Some(dispute) = found.disputes.into_iter().find(|one| one.state() == state) {
                return dispute;
            }
            assert!(
                tokio::time::Instant::now() < limit,
                "no dispute is {state:?}"
            );
            pause().await;
        }
    }

    fn staff(&self) -> (&'static str, Option<Principal>) {
        ("gateway", Some(self.person(Role::Admin)))
    }
}

fn evidence(dispute: &proto::Dispute, text: &str) -> proto::SubmitEvidenceRequest {
    proto::SubmitEvidenceRequest {
        idempotency_key: "evidence-1".to_owned(),
        dispute_id: dispute.id.clone(),
        evidence: vec![proto::Evidence {
            kind: "receipt".to_owned(),
            text: text.to_owned(),
            file: b"%PDF".to_vec(),
            media_type: "application/pdf".to_owned(),
        }],
    }
}

async fn a_chargeback_is_answered_and_won_or_lost(world: World) {
    for (text, state, kind) in [
        ("winning_evidence", DisputeState::Won, "dispute.won"),
        ("losing_evidence", DisputeState::Lost, "dispute.lost"),
    ] {
        let (paid, dispute) = world.disputed().await;
        assert_eq!(dispute.amount.as_ref().unwrap().minor, 10_000);
        assert_eq!(dispute.connector_fee.as_ref().unwrap().minor, 1_500);
        let refund = world.refund_request(&paid.id, 1);
        let refused = world
            .try_call(|mut at| async move { at.refund(refund).await })
            .await;
        assert_eq!(
            refused.unwrap_err().reason_text(),
            "REFUND_EXCEEDS_CAPTURED",
            "P2"
        );
        let staff = world.staff();
        let request = evidence(&dispute, text);
        let again = request.clone();
        let sent = world
            .call_as(staff.clone(), |mut at| async move {
                at.submit_evidence(request).await
            })
            .await;
        assert_eq!(
            sent.unwrap().dispute.unwrap().state(),
            DisputeState::EvidenceSubmitted
        );
        let repeated = world
            .call_as(
                staff,
                |mut at| async move { at.submit_evidence(again).await },
            )
            .await;
        assert_eq!(repeated.unwrap().outcome(), Outcome::AlreadyApplied);
        let more = evidence(&dispute, "and another thing");
        let refused = world
            .call_as(world.staff(), |mut at| async move {
                at.submit_evidence(more).await
            })
            .await;
        assert_eq!(refused.unwrap_err().reason_text(), "EVIDENCE_NOT_WANTED");
        world.provider_timers().await;
        world.hand_over_until(kind, &paid.reference).await;
        world.dispute_becomes(&paid, state).await;
        let facts = world.facts().await;
        let told: Vec<&str> = facts
            .iter()
            .map(|(kind, ..)| kind.trim_end_matches(".v1"))
            .filter(|kind| kind.starts_with("dispute."))
            .collect();
        assert_eq!(
            told[told.len() - 3..],
            ["dispute.opened", "dispute.evidence_submitted", kind]
        );
        let won = state == DisputeState::Won;
        let refund = world.refund_request(&paid.id, 10_000);
        let refunded = world
            .try_call(|mut at| async move { at.refund(refund).await })
            .await;
        assert_eq!(
            refunded.is_ok(),
            won,
            "P2: what was won back can be refunded"
        );
    }
    world.close_the_books().await;
}

async fn evidence_that_was_cut_off_is_sent_again(mut world: World) {
    let (paid, dispute) = world.disputed().await;
    let reached = world.gate.hold("/evidence", Hold::Before);
    let request = evidence(&dispute, "losing_evidence");
    let who = world.staff();
    {
        let work = |channel| async move {
            let mut at = proto::payment_service_client::PaymentServiceClient::new(channel);
            at.submit_evidence(request).await.is_ok()
        };
        let calling = world.life.act(who, work);
        tokio::pin!(calling);
        tokio::select! {
            reached = reached => reached.unwrap(),
            _ = &mut calling => panic!("it was not held"),
        }
    }
    world.rise_again().await;
    world.clock.advance(std::time::Duration::from_secs(60));
    world
        .dispute_becomes(&paid, DisputeState::EvidenceSubmitted)
        .await;
    world.close_the_books().await;
}

on_both_engines!(
    a_chargeback_is_answered_and_won_or_lost,
    evidence_that_was_cut_off_is_sent_again,
);
