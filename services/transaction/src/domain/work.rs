//! One operation at work: the transaction, the operation and the facts that a step brings about. What changes them is pure; the
//! driver calls others, hands in their answers, and stores the result.

mod absorb;
mod booking;
mod finish;
mod provider;

use paymesh_kernel::Timestamp;

use super::{
    fact::{Fact, What},
    operation::{Operation, OperationKind, OperationState},
    policy::Moment,
    policy::Policy,
    saga::{Direction, Goal, Next, StepState, Wait},
    status::Status,
    transaction::{MAX_CHANGES, StatusChange, Transaction},
};

pub use booking::NoGroup;

/// Who changes states when nobody asked.
pub const ITSELF: &str = "transaction";

/// One operation at work.
#[derive(Clone, Debug)]
pub struct Work {
    /// The transaction.
    pub transaction: Transaction,
    /// The operation.
    pub operation: Operation,
    /// To be published with the next commit.
    pub facts: Vec<Fact>,
    /// What the next commit writes of the transaction.
    pub pending: Pending,
}

/// What a commit writes of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Nothing: it is as it was stored.
    Stored,
    /// It changed.
    Changed,
    /// It is new.
    New,
}

/// What a driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Do the step at this place.
    Do(usize),
    /// Store and leave it: it waits, or has ended.
    Rest,
}

// === impl Work ===

impl Work {
    /// An operation as it was loaded, with its transaction.
    #[must_use]
    pub const fn loaded(transaction: Transaction, operation: Operation) -> Self {
        Self {
            transaction,
            operation,
            facts: Vec::new(),
            pending: Pending::Stored,
        }
    }

    /// A transaction that is not stored yet.
    #[must_use]
    pub fn new(transaction: Transaction, operation: Operation, now: Timestamp) -> Self {
        let mut work = Self {
            transaction,
            operation,
            facts: Vec::new(),
            pending: Pending::New,
        };
        work.publish(What::Initiated, now);
        work
    }

    /// What the driver does next.
    pub fn turn(&mut self, policy: &Policy, moment: Moment) -> Turn {
        loop {
            if self.operation.state.is_end() || self.operation.saga.wait != Wait::Nothing {
                return Turn::Rest;
            }
            match self.operation.saga.upcoming() {
                Next::Finish => self.finish(policy, moment),
                Next::Undone => self.finish_undone(moment),
                Next::Do(place) => {
                    if !self.waits_at(place, policy, moment) {
                        return Turn::Do(place);
                    }
                }
            }
        }
    }

    /// Records a change of the transaction. Its version rises once a commit.
    pub fn touch(&mut self, now: Timestamp) {
        if self.pending == Pending::Stored {
            self.pending = Pending::Changed;
            self.transaction.version = self.transaction.version.saturating_add(1);
        }
        self.transaction.updated_at = now;
    }

    /// Changes the state along a legal edge (T1) and tells of it.
    ///
    /// # Panics
    /// When the edge is not legal: no such state may be written.
    pub fn set_status(&mut self, to: Status, reason: &str, by: &str, now: Timestamp) {
        let from = self.transaction.status;
        if from == to {
            return;
        }
        assert!(from.can_become(to), "T1: {from:?} does not become {to:?}");
        self.touch(now);
        let transaction = &mut self.transaction;
        transaction.status = to;
        transaction.ended_at = to.is_end().then_some(now);
        if to != Status::RequiresAction {
            transaction.details.action = None;
        }
        if transaction.details.changes.len() < MAX_CHANGES {
            transaction.details.changes.push(StatusChange {
                from,
                to,
                version: transaction.version,
                reason: reason.to_owned(),
                by: by.to_owned(),
                at: now,
            });
        }
        let reason = reason.to_owned();
        let what = match to {
            Status::Authorized => What::Authorized,
            Status::Completed => What::Completed,
            Status::Declined | Status::Canceled | Status::Compensated | Status::Abandoned => {
                What::Failed { reason }
            }
            Status::Initiated
            | Status::RequiresAction
            | Status::InReview
            | Status::Processing
            | Status::Unknown
            | Status::Stuck => What::Updated {
                previous: from,
                reason,
            },
        };
        self.publish(what, now);
    }

    /// Adds a fact, with the transaction as it now is.
    pub fn publish(&mut self, what: What, now: Timestamp) {
        self.touch(now);
        self.transaction.event_sequence = self.transaction.event_sequence.saturating_add(1);
        self.facts.push(Fact {
            sequence: self.transaction.event_sequence,
            transaction: Box::new(self.transaction.clone()),
            what,
            at: now,
            business_at: self.operation.details.business_at,
        });
    }

    /// Turns back towards `goal` (T8).
    pub fn turn_back(&mut self, goal: Goal) {
        self.operation.failures = 0;
        self.operation.saga.turn_back(goal);
    }

    /// Leaves the operation until `at`, or until somebody comes when there is no such moment.
    pub fn rest(&mut self, wait: Wait, at: Option<Timestamp>) {
        self.operation.saga.wait = wait;
        self.operation.next_wake_at = at;
    }

    /// Ends the operation.
    pub fn end(&mut self, state: OperationState, now: Timestamp) {
        self.operation.state = state;
        self.operation.finished_at = Some(now);
        self.operation.failures = 0;
        self.rest(Wait::Nothing, None);
    }

    /// Somebody came for an operation that waits: a timer, an event, a person. What it waited for is looked into again.
    pub fn wake(&mut self) {
        let saga = &mut self.operation.saga;
        if matches!(saga.wait, Wait::Retry | Wait::Provider | Wait::Action) {
            saga.wait = Wait::Nothing;
        }
    }

    /// True when the operation is the transaction itself.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.operation.kind == OperationKind::Main
    }

    /// True while the saga goes forward.
    #[must_use]
    pub fn goes_forward(&self) -> bool {
        self.operation.saga.direction == Direction::Forward
    }

    pub(super) fn settle_step(
        &mut self,
        place: usize,
        state: StepState,
        reason: &str,
        now: Timestamp,
    ) {
        self.operation.failures = 0;
        if let Some(step) = self.operation.saga.steps.get_mut(place) {
            step.state = state;
            reason.clone_into(&mut step.reason);
            if step.is_settled() {
                step.finished_at = Some(now);
            }
        }
        if self.operation.state == OperationState::Unknown {
            self.operation.state = OperationState::Pending;
        }
    }
}
