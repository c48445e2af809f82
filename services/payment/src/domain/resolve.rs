//! When an outcome is missing: wait, send again, or say that certainly nothing happened.
//!
//! A provider forgets our keys after a while and may take a while until it knows a reference. Each connector declares both. Inside
//! the life of a key a step may be sent again, because the provider keeps it from happening twice; outside of it nothing is sent
//! again (P6). Only after the second window does "not found" count. An authorization is sent again for a minute, as long as its
//! payer may be waiting, and never once somebody has called it off (P5).

use std::time::Duration;

use paymesh_kernel::{Timestamp, backoff::Backoff, id::reexport::Uuid};

use super::{
    AttemptState, Book, Came, Contradiction, Fact, OperationKind, OperationState, Origin, RefundId,
};

/// How long the payer of an authorization may be waiting for it: twice the longest wait of a request.
const PAYER_WAITS: Duration = Duration::from_secs(60);

/// What a connector declares about the past of its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// After this time since a request was sent, a reference that the provider does not know never arrived.
    pub not_found_counts_after: Duration,
    /// How long the provider remembers our keys.
    pub key_lifetime: Duration,
    /// How long one call may take, with the repeats inside it.
    pub call_budget: Duration,
}

/// Everything from outside that a decision needs.
pub struct Moment<'a> {
    /// The clock's time.
    pub now: Timestamp,
    /// What the connector declares.
    pub windows: Windows,
    /// Waits between looks.
    pub backoff: Backoff,
    /// For jitter.
    pub entropy: u64,
    /// Makes ids for what is met first at the provider.
    pub new_id: &'a dyn Fn() -> Uuid,
}

/// What is to be done about an operation that the provider does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Its outcome is known.
    Done,
    /// Send it again under its key.
    SendAgain,
    /// Look again at that time.
    Wait(Timestamp),
    /// It never arrived.
    NeverArrived,
}

// === impl Moment ===

impl Moment<'_> {
    /// When to look again after a number of looks in vain.
    pub(super) fn later(&self, asks: i32) -> Timestamp {
        let failures = u32::try_from(asks).unwrap_or(0).saturating_add(1);
        self.now.plus(self.backoff.wait(failures, self.entropy))
    }
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

// === impl Book ===

impl Book {
    /// What is to be done about an operation that was looked for at the provider and not found there.
    #[must_use]
    pub fn next(&self, key: &str, moment: &Moment<'_>) -> Next {
        let Some(operation) = self
            .operation(key)
            .filter(|operation| operation.state.is_open())
        else {
            return Next::Done;
        };
        let Moment { now, windows, .. } = moment;
        let answered_by = operation.sent_at.plus(windows.call_budget);
        // Somebody may still wait for the answer; what the provider has accepted is not sent again.
        if operation.is_in_flight && *now < answered_by {
            return Next::Wait(answered_by);
        }
        if operation.connector_reference.is_some() {
            return Next::Wait(moment.later(operation.asks));
        }
        let key_ends = operation.created_at.plus(windows.key_lifetime);
        let is_wanted = operation.kind != OperationKind::Authorize
            || (!self.attempt.is_abandoned && *now < operation.created_at.plus(PAYER_WAITS));
        let may_be_sent = is_wanted && now.plus(windows.call_budget) < key_ends;
        if may_be_sent {
            return Next::SendAgain;
        }
        let counts_at = answered_by.plus(windows.not_found_counts_after);
        if *now >= counts_at {
            return Next::NeverArrived;
        }
        Next::Wait(moment.later(operation.asks).min(counts_at))
    }

    /// Notes that somebody looks again later.
    pub fn wait(&mut self, key: &str, until: Timestamp) {
        if let Some(place) = self.place(key) {
            let operation = &mut self.operations[place];
            operation.asks = operation.asks.saturating_add(1);
            operation.wake_at = Some(until);
        }
    }

    /// Notes that nobody needs to look after it.
    pub fn rest(&mut self, key: &str) {
        if let Some(place) = self.place(key) {
            self.operations[place].wake_at = None;
        }
    }

    /// Notes that it is sent again now; until `until` nobody else looks after it.
    pub fn send_again(&mut self, key: &str, (now, until): (Timestamp, Timestamp)) {
        if let Some(place) = self.place(key) {
            let again = self.operations[place].clone().about_to_be_sent(now, until);
            self.operations[place] = again;
        }
    }

    /// Ends an operation of which certainly nothing happened.
    ///
    /// # Errors
    /// Never in practice: ending adds nothing to any amount.
    pub fn never_arrived(&mut self, key: &str, now: Timestamp) -> Result<(), Contradiction> {
        if let Some(place) = self
            .place(key)
            .filter(|place| self.operations[*place].state.is_open())
        {
            self.fail(place, "never_arrived", now);
        }
        self.check()
    }

    pub(super) fn fail(&mut self, place: usize, reason: &str, now: Timestamp) {
        let operation = &mut self.operations[place];
        operation.end(OperationState::Failed, now);
        let (kind, origin, subject) = (operation.kind, operation.origin, operation.subject);
        let amount_minor = operation.amount_minor;
        match (kind, origin) {
            (OperationKind::Authorize, _) if self.attempt.is_abandoned => self.end_as_canceled(now),
            (OperationKind::Authorize, _) => {
                if self.attempt.state.may_become(AttemptState::Failed) {
                    self.attempt.state = AttemptState::Failed;
                    let reason = reason.to_owned();
                    self.tell(Fact::Failed { reason }, now);
                }
            }
            (OperationKind::Refund, Origin::Caller) => {
                let failed = Fact::RefundFailed {
                    refund: RefundId::from(subject),
                    amount_minor,
                    decline: None,
                    came: Came::AtOnce,
                };
                self.tell(failed, now);
            }
            (OperationKind::Capture | OperationKind::Refund, _) => {
                let previous = self.attempt.state;
                self.tell(Fact::Updated { previous }, now);
            }
            (OperationKind::Cancel | OperationKind::Evidence, _) => {}
        }
    }

    /// Nothing is and nothing will be at the provider: what was to be released is.
    pub(super) fn end_as_canceled(&mut self, now: Timestamp) {
        self.nothing_to_release(now);
        self.become_state(AttemptState::Canceled, now);
    }
}
