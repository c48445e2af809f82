//! What each answer changes.

use paymesh_money::Money;

use crate::domain::{
    answer::{Answer, Assessment, Effect, Failure, Refusal, Verdict},
    decline::{Decline, DeclineReason},
    exchange::{Exchange, SpreadSide},
    operation::{OperationKind, OperationState},
    policy::{Moment, Policy},
    saga::{Direction, Flow, Goal, Nature, StepKind, StepState, Wait},
    status::{Kind, Status},
    transaction::RiskOutcome,
    work::{ITSELF, Work},
};

/// How often a refund is divided anew when balances changed between reading and reserving.
const DRAW_TRIES: u32 = 3;

impl Work {
    /// Takes the answer of the step at `place` in.
    pub fn absorb(&mut self, place: usize, answer: Answer, policy: &Policy, moment: Moment) {
        let Some(kind) = self.operation.saga.steps.get_mut(place).map(|step| {
            step.tries = step.tries.saturating_add(1);
            step.started_at.get_or_insert(moment.now);
            step.kind
        }) else {
            return;
        };
        match answer {
            Answer::Assessed(assessment) => self.assessed(place, &assessment, moment),
            Answer::Quoted(exchange) => self.quoted(place, exchange, moment),
            Answer::QuoteRefused(decline) => self.declined(place, decline, moment),
            Answer::Consumed => self.settle_step(place, StepState::Done, "", moment.now),
            Answer::Booked => self.booked(place, kind, moment),
            Answer::Refused(refusal) => self.refused(place, refusal, policy, moment),
            Answer::NotCovered => {
                self.declined(place, DeclineReason::RefundNotCovered.into(), moment)
            }
            Answer::Attempt(attempt) => {
                if kind == StepKind::Cancel {
                    self.cancel_answered(place, &attempt, policy, moment);
                } else if kind == StepKind::Authorize {
                    self.attempt_answered(place, attempt, policy, moment);
                } else {
                    self.attempt_only(place, policy, moment);
                }
            }
            Answer::Operation(operation) => {
                self.provider_answered(place, operation, policy, moment)
            }
            Answer::NeverSent => {
                // It may be sent now; the step is as if it had just begun.
                if let Some(step) = self.operation.saga.steps.get_mut(place) {
                    step.state = StepState::Pending;
                }
            }
            Answer::Absent => self.absent(place, kind, moment),
            Answer::Failed(failure) => self.failed(place, &failure, policy, moment),
        }
    }

    /// True when the step at `place` is one that waits for somebody; it then does.
    pub(super) fn waits_at(&mut self, place: usize, policy: &Policy, moment: Moment) -> bool {
        let Some(step) = self.operation.saga.steps.get_mut(place) else {
            return false;
        };
        let kind = step.kind;
        if kind.nature() != Nature::Wait {
            return false;
        }
        step.state = StepState::Pending;
        step.started_at.get_or_insert(moment.now);
        if kind == StepKind::Payout {
            self.rest(Wait::Payout, None);
            self.set_status(Status::Processing, "WAITS_FOR_BANK", ITSELF, moment.now);
        } else {
            self.rest(Wait::Review, Some(moment.now.plus(policy.review_limit)));
            self.set_status(Status::InReview, "REVIEW_REQUIRED", ITSELF, moment.now);
        }
        true
    }

    fn assessed(&mut self, place: usize, assessment: &Assessment, moment: Moment) {
        let decision = self
            .operation
            .saga
            .steps
            .get(place)
            .and_then(|step| step.reference.parse().ok());
        let Some(decision) = decision else {
            return self.settle_step(place, StepState::Skipped, "NO_DECISION", moment.now);
        };
        self.touch(moment.now);
        self.transaction.details.risk = Some(RiskOutcome {
            decision,
            score: assessment.score,
            is_challenged: assessment.verdict == Verdict::Challenge,
        });
        let is_external = self.transaction.is_external();
        match assessment.verdict {
            Verdict::Deny => {
                let decline = Decline::new(DeclineReason::RiskDenied, assessment.detail.clone());
                return self.declined(place, decline, moment);
            }
            Verdict::Allow => {}
            // The provider verifies who pays by card.
            Verdict::Challenge if is_external => {}
            // Nobody could verify a second factor for internal money, so a person decides.
            Verdict::Challenge | Verdict::Review => {
                self.operation.saga.plan(StepKind::Review);
                if self.operation.saga.flow == Flow::Internal {
                    self.operation.saga.plan(StepKind::Hold);
                }
            }
        }
        self.settle_step(place, StepState::Done, "", moment.now);
    }

    fn quoted(&mut self, place: usize, exchange: Exchange, moment: Moment) {
        if !self.is_wanted(&exchange) {
            let decline = Decline::new(DeclineReason::CurrencyNotSupported, "QUOTE_MISMATCH");
            return self.declined(place, decline, moment);
        }
        let is_main = self.is_main();
        if is_main {
            self.touch(moment.now);
            self.transaction.details.exchange = Some(exchange.clone());
            if self.nets_more_than_it_pays(exchange.target) {
                let decline = Decline::new(DeclineReason::LimitExceeded, "FEE_ABOVE_AMOUNT");
                return self.declined(place, decline, moment);
            }
        } else {
            self.operation.details.exchange = Some(exchange);
        }
        self.settle_step(place, StepState::Done, "", moment.now);
        // The quote was bound to this operation in the same call.
        if let Some(consume) = self.operation.saga.find_mut(StepKind::ConsumeQuote) {
            consume.state = StepState::Done;
            consume.started_at = Some(moment.now);
            consume.finished_at = Some(moment.now);
        }
    }

    /// True when the quote is of this operation's amount and currencies, with the spread on the side of who asked for it (T4).
    fn is_wanted(&self, exchange: &Exchange) -> bool {
        let other = self.transaction.details.terms.target;
        if self.is_main() {
            exchange.spread_side == SpreadSide::Target
                && exchange.source == self.transaction.amount
                && exchange.target.currency() == other
        } else {
            exchange.spread_side == SpreadSide::Source
                && exchange.target == self.operation.amount
                && exchange.source.currency() == other
        }
    }

    /// A fee that is taken out of a balance must leave something of the amount.
    fn nets_more_than_it_pays(&self, gross: Money) -> bool {
        let fee = self.transaction.details.terms.payee_fee.on(gross);
        self.transaction.kind == Kind::TopUp && fee.is_ok_and(|fee| fee.minor() >= gross.minor())
    }

    fn booked(&mut self, place: usize, kind: StepKind, moment: Moment) {
        self.settle_step(place, StepState::Done, "", moment.now);
        match kind {
            StepKind::Hold => self.held(moment.now),
            StepKind::Post => self.posted(moment.now),
            StepKind::Void => self.released(moment.now),
            StepKind::Reverse => self.reversed(moment.now),
            StepKind::Risk
            | StepKind::Quote
            | StepKind::ConsumeQuote
            | StepKind::Review
            | StepKind::Authorize
            | StepKind::Action
            | StepKind::Capture
            | StepKind::Refund
            | StepKind::Payout
            | StepKind::Cancel => {}
        }
    }

    pub(super) fn declined(&mut self, place: usize, decline: Decline, moment: Moment) {
        let reason = decline.reason.word();
        self.settle_step(place, StepState::Declined, reason, moment.now);
        // What is forced cannot be declined: it is tried again.
        if self.is_forced() {
            if let Some(step) = self.operation.saga.steps.get_mut(place) {
                step.state = StepState::Pending;
            }
            self.operation.failures = self.operation.failures.saturating_add(1);
            return self.rest(
                Wait::Retry,
                Some(moment.now.plus(std::time::Duration::from_secs(60))),
            );
        }
        self.turn_back(Goal::Declined(decline));
    }

    /// True when the scheme or the provider has moved the money already, so that nobody can refuse.
    pub(super) const fn is_forced(&self) -> bool {
        match self.operation.kind {
            OperationKind::Chargeback
            | OperationKind::ChargebackReversal
            | OperationKind::LateUndo => true,
            OperationKind::Main | OperationKind::Capture | OperationKind::Refund => false,
        }
    }

    fn refused(&mut self, place: usize, refusal: Refusal, policy: &Policy, moment: Moment) {
        let kind = self.operation.saga.steps.get(place).map(|step| step.kind);
        let cannot_be_refused = self.is_forced()
            || self.operation.saga.is_past_pivot()
            || self.operation.saga.direction == Direction::Backward
            || kind == Some(StepKind::Reverse);
        if refusal == Refusal::PeriodClosed && !self.operation.details.books_today {
            self.operation.details.books_today = true;
            return self.again_with_new_ids(place);
        }
        if cannot_be_refused {
            return self.refused_after_the_pivot(place, refusal, policy, moment);
        }
        let is_refund = self.operation.kind == OperationKind::Refund;
        let tries = self
            .operation
            .saga
            .steps
            .get(place)
            .map_or(0, |step| step.tries);
        if is_refund
            && refusal == Refusal::Funds
            && tries < DRAW_TRIES
            && !self.operation.details.draws.is_empty()
        {
            self.operation.details.draws.clear();
            self.operation.details.holds.clear();
            return self.again_with_new_ids(place);
        }
        let detail = refusal.word();
        let reason = match refusal {
            Refusal::Funds if is_refund => DeclineReason::RefundNotCovered,
            Refusal::Funds => DeclineReason::InsufficientFunds,
            Refusal::Suspended => DeclineReason::AccountSuspended,
            Refusal::DebitClosed | Refusal::CreditClosed => DeclineReason::AccountClosed,
            Refusal::CreditBound => DeclineReason::LimitExceeded,
            Refusal::AccountUnknown => DeclineReason::CurrencyNotSupported,
            Refusal::PeriodClosed | Refusal::HoldGone | Refusal::Defect => {
                DeclineReason::ProviderDeclined
            }
        };
        self.declined(place, Decline::new(reason, detail), moment);
    }

    /// After the pivot the ledger should not refuse (T8). What can be booked otherwise is; the rest is tried until a person helps.
    fn refused_after_the_pivot(
        &mut self,
        place: usize,
        refusal: Refusal,
        policy: &Policy,
        moment: Moment,
    ) {
        let kind = self.operation.saga.steps.get(place).map(|step| step.kind);
        match (kind, refusal) {
            // A reservation that is gone needs no release.
            (Some(StepKind::Void), Refusal::HoldGone) => self.booked(place, StepKind::Void, moment),
            (Some(StepKind::Post), Refusal::Suspended) if !self.operation.details.nets_fee => {
                self.operation.details.nets_fee = true;
                self.again_with_new_ids(place);
            }
            _ => {
                let failure = Failure {
                    effect: Effect::None,
                    reason: format!("LEDGER_REFUSED_{}", refusal.word()),
                    again_at: None,
                };
                self.failed(place, &failure, policy, moment);
            }
        }
    }

    /// The group changes, so its ids do: the driver stores new ones before the next call.
    fn again_with_new_ids(&mut self, place: usize) {
        if let Some(step) = self.operation.saga.steps.get_mut(place) {
            step.base = None;
            step.state = StepState::Planned;
        }
    }

    fn absent(&mut self, place: usize, kind: StepKind, moment: Moment) {
        self.settle_step(place, StepState::Failed, "NOT_PROCESSED", moment.now);
        match (kind, self.operation.saga.direction) {
            (StepKind::Cancel, _) | (_, Direction::Backward) => {
                self.settle_step(place, StepState::Done, "NOTHING_TO_UNDO", moment.now);
            }
            (_, Direction::Forward) => {
                self.turn_back(Goal::Compensated("NOT_PROCESSED".to_owned()))
            }
        }
    }

    pub(super) fn failed(
        &mut self,
        place: usize,
        failure: &Failure,
        policy: &Policy,
        moment: Moment,
    ) {
        self.operation.failures = self.operation.failures.saturating_add(1);
        let Some(step) = self.operation.saga.steps.get_mut(place) else {
            return;
        };
        failure.reason.clone_into(&mut step.reason);
        let (kind, was_unknown) = (step.kind, step.state == StepState::Unknown);
        let is_given_up = self.operation.failures >= policy.forward_failures;
        if kind == StepKind::Risk && self.goes_forward() && is_given_up {
            return self.unassessed(place, policy, moment);
        }
        if kind.nature() == Nature::Money && (was_unknown || failure.effect == Effect::Unknown) {
            if let Some(step) = self.operation.saga.steps.get_mut(place) {
                step.state = StepState::Unknown;
            }
            return self.rest_unknown(failure, policy, moment);
        }
        let failures = self.operation.failures;
        let may_turn =
            self.goes_forward() && !self.is_forced() && !self.operation.saga.is_past_pivot();
        if may_turn && kind != StepKind::Reverse && failures >= policy.forward_failures {
            // The last call certainly had no effect, and neither had those before it.
            self.settle_step(place, StepState::Failed, &failure.reason, moment.now);
            return self.turn_back(Goal::Compensated(failure.reason.clone()));
        }
        if !self.goes_forward() && self.is_main() && failures >= policy.undo_failures {
            self.rest(Wait::Resolution, None);
            return self.set_status(Status::Stuck, "UNDO_EXHAUSTED", ITSELF, moment.now);
        }
        self.rest_until_again(failure, policy, moment);
    }

    fn unassessed(&mut self, place: usize, policy: &Policy, moment: Moment) {
        if policy.may_pass_unassessed(self.transaction.amount) {
            self.settle_step(place, StepState::Skipped, "RISK_UNAVAILABLE", moment.now);
        } else {
            self.declined(place, DeclineReason::RiskUnavailable.into(), moment);
        }
    }

    fn rest_unknown(&mut self, failure: &Failure, policy: &Policy, moment: Moment) {
        self.operation.state = OperationState::Unknown;
        if !self.goes_forward() && self.is_main() && self.operation.failures >= policy.undo_failures
        {
            self.rest(Wait::Resolution, None);
            return self.set_status(Status::Stuck, "UNDO_EXHAUSTED", ITSELF, moment.now);
        }
        self.rest_until_again(failure, policy, moment);
        self.operation.saga.wait = Wait::Provider;
        let tells = matches!(
            self.operation.kind,
            OperationKind::Main | OperationKind::Capture
        );
        if tells && self.goes_forward() {
            self.set_status(Status::Unknown, "OUTCOME_UNKNOWN", ITSELF, moment.now);
        }
    }

    fn rest_until_again(&mut self, failure: &Failure, policy: &Policy, moment: Moment) {
        let again = policy.again(self.operation.failures, moment);
        let at = failure.again_at.map_or(again, |asked| asked.max(again));
        self.rest(Wait::Retry, Some(at));
        if self.is_main()
            && self.operation.saga.is_past_pivot()
            && self.transaction.status.can_become(Status::Processing)
        {
            self.set_status(Status::Processing, "WAITS_FOR_RETRY", ITSELF, moment.now);
        }
    }
}
