//! What is asked of a transaction that exists: captures, refunds, cancellations, decisions of people, and what settlement says.

mod action;
mod decide;

use std::time::Duration;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{CommitError, Principal, Timestamp};
use paymesh_money::Money;

use super::{App, DECISIONS, Outcome, Whole, access, checkpoint::Point, request_id};
use crate::{
    clients::Origin,
    domain::{
        CaptureId, OperationId, RefundId, TransactionId,
        command::{self, Ask, Finality, MAX_OPERATIONS, Rejection},
        operation::{Operation, OperationKind},
        saga::{StepKind, Wait},
        transaction::Transaction,
        work::Work,
    },
    error::Error,
    store,
};

pub(crate) use action::Verification;
pub(crate) use decide::{BankWord, ChargebackWord};

/// How often the stored state is looked at while another process drives a saga.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What became of an operation: the transaction with all of them, and which one it was.
pub(crate) type Done = (Whole, OperationId);

/// A keyed command about a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) key: String,
    /// What was asked, without the key: its fingerprint.
    pub(crate) asked: Vec<u8>,
    pub(crate) transaction: TransactionId,
    pub(crate) wait_ms: Option<i32>,
}

/// A capture or refund as it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct PartOf {
    pub(crate) keyed: Keyed,
    pub(crate) amount: Option<Money>,
    pub(crate) reason: String,
    pub(crate) business_at: Option<Timestamp>,
}

// === impl App ===

impl App {
    /// Captures an authorized purchase.
    pub(crate) async fn capture(
        &self,
        principal: &Principal,
        part: PartOf,
        finality: Finality,
    ) -> Result<Outcome<Done>, Error> {
        let key = key_of(principal, "Capture", &part.keyed)?;
        let business_at = self
            .business_time_as_self(principal, part.business_at)
            .await?;
        let id: CaptureId = self.inner.ids.next();
        self.operate(principal, (&key, &part.keyed), |transaction, app| {
            let ask = Ask {
                id: command::capture_operation(id),
                amount: part.amount,
                reason: part.reason.clone(),
                business_at,
            };
            command::capture(transaction, ask, finality, app.moment())
        })
        .await
    }

    /// Gives captured money back.
    pub(crate) async fn refund(
        &self,
        principal: &Principal,
        part: PartOf,
    ) -> Result<Outcome<Done>, Error> {
        let key = key_of(principal, "Refund", &part.keyed)?;
        let business_at = self
            .business_time_as_self(principal, part.business_at)
            .await?;
        let id: RefundId = self.inner.ids.next();
        self.operate(principal, (&key, &part.keyed), |transaction, app| {
            let ask = Ask {
                id: command::refund_operation(id),
                amount: part.amount,
                reason: part.reason.clone(),
                business_at,
            };
            command::refund(transaction, ask, app.moment())
        })
        .await
    }

    async fn business_time_as_self(
        &self,
        principal: &Principal,
        asked: Option<Timestamp>,
    ) -> Result<Timestamp, Error> {
        let origin = self.origin(principal);
        self.inner
            .clients
            .act(&origin, self.business_time(principal, asked))
            .await
    }

    fn origin(&self, principal: &Principal) -> Origin {
        Origin {
            tenant: principal.tenant,
            request_id: request_id(),
        }
    }

    /// Begins a new operation of a transaction under a key, drives it, and waits a bounded time.
    async fn operate(
        &self,
        principal: &Principal,
        (key, keyed): (&IdempotencyKey, &Keyed),
        decide: impl Fn(Transaction, &Self) -> Result<Work, Rejection>,
    ) -> Result<Outcome<Done>, Error> {
        let wait = self.patience(keyed.wait_ms);
        for _ in 0..DECISIONS {
            let permit = self.permit()?;
            let transaction = self.visible(principal, keyed.transaction).await?;
            if !access::acts_for_payee(principal, &transaction) {
                return Err(Error::NotFound);
            }
            let count = store::operations(&self.inner.database, transaction.id)
                .await?
                .len();
            let decided = decide(transaction, self).and_then(|work| {
                if count >= MAX_OPERATIONS {
                    return Err(Rejection::TooMany {
                        limit: MAX_OPERATIONS,
                    });
                }
                Ok(work)
            });
            let mut work = match decided {
                Ok(work) => work,
                Err(rejection) => return self.repeat(key, wait, Some(rejection.into())).await,
            };
            self.name_quote(&mut work);
            self.lease(&mut work);
            let origin = self.origin(principal);
            match self.commit_passing(&mut work, &origin, Some(key)).await {
                Ok(()) => {}
                Err(CommitError::Stale) => continue,
                Err(error) if IdempotencyKey::lost(&error) => {
                    return self.repeat(key, wait, None).await;
                }
                Err(error) => return Err(error.into()),
            }
            let id = work.operation.id;
            let work = self.drive_and_wait(work, origin, permit, wait).await?;
            return Ok(Outcome::Applied((self.whole(work.transaction).await?, id)));
        }
        Err(Error::Contended)
    }

    /// The quote of a new operation has its id before it is asked for.
    pub(super) fn name_quote(&self, work: &mut Work) {
        if let Some(step) = work.operation.saga.find_mut(StepKind::Quote)
            && step.reference.is_empty()
        {
            step.reference = self.inner.ids.next::<crate::domain::QuoteId>().to_string();
        }
    }

    /// Commits between the places at which a test can have the process die.
    async fn commit_passing(
        &self,
        work: &mut Work,
        origin: &Origin,
        key: Option<&IdempotencyKey>,
    ) -> Result<(), CommitError> {
        if !self.passes(Point::BeforeCommit) {
            return Err(CommitError::Unknown);
        }
        self.commit(work, origin, key).await?;
        if self.passes(Point::AfterCommit) {
            Ok(())
        } else {
            Err(CommitError::Unknown)
        }
    }

    /// Answers a command whose key was used before, once its saga rests. Without such a key, `otherwise` is what went wrong.
    pub(super) async fn repeat(
        &self,
        key: &IdempotencyKey,
        wait: Duration,
        otherwise: Option<Error>,
    ) -> Result<Outcome<Done>, Error> {
        let Some(id) = key.find(&self.inner.database).await? else {
            return Err(otherwise.unwrap_or(Error::Contended));
        };
        let work = self.rested(OperationId::from(id), wait).await?;
        if is_running(&work) {
            return Err(Error::InProgress);
        }
        let id = work.operation.id;
        Ok(Outcome::AlreadyApplied((
            self.whole(work.transaction).await?,
            id,
        )))
    }

    /// The same for a transaction as a whole.
    pub(super) async fn repeat_main(
        &self,
        key: &IdempotencyKey,
        wait: Duration,
        otherwise: Option<Error>,
    ) -> Result<Outcome<Whole>, Error> {
        Ok(self
            .repeat(key, wait, otherwise)
            .await?
            .map(|(whole, _)| whole))
    }

    /// An operation as it is stored now.
    pub(super) async fn stored(&self, id: OperationId) -> Result<Work, Error> {
        store::work(&self.inner.database, id)
            .await?
            .ok_or(Error::NotFound)
    }

    /// An operation once nobody is at work on it, or as it is when the wait is over.
    pub(super) async fn rested(&self, id: OperationId, wait: Duration) -> Result<Work, Error> {
        let until = tokio::time::Instant::now().checked_add(wait);
        let mut work = self.stored(id).await?;
        let waiter = self.inner.signals.wait_for(work.transaction.id);
        // A saga whose process died is due; the runner finishes what was begun.
        self.wake_runner();
        loop {
            let left = until.map_or(Duration::ZERO, |until| {
                until.saturating_duration_since(tokio::time::Instant::now())
            });
            if !is_running(&work) || left.is_zero() {
                return Ok(work);
            }
            let notify = waiter.notify();
            tokio::time::timeout(left.min(LOOK_EVERY), notify.notified())
                .await
                .ok();
            work = self.stored(id).await?;
        }
    }

    /// A transaction once it has ended, or as it is when the wait is over.
    pub(super) async fn ended(
        &self,
        transaction: Transaction,
        wait: Duration,
    ) -> Result<Transaction, Error> {
        let until = tokio::time::Instant::now().checked_add(wait);
        let waiter = self.inner.signals.wait_for(transaction.id);
        let mut transaction = transaction;
        loop {
            let left = until.map_or(Duration::ZERO, |until| {
                until.saturating_duration_since(tokio::time::Instant::now())
            });
            if transaction.status.is_end() || left.is_zero() {
                return Ok(transaction);
            }
            let notify = waiter.notify();
            tokio::time::timeout(left.min(LOOK_EVERY), notify.notified())
                .await
                .ok();
            let found =
                store::transaction(&self.inner.database, transaction.tenant, transaction.id)
                    .await?;
            transaction = found.ok_or(Error::NotFound)?;
        }
    }

    /// A transaction that the principal may see.
    pub(super) async fn visible(
        &self,
        principal: &Principal,
        id: TransactionId,
    ) -> Result<Transaction, Error> {
        let found = store::transaction(&self.inner.database, principal.tenant, id).await?;
        found
            .filter(|found| access::sees(principal, found))
            .ok_or(Error::NotFound)
    }

    /// One operation of those that were loaded.
    pub(crate) fn part(whole: &Whole, id: OperationId) -> Option<&Operation> {
        whole.operations.iter().find(|operation| operation.id == id)
    }
}

/// True while somebody is at work on it, or will be without being asked: its outcome is not there yet.
pub(super) fn is_running(work: &Work) -> bool {
    let is_refund = work.operation.kind == OperationKind::Refund;
    !work.operation.state.is_end()
        && match work.operation.saga.wait {
            Wait::Nothing | Wait::Retry => true,
            // A refund may be with its provider for days; that is its state, and is told.
            Wait::Provider => !is_refund,
            Wait::Action | Wait::Review | Wait::Capture | Wait::Payout | Wait::Resolution => false,
        }
}

fn key_of(principal: &Principal, route: &str, keyed: &Keyed) -> Result<IdempotencyKey, Error> {
    Ok(IdempotencyKey::try_new(
        principal,
        route,
        &keyed.key,
        &keyed.asked,
    )?)
}
