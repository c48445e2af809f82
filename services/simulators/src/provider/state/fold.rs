//! Folding facts into the state. It cannot fail: what the decision has checked is asserted again here.

use crate::machine::Stamp;
use crate::provider::decide;
use crate::provider::fact::{DisputeClosing, Fact, PaymentKey, RefundFailure, Verdict};
use crate::provider::model::{
    Authenticated, Capture, Dispute, DisputeStatus, NewPayment, Outcome, Payment, Refund, Result,
};
use crate::provider::settle::{LineKind, SettlementLine};
use crate::provider::state::{State, Waiting, payment_key};
use crate::provider::token::{Behaviour, Card};
use crate::timestamp::{Day, Timestamp};

/// Facts of one line that can be told apart in a timer's key.
const TIMERS_A_LINE: u64 = 1_024;

// === impl State ===

impl State {
    fn change(&mut self, payment_id: &str, change: impl FnOnce(&mut Payment)) {
        let payment = self
            .payments
            .get_mut(&known_key(payment_id))
            .expect("facts are about payments that exist");
        change(payment);
        assert!(
            payment.captured_minor + payment.released_minor <= payment.new.amount.minor,
            "P1"
        );
        assert!(
            payment.refunded_minor + payment.charged_back_minor <= payment.captured_minor,
            "P2"
        );
        let least = payment
            .captured_minor
            .min(payment.refunded_minor)
            .min(payment.charged_back_minor);
        assert!(least >= 0 && payment.released_minor >= 0, "P3");
    }

    pub(super) fn fold(&mut self, stamp: &Stamp, fact: &Fact) {
        match fact {
            Fact::PaymentCreated { payment, outcome } => self.fold_created(stamp, payment, outcome),
            Fact::ChallengeAnswered {
                payment_id,
                outcome,
            } => {
                self.change(payment_id, |payment| answer_challenge(payment, outcome));
            }
            Fact::PaymentCanceled {
                payment_id,
                released,
                ..
            } => {
                self.change(payment_id, |payment| {
                    payment.released_minor += released.minor
                });
            }
            Fact::ReferenceCanceled { reference } => {
                self.tombstones.insert(reference.clone());
            }
            Fact::CaptureMade {
                payment_id,
                capture,
            } => self.fold_capture(payment_id, capture),
            Fact::RefundMade { payment_id, refund } => self.fold_refund(payment_id, refund),
            Fact::RefundFailed {
                payment_id,
                failure,
            } => self.fold_late_failure(payment_id, failure),
            Fact::DisputeOpened {
                payment_id,
                dispute,
            } => self.fold_dispute(payment_id, dispute),
            Fact::EvidenceSubmitted {
                payment_id,
                dispute_id,
                evidence,
            } => {
                self.change(payment_id, |payment| {
                    keep_evidence(payment, dispute_id, evidence)
                });
            }
            Fact::DisputeClosed {
                payment_id,
                closing,
            } => self.fold_closing(payment_id, closing),
            Fact::DayClosed { .. }
            | Fact::DepositAccepted { .. }
            | Fact::TimerSet { .. }
            | Fact::TimerDone { .. }
            | Fact::FaultShown { .. }
            | Fact::WebhookTargets { .. }
            | Fact::WebhooksDone { .. } => self.fold_other(stamp, fact),
        }
    }

    /// Facts that are not about one payment.
    fn fold_other(&mut self, stamp: &Stamp, fact: &Fact) {
        match fact {
            Fact::PaymentCreated { .. }
            | Fact::ChallengeAnswered { .. }
            | Fact::PaymentCanceled { .. }
            | Fact::ReferenceCanceled { .. }
            | Fact::CaptureMade { .. }
            | Fact::RefundMade { .. }
            | Fact::RefundFailed { .. }
            | Fact::DisputeOpened { .. }
            | Fact::EvidenceSubmitted { .. }
            | Fact::DisputeClosed { .. } => {}
            Fact::DayClosed {
                through,
                settlements,
            } => {
                self.reports.close(*through, settlements);
                for settlement in settlements
                    .iter()
                    .filter(|settlement| settlement.net.minor != 0)
                {
                    self.deposits
                        .insert(settlement.id.clone(), (stamp.seq, settlement.clone()));
                }
            }
            Fact::DepositAccepted { settlement_id } => {
                self.deposits.remove(settlement_id);
            }
            Fact::TimerSet {
                due_at,
                business_at,
                timer,
            } => {
                let waiting = Waiting {
                    timer: timer.clone(),
                    business_at: *business_at,
                };
                self.timers
                    .insert((*due_at, stamp.seq * TIMERS_A_LINE + stamp.index), waiting);
            }
            Fact::TimerDone { due_at, key } => {
                self.timers.remove(&(*due_at, *key));
            }
            Fact::FaultShown { scope } => {
                self.shown.insert(*scope);
            }
            Fact::WebhookTargets { targets } => self.outbox.set_targets(targets),
            Fact::WebhooksDone {
                target,
                delivered,
                abandoned,
            } => {
                self.outbox.done(target, delivered, abandoned);
            }
        }
    }

    fn fold_late_failure(&mut self, payment_id: &str, failure: &RefundFailure) {
        self.change(payment_id, |payment| fail_refund(payment, failure));
        let line = (LineKind::RefundFailure, failure.amount.minor, 0);
        let when = (failure.business_at, failure.settlement_date);
        self.settle(payment_id, &failure.refund_id, line, when);
    }

    fn fold_closing(&mut self, payment_id: &str, closing: &DisputeClosing) {
        self.change(payment_id, |payment| close_dispute(payment, closing));
        if closing.verdict == Verdict::Won {
            let line = (LineKind::ChargebackReversal, closing.amount.minor, 0);
            let when = (closing.business_at, closing.settlement_date);
            self.settle(payment_id, &closing.dispute_id, line, when);
        }
    }

    fn fold_created(&mut self, stamp: &Stamp, new: &NewPayment, outcome: &Outcome) {
        let key = known_key(&new.id);
        let mut created = Payment::new(new.clone(), outcome.clone(), stamp.at);
        if let Outcome::RequiresAction { challenge_id, .. } = outcome {
            self.challenges.insert(challenge_id.clone(), key);
        } else if Card::parse(&new.token)
            .is_ok_and(|card| card.behaviour == Behaviour::Frictionless)
        {
            created.authenticated = Some(Authenticated::Frictionless);
        }
        self.by_reference
            .entry(new.reference.clone())
            .or_default()
            .push(key);
        self.payments.insert(key, created);
    }

    fn fold_capture(&mut self, payment_id: &str, capture: &Capture) {
        self.change(payment_id, |payment| {
            if capture.status == Result::Succeeded {
                payment.captured_minor += capture.amount.minor;
                payment.released_minor += capture.released_minor;
            }
            payment.captures.push(capture.clone());
        });
        if let Some(reference) = &capture.reference {
            let place = (known_key(payment_id), capture.id.clone());
            self.captures_by_reference
                .entry(reference.clone())
                .or_default()
                .push(place);
        }
        if capture.status == Result::Succeeded {
            let line = (LineKind::Capture, capture.amount.minor, capture.fee_minor);
            self.settle(
                payment_id,
                &capture.id,
                line,
                (capture.business_at, capture.settlement_date),
            );
        }
    }

    fn fold_refund(&mut self, payment_id: &str, refund: &Refund) {
        self.change(payment_id, |payment| {
            if refund.status == Result::Succeeded {
                payment.refunded_minor += refund.amount.minor;
            }
            payment.refunds.push(refund.clone());
        });
        self.refunds
            .insert(refund.id.clone(), known_key(payment_id));
        if let Some(reference) = &refund.reference {
            let place = (known_key(payment_id), refund.id.clone());
            self.refunds_by_reference
                .entry(reference.clone())
                .or_default()
                .push(place);
        }
        if refund.status == Result::Succeeded {
            let line = (LineKind::Refund, -refund.amount.minor, 0);
            self.settle(
                payment_id,
                &refund.id,
                line,
                (refund.business_at, refund.settlement_date),
            );
        }
    }

    fn fold_dispute(&mut self, payment_id: &str, dispute: &Dispute) {
        self.change(payment_id, |payment| {
            payment.charged_back_minor += dispute.amount.minor;
            payment.disputes.push(dispute.clone());
        });
        self.disputes
            .insert(dispute.id.clone(), known_key(payment_id));
        let line = (
            LineKind::Chargeback,
            -dispute.amount.minor,
            dispute.fee_minor,
        );
        self.settle(
            payment_id,
            &dispute.id,
            line,
            (dispute.business_at, dispute.settlement_date),
        );
    }

    fn settle(
        &mut self,
        payment_id: &str,
        operation_id: &str,
        line: (LineKind, i64, i64),
        when: (Timestamp, Day),
    ) {
        let payment = known_key(payment_id);
        let currency = self
            .payments
            .get(&payment)
            .map(Payment::currency)
            .expect("facts are about payments that exist");
        let (kind, gross_minor, fee_minor) = line;
        let (business_at, day) = when;
        let operation_id = operation_id.to_owned();
        self.reports.add(SettlementLine {
            kind,
            payment,
            operation_id,
            currency,
            gross_minor,
            fee_minor,
            day,
            business_at,
        });
    }
}

// === free functions ===

fn known_key(id: &str) -> PaymentKey {
    payment_key(id).expect("facts hold ids that this provider made")
}

fn answer_challenge(payment: &mut Payment, outcome: &Outcome) {
    payment.outcome = outcome.clone();
    let passed = matches!(outcome, Outcome::Authorized);
    payment.authenticated = passed.then_some(Authenticated::Challenge);
}

fn fail_refund(payment: &mut Payment, failure: &RefundFailure) {
    payment.refunded_minor -= failure.amount.minor;
    for refund in payment
        .refunds
        .iter_mut()
        .filter(|refund| refund.id == failure.refund_id)
    {
        refund.status = Result::Failed;
        refund.failure_code = Some(decide::LATE_REFUND_FAILURE.to_owned());
    }
}

fn keep_evidence(payment: &mut Payment, dispute_id: &str, evidence: &str) {
    for dispute in payment
        .disputes
        .iter_mut()
        .filter(|dispute| dispute.id == dispute_id)
    {
        dispute.status = DisputeStatus::UnderReview;
        dispute.evidence = Some(evidence.to_owned());
    }
}

fn close_dispute(payment: &mut Payment, closing: &DisputeClosing) {
    let status = match closing.verdict {
        Verdict::Won => DisputeStatus::Won,
        Verdict::Lost => DisputeStatus::Lost,
    };
    if closing.verdict == Verdict::Won {
        payment.charged_back_minor -= closing.amount.minor;
    }
    for dispute in payment
        .disputes
        .iter_mut()
        .filter(|dispute| dispute.id == closing.dispute_id)
    {
        dispute.status = status;
    }
}
