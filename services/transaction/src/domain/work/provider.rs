//! What answers of payment change. The provider's state only moves forward, so the same answer may come twice.

use crate::domain::{
    answer::{AttemptState, AttemptView, Effect, Failure, OperationOutcome, OperationView},
    decline::{Decline, DeclineReason},
    operation::{OperationKind, OperationState},
    policy::{Moment, Policy},
    saga::{Direction, Flow, Goal, Step, StepKind, StepState, Wait},
    status::Status,
    transaction::CaptureMethod,
    work::{ITSELF, Work},
};

impl Work {
    pub(super) fn attempt_answered(
        &mut self,
        place: usize,
        attempt: AttemptView,
        policy: &Policy,
        moment: Moment,
    ) {
        self.know_attempt(&attempt, moment);
        match attempt.state {
            AttemptState::Captured => self.taken(place, &attempt, moment),
            AttemptState::Authorized => self.reserved(place, &attempt, policy, moment),
            AttemptState::RequiresAction => self.requires_action(place, attempt, policy, moment),
            AttemptState::Declined => {
                let decline = attempt
                    .decline
                    .unwrap_or_else(|| DeclineReason::ProviderDeclined.into());
                self.declined(place, decline, moment);
            }
            AttemptState::Failed => {
                self.settle_step(place, StepState::Failed, "PROVIDER_FAILED", moment.now);
                self.turn_back(Goal::Compensated("PROVIDER_FAILED".to_owned()));
            }
            AttemptState::Canceled => {
                self.settle_step(place, StepState::Failed, "CANCELED_AT_PROVIDER", moment.now);
                self.turn_back(Goal::Canceled("CANCELED_AT_PROVIDER".to_owned()));
            }
            AttemptState::Open => self.failed(place, &no_answer_yet(), policy, moment),
        }
    }

    fn know_attempt(&mut self, attempt: &AttemptView, moment: Moment) {
        self.touch(moment.now);
        if let Some(known) = &mut self.transaction.details.attempt
            && !attempt.connector.is_empty()
        {
            attempt.connector.clone_into(&mut known.connector);
        }
        attempt
            .reference
            .clone_into(&mut self.operation.details.connector_reference);
    }

    fn taken(&mut self, place: usize, attempt: &AttemptView, moment: Moment) {
        let minor = if attempt.captured > 0 {
            attempt.captured
        } else {
            self.operation.amount.minor()
        };
        // A provider may take less than was asked for, never more (T5).
        let minor = minor.min(self.transaction.amount.minor());
        self.operation.amount = self.transaction.money(minor);
        self.transaction.sums.authorized = minor;
        self.settle_step(place, StepState::Done, "", moment.now);
    }

    fn reserved(&mut self, place: usize, attempt: &AttemptView, policy: &Policy, moment: Moment) {
        if self.operation.saga.flow == Flow::External {
            // Taking follows by itself; until then the outcome is open.
            return self.failed(place, &no_answer_yet(), policy, moment);
        }
        let minor = if attempt.authorized > 0 {
            attempt.authorized
        } else {
            self.operation.amount.minor()
        };
        self.transaction.sums.authorized = minor.min(self.transaction.amount.minor());
        let end = attempt
            .expires_at
            .unwrap_or_else(|| moment.now.plus(policy.authorization_limit));
        self.transaction.details.authorization_expires_at = Some(end);
        self.settle_step(place, StepState::Done, "", moment.now);
    }

    fn requires_action(
        &mut self,
        place: usize,
        attempt: AttemptView,
        policy: &Policy,
        moment: Moment,
    ) {
        let Some(action) = attempt.action else {
            return self.failed(place, &no_answer_yet(), policy, moment);
        };
        let end = if action.expires_at.as_micros() > 0 {
            action.expires_at
        } else {
            moment.now.plus(policy.action_limit)
        };
        let asked_before = self.transaction.details.action.as_ref();
        let end = asked_before.map_or(end, |before| before.expires_at.min(end));
        if end <= moment.now {
            return self.turn_back(Goal::Declined(DeclineReason::ActionExpired.into()));
        }
        self.settle_step(place, StepState::Pending, "REQUIRES_ACTION", moment.now);
        self.rest(Wait::Action, Some(end));
        self.set_status(
            Status::RequiresAction,
            "REQUIRES_ACTION",
            ITSELF,
            moment.now,
        );
        self.transaction.details.action = Some(crate::domain::transaction::Action {
            expires_at: end,
            ..action
        });
        // The fact is of the transaction with its action.
        if let Some(fact) = self.facts.last_mut() {
            *fact.transaction = self.transaction.clone();
        }
    }

    /// What was reserved is released; what was taken meanwhile is given back.
    pub(super) fn cancel_answered(
        &mut self,
        place: usize,
        attempt: &AttemptView,
        policy: &Policy,
        moment: Moment,
    ) {
        match attempt.state {
            AttemptState::Canceled | AttemptState::Declined | AttemptState::Failed => {
                self.settle_step(place, StepState::Done, "", moment.now);
            }
            AttemptState::Captured => {
                self.settle_step(place, StepState::Done, "CAPTURED_MEANWHILE", moment.now);
                self.give_back(attempt);
            }
            AttemptState::Authorized | AttemptState::RequiresAction | AttemptState::Open => {
                self.failed(place, &no_answer_yet(), policy, moment);
            }
        }
    }

    fn give_back(&mut self, attempt: &AttemptView) {
        // What earlier captures took is booked and stays.
        let surplus = attempt
            .captured
            .saturating_sub(self.transaction.sums.captured);
        if surplus <= 0 {
            return;
        }
        self.operation.amount = self.transaction.money(surplus);
        match self.operation.saga.direction {
            Direction::Forward => self.operation.saga.plan(StepKind::Refund),
            Direction::Backward => {
                let step = Step::planned(StepKind::Refund, Direction::Backward);
                self.operation.saga.steps.push(step);
            }
        }
    }

    /// An attempt without the operation that was asked for: payment has not seen it.
    pub(super) fn attempt_only(&mut self, place: usize, policy: &Policy, moment: Moment) {
        self.failed(place, &no_answer_yet(), policy, moment);
    }

    pub(super) fn provider_answered(
        &mut self,
        place: usize,
        answer: OperationView,
        policy: &Policy,
        moment: Moment,
    ) {
        if !answer.reference.is_empty() {
            self.operation.details.connector_reference = answer.reference;
        }
        match answer.outcome {
            OperationOutcome::Succeeded => self.settle_step(place, StepState::Done, "", moment.now),
            OperationOutcome::Unknown => self.failed(place, &no_answer_yet(), policy, moment),
            OperationOutcome::Pending => {
                // It is accepted and will be decided by the provider, perhaps days from now: an event says so.
                self.settle_step(place, StepState::Unknown, "PENDING_AT_PROVIDER", moment.now);
                self.operation.failures = self.operation.failures.saturating_add(1);
                let at = policy.again(policy.forward_failures, moment);
                self.rest(Wait::Provider, Some(at));
            }
            OperationOutcome::Declined | OperationOutcome::Failed if !self.may_turn_back() => {
                let reason = "PROVIDER_REFUSED".to_owned();
                let failure = Failure {
                    effect: Effect::None,
                    reason,
                    again_at: None,
                };
                if let Some(step) = self.operation.saga.steps.get_mut(place) {
                    step.state = StepState::Pending;
                }
                self.failed(place, &failure, policy, moment);
            }
            OperationOutcome::Declined => {
                let decline = answer
                    .decline
                    .unwrap_or_else(|| DeclineReason::ProviderDeclined.into());
                self.declined(place, decline, moment);
            }
            OperationOutcome::Failed => {
                self.settle_step(place, StepState::Failed, "PROVIDER_FAILED", moment.now);
                let decline = Decline::new(DeclineReason::ProviderDeclined, "PROVIDER_FAILED");
                self.turn_back(Goal::Declined(decline));
            }
        }
    }

    fn may_turn_back(&self) -> bool {
        self.goes_forward() && !self.is_forced()
    }

    /// An event of payment says that something happened to the attempt: a waiting operation asks at once.
    pub fn nudge(&mut self, moment: Moment) {
        let waits = matches!(
            self.operation.saga.wait,
            Wait::Retry | Wait::Provider | Wait::Action
        );
        if waits && !self.operation.state.is_end() {
            self.operation.next_wake_at = Some(moment.now);
        }
    }

    /// The provider failed a refund that had succeeded: its booking is reversed (T13).
    pub fn reverse_refund(&mut self, moment: Moment) {
        assert_eq!(
            self.operation.kind,
            OperationKind::Refund,
            "T13: only refunds fail later"
        );
        if self.operation.state != OperationState::Completed {
            return self.nudge(moment);
        }
        self.operation.state = OperationState::Pending;
        self.operation.finished_at = None;
        let step = Step::planned(StepKind::Reverse, Direction::Forward);
        self.operation.saga.steps.push(step);
        self.rest(Wait::Nothing, Some(moment.now));
    }

    /// True when the transaction is captured at once.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        self.transaction.details.capture == CaptureMethod::Automatic
    }
}

fn no_answer_yet() -> Failure {
    Failure {
        effect: Effect::Unknown,
        reason: "NO_ANSWER_YET".to_owned(),
        again_at: None,
    }
}
