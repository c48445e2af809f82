//! Captures, cancellations and refunds.

use paymesh_kernel::{ChangeSet, CommitError, Principal, Timestamp};

use super::{App, MOST_DECISIONS, Outcome};
use crate::{
    domain::{AttemptId, Book, CaptureOrder, RefundOrder, Rejection, StepKey, Verdict},
    error::Error,
    store::{self, Found},
};

/// A step of an attempt that exists.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Capture(CaptureOrder),
    Cancel(String),
    Refund(RefundOrder),
}

// === impl Step ===

impl Step {
    fn decide(
        &self,
        book: &mut Book,
        step: &StepKey,
        times: (Timestamp, Timestamp),
    ) -> Result<Verdict, Rejection> {
        match self {
            Self::Capture(order) => book.capture(step, order, times),
            Self::Cancel(reason) => book.cancel(step, reason, times),
            Self::Refund(order) => book.refund(step, order, times),
        }
    }
}

// === impl App ===

impl App {
    /// Does a step: decided and committed, then sent, then what came of it committed.
    pub(crate) async fn step(
        &self,
        principal: &Principal,
        id: AttemptId,
        key: StepKey,
        step: Step,
    ) -> Result<Outcome<Book>, Error> {
        let mut held = None;
        for _ in 0..MOST_DECISIONS {
            let book = self.visible(principal, id).await?;
            let desk = self.desk(&book.attempt.connector)?;
            let now = self.now();
            let until = self.answered_by(now, desk.connector.windows());
            let mut next = book.clone();
            match step.decide(&mut next, &key, (now, until))? {
                Verdict::Nothing => return Ok(Outcome::Applied(book)),
                Verdict::Repeat => {
                    drop(held);
                    let (book, _) = self.finish(book, &key.key).await?;
                    return Ok(Outcome::AlreadyApplied(book));
                }
                Verdict::New => {}
            }
            let (flight, turn) = match held.take() {
                Some(held) => held,
                None => {
                    let flight = self.inner.flights.begin(&key.key).await;
                    let turn = desk.turn().await.map_err(|_| Error::ConnectorBusy)?;
                    (flight, turn)
                }
            };
            match self.save(&book, &mut next).await {
                Ok(()) => {}
                Err(CommitError::Stale) => {
                    held = Some((flight, turn));
                    continue;
                }
                Err(error) if store::is_key_taken(&error) => {
                    return Err(Rejection::KeyReused.into());
                }
                Err(error) => return Err(error.into()),
            }
            let Some(sending) = self.sending(&next, &key.key).await? else {
                return Ok(Outcome::Applied(next));
            };
            return self
                .fly(next, (key.key, sending), (flight, turn))
                .await
                .map(Outcome::Applied);
        }
        Err(Error::Contended)
    }

    /// Releases an authorization. For an attempt that is not there a tombstone is left, so that a late original is refused; None
    /// is answered then.
    pub(crate) async fn cancel(
        &self,
        principal: &Principal,
        id: AttemptId,
        (key, reason): (StepKey, String),
    ) -> Result<Outcome<Option<Book>>, Error> {
        match self.store().book(id).await? {
            Found::Tombstone(tenant) if tenant == principal.tenant => {
                return Ok(Outcome::AlreadyApplied(None));
            }
            Found::Tombstone(_) => return Err(Error::AttemptNotFound),
            Found::Book(_) => {}
            Found::Nothing => {
                let mut changes = ChangeSet::new();
                store::insert_tombstone(&mut changes, (principal.tenant, id), self.now());
                match self.inner.writer.commit(changes).await {
                    Ok(()) => return Ok(Outcome::Applied(None)),
                    // It has just arrived, or another cancellation has.
                    Err(error) if store::is_taken(&error) => {}
                    Err(error) => return Err(error.into()),
                }
                if matches!(self.store().book(id).await?, Found::Tombstone(tenant) if tenant == principal.tenant)
                {
                    return Ok(Outcome::AlreadyApplied(None));
                }
            }
        }
        let step = Step::Cancel(reason);
        Ok(match self.step(principal, id, key, step).await? {
            Outcome::Applied(book) => Outcome::Applied(Some(book)),
            Outcome::AlreadyApplied(book) => Outcome::AlreadyApplied(Some(book)),
        })
    }
}
