//! What is seen at the provider becomes what we know.
//!
//! The provider's truth is fetched, never taken from a message about it. It may be older than what we know, because two looks can
//! overtake each other; so everything moves forward only (P3).

use paymesh_kernel::Timestamp;

use super::{
    Action, AttemptState, Book, CaptureId, CaptureMode, Contradiction, Dispute, DisputeFact,
    DisputeId, DisputeSeen, DisputeState, Fact, Moment, Observation, OperationKind, OperationState,
    PartSeen, PartState, SeenStatus, Told,
};

// === impl Observation ===

impl Observation {
    /// True when something is held or taken, or may yet be.
    #[must_use]
    pub const fn holds_money(&self) -> bool {
        match self.status {
            SeenStatus::Processing
            | SeenStatus::RequiresAction(_)
            | SeenStatus::Authorized
            | SeenStatus::PartiallyCaptured
            | SeenStatus::Captured => true,
            SeenStatus::Canceled | SeenStatus::Expired | SeenStatus::Declined(_) => false,
        }
    }

    fn captured_minor(&self) -> i64 {
        let done = self
            .captures
            .iter()
            .filter(|part| part.state == PartState::Succeeded);
        done.map(|part| part.amount_minor).sum()
    }
}

// === impl Book ===

impl Book {
    /// Applies what is seen of the payment.
    ///
    /// # Errors
    /// When it cannot be true together with what is known; nothing must be saved then.
    pub(super) fn observe(
        &mut self,
        seen: &Observation,
        moment: &Moment<'_>,
    ) -> Result<(), Contradiction> {
        self.is_the_same(seen)?;
        self.attempt.connector_reference = Some(seen.connector_reference.clone());
        self.observe_status(seen, moment);
        for part in &seen.captures {
            self.observe_part(OperationKind::Capture, part, moment);
        }
        for part in &seen.refunds {
            self.observe_part(OperationKind::Refund, part, moment);
        }
        for dispute in &seen.disputes {
            self.observe_dispute(dispute, moment);
        }
        self.observe_release(seen, moment.now);
        self.settle_evidence(moment.now);
        self.end_abandoned(moment.now);
        self.check()
    }

    fn is_the_same(&self, seen: &Observation) -> Result<(), Contradiction> {
        let attempt = &self.attempt;
        let other_object = attempt
            .connector_reference
            .as_ref()
            .is_some_and(|known| *known != seen.connector_reference);
        let what = if seen.reference != attempt.reference {
            "reference"
        } else if other_object {
            "name at the provider"
        } else if seen.currency != attempt.currency {
            "currency"
        } else if seen.amount_minor != attempt.amount_minor {
            "amount"
        } else {
            return Ok(());
        };
        Err(Contradiction::Different { what })
    }

    fn observe_status(&mut self, seen: &Observation, moment: &Moment<'_>) {
        let now = moment.now;
        match &seen.status {
            SeenStatus::Processing => {
                let authorization = self.authorization_mut();
                if authorization.state.is_open() {
                    let asks = authorization.asks;
                    authorization.connector_reference = Some(seen.connector_reference.clone());
                    authorization.wake_at = Some(moment.later(asks));
                    self.become_state(AttemptState::Unknown, now);
                }
            }
            SeenStatus::RequiresAction(action) => self.observe_action(seen, action, moment),
            SeenStatus::Authorized | SeenStatus::PartiallyCaptured | SeenStatus::Captured => {
                self.observe_authorization(seen, now);
            }
            SeenStatus::Declined(decline) => {
                let authorization = self.authorization_mut();
                if authorization.state.is_open() {
                    authorization.end(OperationState::Declined, now);
                    authorization.decline = Some(decline.clone());
                    authorization.connector_reference = Some(seen.connector_reference.clone());
                }
                self.decline(decline.clone(), now);
                self.nothing_to_release(now);
            }
            // Captures come first: what was taken before the rest was released stays taken.
            SeenStatus::Canceled | SeenStatus::Expired => {
                if self.authorization().state.is_open() {
                    let authorization = self.authorization_mut();
                    authorization.end(OperationState::Succeeded, now);
                    authorization.connector_reference = Some(seen.connector_reference.clone());
                }
            }
        }
    }

    fn observe_action(&mut self, seen: &Observation, action: &Action, moment: &Moment<'_>) {
        let is_open = self.authorization().state.is_open();
        if !is_open || self.attempt.state.is_over_without_money() {
            return;
        }
        let authorization = self.authorization_mut();
        authorization.state = OperationState::Pending;
        authorization.connector_reference = Some(seen.connector_reference.clone());
        let asks = authorization.asks;
        // Should nobody tell us, we look when the time to verify is over.
        authorization.wake_at = Some(match action.expires_at {
            Some(end) if end > moment.now => end,
            Some(_) | None => moment.later(asks),
        });
        self.attempt.action = Some(action.clone());
        if !self.attempt.is_abandoned {
            self.become_state(AttemptState::RequiresAction, moment.now);
        }
    }

    fn observe_authorization(&mut self, seen: &Observation, now: Timestamp) {
        let authorization = self.authorization_mut();
        let was_told_otherwise = matches!(
            authorization.state,
            OperationState::Failed | OperationState::Declined
        );
        if authorization.state.is_open() || was_told_otherwise {
            authorization.end(OperationState::Succeeded, now);
            authorization.connector_reference = Some(seen.connector_reference.clone());
        }
        if self.attempt.authorized_minor > 0 {
            return;
        }
        self.attempt.authorized_minor = self.attempt.amount_minor;
        self.attempt.authorization_expires_at = seen.authorization_expires_at;
        let previous = self.attempt.state;
        if self.attempt.is_given_up() {
            self.tell(Fact::Updated { previous }, now);
        } else {
            self.attempt.state = self.state_by_amounts();
            self.tell(Fact::Authorized, now);
        }
    }

    /// A capture or refund is ours when it carries one of our keys. What was made at the provider by somebody else is not.
    fn observe_part(&mut self, kind: OperationKind, part: &PartSeen, moment: &Moment<'_>) {
        let Some(reference) = &part.reference else {
            return;
        };
        let is_automatic = kind == OperationKind::Capture
            && self.attempt.capture == CaptureMode::Automatic
            && *reference == self.attempt.reference;
        if is_automatic {
            if part.state == PartState::Succeeded && self.attempt.captured_minor == 0 {
                let capture = CaptureId::from(self.attempt.id.as_uuid());
                self.captured(capture, part, moment.now);
            }
            return;
        }
        let place = self
            .place(reference)
            .filter(|place| self.operations[*place].kind == kind);
        if let Some(place) = place {
            self.settle_part(place, part, moment);
        }
    }

    /// What is not reserved any more was released, be it by a cancellation, a final capture or time.
    fn observe_release(&mut self, seen: &Observation, now: Timestamp) {
        let (nothing_left, ends_as) = match &seen.status {
            SeenStatus::Canceled => (true, AttemptState::Canceled),
            SeenStatus::Expired => (true, AttemptState::Expired),
            SeenStatus::Captured => (true, AttemptState::Captured),
            SeenStatus::Processing
            | SeenStatus::RequiresAction(_)
            | SeenStatus::Authorized
            | SeenStatus::PartiallyCaptured
            | SeenStatus::Declined(_) => (false, AttemptState::Captured),
        };
        if !nothing_left {
            return;
        }
        if self.attempt.authorized_minor > 0 {
            let released = self.attempt.authorized_minor - seen.captured_minor();
            self.attempt.released_minor = self.attempt.released_minor.max(released);
        }
        self.nothing_to_release(now);
        if self.attempt.is_abandoned {
            return;
        }
        match (ends_as, self.attempt.captured_minor) {
            (AttemptState::Expired, 0) => {
                if self.attempt.state.may_become(AttemptState::Expired) {
                    self.attempt.state = AttemptState::Expired;
                    let reason = "authorization_expired".to_owned();
                    self.tell(Fact::Failed { reason }, now);
                }
            }
            (AttemptState::Canceled, 0) => self.become_state(AttemptState::Canceled, now),
            (_, 0) => {}
            _ => self.become_state(AttemptState::Captured, now),
        }
    }

    /// What cancellations want is so.
    pub(super) fn nothing_to_release(&mut self, now: Timestamp) {
        for operation in &mut self.operations {
            if operation.kind == OperationKind::Cancel && operation.state.is_open() {
                operation.end(OperationState::Succeeded, now);
            }
        }
    }

    /// An abandoned attempt ends when nothing of it is left at the provider.
    pub(super) fn end_abandoned(&mut self, now: Timestamp) {
        let attempt = &self.attempt;
        let is_settled = !self.authorization().state.is_open();
        if attempt.is_abandoned
            && is_settled
            && attempt.capturable_minor() == 0
            && attempt.captured_minor == attempt.refunded_minor
        {
            self.end_as_canceled(now);
        }
    }

    pub(super) fn observe_dispute(&mut self, seen: &DisputeSeen, moment: &Moment<'_>) {
        let now = moment.now;
        let known = self
            .disputes
            .iter()
            .position(|dispute| dispute.connector_reference == seen.connector_reference);
        let place = known.unwrap_or_else(|| {
            self.disputes.push(self.new_dispute(seen, moment));
            self.attempt.charged_back_minor += seen.amount_minor;
            self.attempt.dispute_count += 1;
            self.attempt.updated_at = now;
            let place = self.disputes.len() - 1;
            self.tell_of_dispute(place, DisputeFact::Opened, now);
            place
        });
        let dispute = &mut self.disputes[place];
        if !dispute.state.may_become(seen.state) {
            return;
        }
        dispute.state = seen.state;
        let fact = match seen.state {
            DisputeState::Opened => DisputeFact::Opened,
            DisputeState::EvidenceSubmitted => DisputeFact::EvidenceSubmitted,
            DisputeState::Won => {
                self.attempt.charged_back_minor -= dispute.amount_minor;
                self.attempt.updated_at = now;
                DisputeFact::Won
            }
            DisputeState::Lost => DisputeFact::Lost,
        };
        self.tell_of_dispute(place, fact, now);
    }

    fn new_dispute(&self, seen: &DisputeSeen, moment: &Moment<'_>) -> Dispute {
        let attempt = &self.attempt;
        Dispute {
            id: DisputeId::from((moment.new_id)()),
            tenant: attempt.tenant,
            attempt: attempt.id,
            transaction: attempt.transaction,
            customer: attempt.customer,
            merchant: attempt.merchant,
            connector: attempt.connector.clone(),
            connector_reference: seen.connector_reference.clone(),
            state: DisputeState::Opened,
            currency: attempt.currency,
            amount_minor: seen.amount_minor,
            fee_minor: seen.fee_minor,
            reason: seen.reason.clone(),
            evidence_due_at: seen.evidence_due_at,
            event_sequence: 0,
            opened_at: moment.now,
            updated_at: moment.now,
            version: 1,
        }
    }

    fn tell_of_dispute(&mut self, place: usize, fact: DisputeFact, now: Timestamp) {
        let dispute = &mut self.disputes[place];
        dispute.event_sequence += 1;
        dispute.updated_at = now;
        self.told
            .push(Told::Dispute(Box::new(dispute.clone()), fact));
    }

    /// Evidence has arrived when its dispute is no longer just opened.
    pub(super) fn settle_evidence(&mut self, now: Timestamp) {
        for operation in &mut self.operations {
            let is_open = operation.kind == OperationKind::Evidence && operation.state.is_open();
            let arrived = self.disputes.iter().any(|dispute| {
                dispute.id.as_uuid() == operation.subject && dispute.state != DisputeState::Opened
            });
            if is_open && arrived {
                operation.end(OperationState::Succeeded, now);
            }
        }
    }
}
