//! Ends of operations, and what their timers do.

use crate::domain::{
    decline::{Decline, DeclineReason},
    operation::{OperationKind, OperationState},
    policy::{Moment, Policy},
    saga::{Direction, Flow, Goal, Saga, StepKind, StepState, Wait},
    status::Status,
    transaction::Resolution,
    work::{ITSELF, Work},
};

impl Work {
    /// Nothing is left on the way forward.
    pub(super) fn finish(&mut self, policy: &Policy, moment: Moment) {
        let now = moment.now;
        match self.operation.kind {
            OperationKind::Main if self.waits_for_capture() => self.authorized(policy, moment),
            OperationKind::Main => {
                self.end(OperationState::Completed, now);
                self.set_status(Status::Completed, "COMPLETED", ITSELF, now);
            }
            OperationKind::Capture => {
                let is_last = self.is_last_capture();
                self.end(OperationState::Completed, now);
                if is_last {
                    self.set_status(Status::Completed, "CAPTURED", ITSELF, now);
                } else {
                    self.set_status(Status::Authorized, "PARTLY_CAPTURED", ITSELF, now);
                }
            }
            OperationKind::Refund if self.was_reversed() => self.end(OperationState::Failed, now),
            OperationKind::Refund
            | OperationKind::Chargeback
            | OperationKind::ChargebackReversal
            | OperationKind::LateUndo => self.end(OperationState::Completed, now),
        }
    }

    const fn waits_for_capture(&self) -> bool {
        matches!(
            self.operation.saga.flow,
            Flow::InternalManual | Flow::ExternalManual
        )
    }

    fn was_reversed(&self) -> bool {
        self.operation
            .saga
            .find(StepKind::Reverse)
            .is_some_and(|step| step.state == StepState::Done)
    }

    fn authorized(&mut self, policy: &Policy, moment: Moment) {
        self.touch(moment.now);
        if self.transaction.sums.authorized == 0 {
            self.transaction.sums.authorized = self.transaction.amount.minor();
        }
        let limit = moment.now.plus(policy.authorization_limit);
        let end = *self
            .transaction
            .details
            .authorization_expires_at
            .get_or_insert(limit);
        self.rest(Wait::Capture, Some(end));
        self.set_status(Status::Authorized, "AUTHORIZED", ITSELF, moment.now);
    }

    /// Nothing is left to undo.
    pub(super) fn finish_undone(&mut self, moment: Moment) {
        let now = moment.now;
        let goal = self.operation.saga.goal.clone();
        let goal = goal.unwrap_or_else(|| Goal::Compensated("UNDONE".to_owned()));
        let decline = match &goal {
            Goal::Declined(decline) => Some(decline.clone()),
            Goal::Canceled(_) | Goal::Compensated(_) => None,
        };
        match self.operation.kind {
            OperationKind::Main => self.finish_main_undone(goal, moment),
            OperationKind::Capture | OperationKind::Refund | OperationKind::Chargeback => {
                self.release_sums(moment);
                let state = if decline.is_some() {
                    OperationState::Declined
                } else {
                    OperationState::Failed
                };
                self.operation.details.decline = decline;
                self.end(state, now);
                if self.operation.kind == OperationKind::Capture
                    && self.transaction.status == Status::Unknown
                {
                    self.set_status(Status::Authorized, "CAPTURE_NOT_DONE", ITSELF, now);
                }
            }
            OperationKind::ChargebackReversal | OperationKind::LateUndo => {
                self.end(OperationState::Failed, now);
            }
        }
    }

    fn finish_main_undone(&mut self, goal: Goal, moment: Moment) {
        let now = moment.now;
        if self.transaction.sums.captured > 0 {
            // What was captured stays; only the rest was released.
            self.end(OperationState::Completed, now);
            return self.set_status(Status::Completed, "REST_RELEASED", ITSELF, now);
        }
        self.touch(now);
        self.transaction.sums.authorized = 0;
        let (state, status, reason) = match goal {
            Goal::Declined(decline) => {
                let reason = decline.reason.word().to_owned();
                self.transaction.details.decline = Some(decline.clone());
                self.operation.details.decline = Some(decline);
                (OperationState::Declined, Status::Declined, reason)
            }
            Goal::Canceled(reason) => (OperationState::Failed, Status::Canceled, reason),
            Goal::Compensated(reason) => (OperationState::Failed, Status::Compensated, reason),
        };
        self.end(state, now);
        self.set_status(status, &reason, ITSELF, now);
    }

    fn release_sums(&mut self, moment: Moment) {
        self.touch(moment.now);
        let minor = self.operation.amount.minor();
        let sums = &mut self.transaction.sums;
        match self.operation.kind {
            OperationKind::Capture => sums.capturing = sums.capturing.saturating_sub(minor),
            OperationKind::Refund => sums.refunding = sums.refunding.saturating_sub(minor),
            OperationKind::Chargeback => {
                sums.charging_back = sums.charging_back.saturating_sub(minor);
            }
            OperationKind::Main | OperationKind::ChargebackReversal | OperationKind::LateUndo => {}
        }
        sums.ease();
    }

    /// A timer went off: what nobody decided in time is decided now, everything else is looked into again.
    pub fn due(&mut self, policy: &Policy, moment: Moment) {
        match self.operation.saga.wait {
            Wait::Review => {
                let decline = Decline::new(DeclineReason::ReviewRejected, "REVIEW_EXPIRED");
                self.settle_review(StepState::Declined, "REVIEW_EXPIRED", moment);
                self.turn_back(Goal::Declined(decline));
            }
            Wait::Capture if self.transaction.sums.capturing > 0 => {
                self.operation.next_wake_at = Some(policy.again(policy.forward_failures, moment));
            }
            Wait::Capture if self.transaction.status.is_end() => {
                self.end(OperationState::Completed, moment.now)
            }
            Wait::Capture => self.turn_back(Goal::Canceled("AUTHORIZATION_EXPIRED".to_owned())),
            Wait::Action => {
                // The provider may know more than we do.
                if let Some(step) = self.operation.saga.find_mut(StepKind::Authorize) {
                    step.state = StepState::Unknown;
                }
                self.wake();
            }
            Wait::Nothing => self.operation.saga.resume(),
            Wait::Retry | Wait::Provider => self.wake(),
            Wait::Payout | Wait::Resolution => self.operation.next_wake_at = None,
        }
    }

    /// Somebody decided the review.
    pub fn settle_review(&mut self, state: StepState, reason: &str, moment: Moment) {
        let place = self
            .operation
            .saga
            .steps
            .iter()
            .position(|step| step.kind == StepKind::Review);
        if let Some(place) = place {
            self.settle_step(place, state, reason, moment.now);
        }
        self.rest(Wait::Nothing, None);
    }

    /// Two people decided what becomes of a stuck transaction.
    pub fn resolve(&mut self, resolution: Resolution, by: &str, moment: Moment) {
        let now = moment.now;
        self.operation.failures = 0;
        let saga = &mut self.operation.saga;
        match resolution {
            Resolution::RetryForward => {
                forget_undo(saga);
                saga.direction = Direction::Forward;
                saga.goal = None;
                self.rest(Wait::Nothing, Some(now));
                self.set_status(Status::Processing, "RETRY_FORWARD", by, now);
            }
            Resolution::RetryCompensation => {
                self.rest(Wait::Nothing, Some(now));
                self.set_status(Status::Processing, "RETRY_COMPENSATION", by, now);
            }
            Resolution::Abandon => {
                self.end(OperationState::Failed, now);
                self.set_status(Status::Abandoned, "ABANDONED", by, now);
            }
        }
    }

    /// True when nothing of what was begun has been undone, so that it can still go forward.
    #[must_use]
    pub fn may_retry_forward(&self) -> bool {
        let undone = |step: &crate::domain::saga::Step| {
            step.direction == Direction::Backward && step.state == StepState::Done
        };
        let refused = |step: &crate::domain::saga::Step| {
            step.direction == Direction::Forward
                && matches!(step.state, StepState::Declined | StepState::Failed)
        };
        !self
            .operation
            .saga
            .steps
            .iter()
            .any(|step| undone(step) || refused(step))
    }
}

/// Steps backward that had no effect are taken out; those forward are asked for anew.
fn forget_undo(saga: &mut Saga) {
    saga.steps
        .retain(|step| step.direction == Direction::Forward);
    saga.resume();
}
