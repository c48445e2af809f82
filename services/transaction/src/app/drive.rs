//! Drives a saga: asks it for its next turn, calls who has to be called, and commits before anything that may move money and at
//! the end. Whoever drives, a request or the runner, does it here.

use std::{sync::Arc, time::Duration};

use paymesh_kernel::CommitError;

use super::{App, checkpoint::Point};
use crate::{
    clients::Origin,
    domain::{
        OperationId,
        operation::OperationKind,
        saga::{Flow, StepKind},
        work::{Turn, Work},
    },
    store,
};

/// Times that a saga is loaded and driven anew because its transaction was changed meanwhile.
const RESTARTS: usize = 8;
/// Times that a commit which certainly did not happen is tried again.
const COMMITS: u32 = 5;
/// Wait before that, times its number.
const COMMIT_WAIT: Duration = Duration::from_millis(50);

/// How a drive ended.
#[derive(Debug)]
pub(super) enum Driven {
    /// The saga waits or has ended, and that is stored.
    Rests(Box<Work>),
    /// Another instance drives it, or nothing could be stored: its timer brings it back.
    Lost,
}

/// Whether a step is ready to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    /// It is.
    Call,
    /// What had to be known first decided it.
    Decided,
}

/// What became of storing.
enum Stored {
    Yes,
    /// What is stored is something else: go on from there.
    Other(Box<Work>),
    /// Leave it.
    No,
}

// === impl App ===

impl App {
    /// Drives an operation that this instance has leased, until it waits or has ended.
    pub(super) async fn drive(&self, mut work: Work, origin: &Origin) -> Driven {
        for _ in 0..RESTARTS {
            let id = work.operation.id;
            let transaction = work.transaction.id;
            match self.drive_once(work, origin).await {
                Ok(driven) => {
                    self.inner.signals.tell(transaction);
                    return driven;
                }
                Err(Some(other)) => work = *other,
                Err(None) => {
                    self.inner.in_hand.lose(transaction);
                    tracing::warn!(operation = %id, transaction = %transaction, "a saga is left to its timer");
                    return Driven::Lost;
                }
            }
        }
        self.inner.in_hand.lose(work.transaction.id);
        tracing::warn!(operation = %work.operation.id, "a saga was changed by others again and again, and is left to its timer");
        Driven::Lost
    }

    async fn drive_once(
        &self,
        mut work: Work,
        origin: &Origin,
    ) -> Result<Driven, Option<Box<Work>>> {
        loop {
            let turn = work.turn(&self.inner.policy, self.moment());
            let Turn::Do(place) = turn else {
                work.operation.lease = None;
                self.store(&mut work, origin).await?;
                self.inner.in_hand.note(&work);
                self.wake_runner_in_time(&work);
                return Ok(Driven::Rests(Box::new(work)));
            };
            if self.begin(&mut work, place, origin).await? == Ready::Decided {
                continue;
            }
            self.inner.in_hand.note(&work);
            let Some(kind) = work.operation.saga.steps.get(place).map(|step| step.kind) else {
                return Err(None);
            };
            if !self.passes(Point::BeforeCall(kind)) {
                return Err(None);
            }
            let answer = self.call(&work, place, origin).await;
            if !self.passes(Point::AfterCall(kind)) {
                return Err(None);
            }
            work.absorb(place, answer, &self.inner.policy, self.moment());
        }
    }

    /// A saga that is due before the runner looks by itself is not kept waiting.
    fn wake_runner_in_time(&self, work: &Work) {
        let Some(at) = work.operation.next_wake_at else {
            return;
        };
        let left = at.since(self.now());
        if left.is_zero() {
            return self.wake_runner();
        }
        if left < Duration::from_millis(self.inner.config.poll_ms) {
            let app = self.clone();
            self.inner.tasks.spawn_once(async move {
                tokio::time::sleep(left).await;
                app.wake_runner();
            });
        }
    }

    /// Stores a step that may move money as begun, with its ids and figures, before its first call (T10).
    async fn begin(
        &self,
        work: &mut Work,
        place: usize,
        origin: &Origin,
    ) -> Result<Ready, Option<Box<Work>>> {
        let needs_draws = self.needs_draws(work, place);
        if needs_draws && let Some(answer) = self.plan_draws(work, origin).await {
            work.absorb(place, answer, &self.inner.policy, self.moment());
            return Ok(Ready::Decided);
        }
        let ids = &self.inner.ids;
        if !work.operation.saga.begin(place, || ids.next()) {
            return Ok(Ready::Call);
        }
        let is_hold = work
            .operation
            .saga
            .steps
            .get(place)
            .is_some_and(|step| step.kind == StepKind::Hold);
        if is_hold && work.plan_holds(place).is_err() {
            tracing::error!(operation = %work.operation.id, "a reservation has no figures");
            return Err(None);
        }
        self.lease(work);
        self.store(work, origin).await.map(|()| Ready::Call)
    }

    fn needs_draws(&self, work: &Work, place: usize) -> bool {
        let kind = work.operation.saga.steps.get(place).map(|step| step.kind);
        let first_money = match work.operation.saga.flow {
            Flow::Refund => Some(StepKind::Hold),
            Flow::RefundInternal => Some(StepKind::Post),
            Flow::Internal
            | Flow::InternalManual
            | Flow::External
            | Flow::ExternalManual
            | Flow::Payout
            | Flow::Adjustment
            | Flow::Capture
            | Flow::CaptureHeld
            | Flow::Chargeback
            | Flow::Reversal
            | Flow::LateUndo => None,
        };
        work.operation.kind == OperationKind::Refund
            && kind.is_some()
            && kind == first_money
            && work.operation.details.draws.is_empty()
            && work.goes_forward()
    }

    /// Commits; says where to go on when that is not from here.
    async fn store(&self, work: &mut Work, origin: &Origin) -> Result<(), Option<Box<Work>>> {
        if !self.passes(Point::BeforeCommit) {
            return Err(None);
        }
        let stored = self.try_store(work, origin).await;
        if !self.passes(Point::AfterCommit) {
            return Err(None);
        }
        match stored {
            Stored::Yes => Ok(()),
            Stored::Other(other) => Err(Some(other)),
            Stored::No => Err(None),
        }
    }

    async fn try_store(&self, work: &mut Work, origin: &Origin) -> Stored {
        let mut attempt = 0;
        loop {
            let error = match self.commit(work, origin, None).await {
                Ok(()) => return Stored::Yes,
                Err(error) => error,
            };
            match error {
                CommitError::Stale => return self.reload(work, Seen::Stale).await,
                CommitError::Unknown => return self.reload(work, Seen::Unknown).await,
                CommitError::Unavailable
                | CommitError::Overloaded
                | CommitError::DeadlineExceeded => {
                    attempt = u32::saturating_add(attempt, 1);
                    if attempt >= COMMITS {
                        return Stored::No;
                    }
                    tokio::time::sleep(COMMIT_WAIT.saturating_mul(attempt)).await;
                }
                CommitError::Duplicate { .. }
                | CommitError::Check { .. }
                | CommitError::Internal => {
                    tracing::error!(operation = %work.operation.id, error = %error, "what a saga decided cannot be stored");
                    return Stored::No;
                }
            }
        }
    }

    /// Looks at what is stored. When it is still ours, the saga goes on from there; all calls can be repeated under their keys.
    async fn reload(&self, work: &Work, seen: Seen) -> Stored {
        let loaded = store::work(&self.inner.database, work.operation.id).await;
        let Ok(Some(mut stored)) = loaded else {
            return Stored::No;
        };
        let next = work.operation.version.saturating_add(1);
        let owner = |work: &Work| {
            work.operation
                .lease
                .as_ref()
                .map(|lease| lease.owner.clone())
        };
        if stored.operation.version == work.operation.version {
            stored.operation.saga.resume();
            return Stored::Other(Box::new(stored));
        }
        // A commit whose outcome was not known has happened when the next version is ours.
        if seen == Seen::Unknown
            && stored.operation.version == next
            && owner(&stored) == owner(work)
        {
            return Stored::Other(Box::new(stored));
        }
        Stored::No
    }

    /// Takes an operation over that nobody drives: leases it, then does what its timer is for. None when somebody was faster.
    pub(super) async fn take_up(&self, id: OperationId) -> Option<(Work, Origin)> {
        let mut work = match store::work(&self.inner.database, id).await {
            Ok(Some(work)) => work,
            Ok(None) => return None,
            Err(error) => {
                tracing::error!(operation = %id, error = paymesh_kernel::error::chain(&error), "a saga cannot be read");
                return None;
            }
        };
        let now = self.now();
        let is_due = work.operation.next_wake_at.is_some_and(|at| at <= now);
        if work.operation.is_leased(now) || !is_due {
            return None;
        }
        let origin = Origin {
            tenant: work.operation.tenant,
            request_id: Arc::from(format!("saga-{}", work.operation.public_id())),
        };
        self.lease(&mut work);
        self.commit(&mut work, &origin, None).await.ok()?;
        work.due(&self.inner.policy, self.moment());
        Some((work, origin))
    }
}

/// Why what is stored is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// Another version was there.
    Stale,
    /// The connection broke during the commit.
    Unknown,
}
