//! What an answer of a provider does to the operation that asked.

use std::time::Duration;

use paymesh_kernel::Timestamp;

use super::{
    AttemptState, Book, Came, CaptureId, Contradiction, Decline, DisputeSeen, Fact, Moment,
    Observation, OperationKind, OperationState, Origin, PartSeen, PartState, RefundId,
};

/// What a connector makes of an answer, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The payment as it was when the provider answered the step. It may be old by now.
    Reply(Box<Observation>),
    /// The payment as the provider has it: it was asked for.
    Look(Box<Observation>),
    /// The capture or refund that was asked for.
    Part(PartSeen),
    /// The dispute that got evidence.
    Dispute(DisputeSeen),
    /// The provider has no such payment and will refuse it when it arrives.
    Tombstone,
    /// The provider says no; certainly nothing happened.
    Refused(Decline),
    /// Certainly nothing happened, and the same may work later.
    NotProcessed {
        /// In the provider's word.
        code: String,
        /// When the provider wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It cannot be known.
    Unknown,
}

// === impl Book ===

impl Book {
    /// Applies an answer to the operation with this key. Answers only ever move things forward (P3); one that comes late changes
    /// nothing that is settled.
    ///
    /// # Errors
    /// When the answer cannot be true together with what is known; nothing must be saved then.
    pub fn settle(
        &mut self,
        key: &str,
        answer: Answer,
        moment: &Moment<'_>,
    ) -> Result<(), Contradiction> {
        let Some(place) = self.place(key) else {
            return Ok(());
        };
        let now = moment.now;
        let operation = &mut self.operations[place];
        if matches!(answer, Answer::Look(_)) {
            if !operation.state.is_open() {
                operation.wake_at = None;
            }
        } else {
            operation.is_in_flight = false;
        }
        match answer {
            Answer::Reply(seen) if self.attempt.is_given_up() && seen.holds_money() => {
                // It was given up meanwhile. What the provider has now decides, not what it had then.
                self.authorization_mut().wake_at = Some(now);
            }
            Answer::Reply(seen) => self.observe(&seen, moment)?,
            Answer::Look(seen) => {
                self.observe(&seen, moment)?;
                self.give_back(moment);
            }
            Answer::Part(seen) => self.settle_part(place, &seen, moment),
            Answer::Dispute(seen) => {
                self.observe_dispute(&seen, moment);
                self.settle_evidence(now);
            }
            Answer::Tombstone => {
                self.authorization_mut().end(OperationState::Failed, now);
                self.end_as_canceled(now);
            }
            Answer::Refused(decline) => self.refused(place, decline, moment),
            Answer::NotProcessed { code, .. } => self.not_processed(place, &code, moment),
            Answer::Unknown => self.unknown(place, moment),
        }
        self.check()
    }

    /// Applies what is seen of one capture or refund.
    pub(super) fn settle_part(&mut self, place: usize, seen: &PartSeen, moment: &Moment<'_>) {
        let operation = &mut self.operations[place];
        if seen.amount_minor != operation.amount_minor {
            // Another amount under our key is no answer to it; it stays open and a look decides.
            operation.wake_at = Some(moment.later(operation.asks));
            return;
        }
        if operation.connector_reference.is_none() {
            operation.connector_reference = Some(seen.connector_reference.clone());
        }
        match operation.kind {
            OperationKind::Capture => self.settle_capture(place, seen, moment),
            OperationKind::Refund => self.settle_refund(place, seen, moment),
            OperationKind::Authorize | OperationKind::Cancel | OperationKind::Evidence => {}
        }
    }

    fn settle_capture(&mut self, place: usize, seen: &PartSeen, moment: &Moment<'_>) {
        let now = moment.now;
        let operation = &mut self.operations[place];
        let capture = CaptureId::from(operation.subject);
        match (&seen.state, operation.state) {
            (PartState::Pending, state) if state.is_open() => {
                operation.state = OperationState::Pending;
                operation.wake_at = Some(moment.later(operation.asks));
            }
            (PartState::Succeeded, OperationState::Pending | OperationState::Unknown) => {
                operation.end(OperationState::Succeeded, now);
                self.captured(capture, seen, now);
            }
            // The caller was told that it never happened and has acted on that: the money goes back.
            (PartState::Succeeded, OperationState::Failed) => {
                operation.end(OperationState::Succeeded, now);
                self.attempt.captured_minor += seen.amount_minor;
                self.attempt.released_minor += seen.released_minor;
                let previous = self.attempt.state;
                self.attempt.state = self.state_by_amounts();
                self.tell(Fact::Updated { previous }, now);
                self.plan_refund(seen.amount_minor, moment);
            }
            (PartState::Failed(decline), state) if state.is_open() => {
                operation.end(OperationState::Declined, now);
                operation.decline = Some(decline.clone());
                let previous = self.attempt.state;
                self.tell(Fact::Updated { previous }, now);
            }
            _ => {}
        }
    }

    /// Money was taken.
    pub(super) fn captured(&mut self, capture: CaptureId, seen: &PartSeen, now: Timestamp) {
        let amount_minor = seen.amount_minor;
        let previous = self.attempt.state;
        self.attempt.captured_minor += amount_minor;
        self.attempt.released_minor += seen.released_minor;
        if self.attempt.is_given_up() {
            self.tell(Fact::Updated { previous }, now);
        } else {
            self.attempt.state = self.state_by_amounts();
            self.tell(
                Fact::Processed {
                    capture,
                    amount_minor,
                },
                now,
            );
        }
    }

    fn settle_refund(&mut self, place: usize, seen: &PartSeen, moment: &Moment<'_>) {
        let now = moment.now;
        let operation = &mut self.operations[place];
        let (refund, amount_minor) = (RefundId::from(operation.subject), seen.amount_minor);
        let connector_reference = seen.connector_reference.clone();
        let fact = match (&seen.state, operation.state) {
            (PartState::Pending, state) if state.is_open() => {
                operation.state = OperationState::Pending;
                operation.wake_at = Some(moment.later(operation.asks));
                return;
            }
            (
                PartState::Succeeded,
                OperationState::Pending | OperationState::Unknown | OperationState::Failed,
            ) => {
                operation.end(OperationState::Succeeded, now);
                self.attempt.refunded_minor += amount_minor;
                Fact::RefundProcessed {
                    refund,
                    amount_minor,
                    connector_reference,
                }
            }
            (PartState::Failed(decline), OperationState::Succeeded) => {
                operation.end(OperationState::Reversed, now);
                operation.decline = Some(decline.clone());
                self.attempt.refunded_minor -= amount_minor;
                Fact::RefundFailed {
                    refund,
                    amount_minor,
                    decline: Some(decline.clone()),
                    came: Came::AfterSuccess,
                }
            }
            (PartState::Failed(decline), state) if state.is_open() => {
                operation.end(OperationState::Declined, now);
                operation.decline = Some(decline.clone());
                Fact::RefundFailed {
                    refund,
                    amount_minor,
                    decline: Some(decline.clone()),
                    came: Came::AtOnce,
                }
            }
            _ => return,
        };
        self.tell_of_refund(place, fact, now);
        self.end_abandoned(now);
    }

    /// A refund of our own is nobody's business but shows in the amounts.
    fn tell_of_refund(&mut self, place: usize, fact: Fact, now: Timestamp) {
        let previous = self.attempt.state;
        match self.operations[place].origin {
            Origin::Caller => self.tell(fact, now),
            Origin::Own => self.tell(Fact::Updated { previous }, now),
        }
    }

    fn refused(&mut self, place: usize, decline: Decline, moment: &Moment<'_>) {
        let now = moment.now;
        let operation = &mut self.operations[place];
        if !operation.state.is_open() {
            return;
        }
        let (refund, amount_minor) = (RefundId::from(operation.subject), operation.amount_minor);
        if operation.kind == OperationKind::Cancel {
            // There may be nothing left to release: a look decides.
            operation.state = OperationState::Unknown;
            operation.wake_at = Some(now);
            return;
        }
        let kind = operation.kind;
        operation.end(OperationState::Declined, now);
        operation.decline = Some(decline.clone());
        let previous = self.attempt.state;
        match kind {
            OperationKind::Authorize => self.decline(decline, now),
            OperationKind::Capture => self.tell(Fact::Updated { previous }, now),
            OperationKind::Refund => {
                let fact = Fact::RefundFailed {
                    refund,
                    amount_minor,
                    decline: Some(decline),
                    came: Came::AtOnce,
                };
                self.tell_of_refund(place, fact, now);
            }
            OperationKind::Cancel | OperationKind::Evidence => {}
        }
    }

    fn not_processed(&mut self, place: usize, code: &str, moment: &Moment<'_>) {
        let operation = &mut self.operations[place];
        if !operation.state.is_open() {
            return;
        }
        match operation.kind {
            OperationKind::Authorize => self.fail(place, code, moment.now),
            OperationKind::Capture
            | OperationKind::Cancel
            | OperationKind::Refund
            | OperationKind::Evidence => {
                operation.wake_at = Some(moment.later(operation.asks));
                operation.asks = operation.asks.saturating_add(1);
            }
        }
    }

    fn unknown(&mut self, place: usize, moment: &Moment<'_>) {
        let operation = &mut self.operations[place];
        if !operation.state.is_open() {
            return;
        }
        operation.state = OperationState::Unknown;
        operation.wake_at = Some(moment.later(operation.asks));
        operation.asks = operation.asks.saturating_add(1);
        operation.updated_at = moment.now;
        if operation.kind == OperationKind::Authorize {
            self.become_state(AttemptState::Unknown, moment.now);
        }
    }

    /// Where an attempt stands by what was taken and what is left.
    pub(super) fn state_by_amounts(&self) -> AttemptState {
        let attempt = &self.attempt;
        let wanted = match (attempt.captured_minor, attempt.capturable_minor()) {
            (0, _) => AttemptState::Authorized,
            (_, 0) => AttemptState::Captured,
            _ => AttemptState::PartiallyCaptured,
        };
        if attempt.state.may_become(wanted) {
            wanted
        } else {
            attempt.state
        }
    }
}
