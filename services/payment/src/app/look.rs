//! Asks the provider what became of an operation, and goes on from there.

use futures::future::BoxFuture;
use paymesh_kernel::{CommitError, Principal, Timestamp};

use super::{App, ChangeError};
use crate::{
    connector::Unreachable,
    domain::{Answer, AttemptId, Book, Next, Observation, OperationState},
    error::Error,
    store::Found,
};

/// What the provider knows of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has it.
    Found,
    /// It never had it, and late arrivals are over.
    NotFound,
    /// It does not have it; it may still arrive.
    NotFoundYet {
        /// When to ask again.
        ask_again_at: Timestamp,
    },
    /// It could not be asked.
    Unreachable {
        /// When to ask again.
        ask_again_at: Timestamp,
    },
}

/// What became of what was seen.
pub(super) enum Observed {
    /// It is part of what is known.
    Kept(Book),
    /// It cannot be; nothing was changed.
    Contradicted(Book),
}

// === impl App ===

impl App {
    /// What is known of a reference of ours; the provider is asked when the outcome is missing.
    pub(crate) async fn by_reference(
        &self,
        principal: &Principal,
        reference: &str,
    ) -> Result<Option<(Book, Standing)>, Error> {
        let found = self
            .store()
            .attempt_of_key(principal.tenant, reference)
            .await?;
        let Some(id) = found else {
            return Ok(None);
        };
        let book = match self.visible(principal, id).await {
            Ok(book) => book,
            Err(Error::AttemptNotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.finish(book, reference).await.map(Some)
    }

    /// Brings an operation to its end as far as that is possible now.
    pub(super) async fn finish(&self, book: Book, key: &str) -> Result<(Book, Standing), Error> {
        if !is_open(&book, key) {
            let standing = standing_of_ended(&book, key);
            return Ok((book, standing));
        }
        if self.inner.flights.is_under_way(key) {
            self.inner.flights.landed(key).await;
            let book = self.reload(book.attempt.id).await?;
            if !is_open(&book, key) {
                let standing = standing_of_ended(&book, key);
                return Ok((book, standing));
            }
            return self.look(book, key).await;
        }
        self.look(book, key).await
    }

    /// Asks the provider, whatever is known, and does what follows from its answer.
    ///
    /// Boxed, because a look may send again, and what is sent may need a look.
    pub(super) fn look<'a>(
        &'a self,
        book: Book,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(Book, Standing), Error>> {
        Box::pin(self.look_once(book, key))
    }

    async fn look_once(&self, book: Book, key: &str) -> Result<(Book, Standing), Error> {
        let Ok(desk) = self.desk(&book.attempt.connector) else {
            tracing::warn!(attempt = %book.attempt.id, "the connector of an attempt is not configured any more");
            let ask_again_at = self.later(&book, key);
            let book = self.wait(book, key, ask_again_at).await?;
            return Ok((book, Standing::Unreachable { ask_again_at }));
        };
        let windows = desk.connector.windows();
        let seen = self.ask(&book).await;
        let book = match seen {
            Err(Unreachable { retry_after }) => {
                let until = self.later(&book, key);
                let asked_for = retry_after.map(|after| self.now().plus(after));
                let ask_again_at = asked_for.map_or(until, |at| at.max(until));
                let book = self.wait(book, key, ask_again_at).await?;
                return Ok((book, Standing::Unreachable { ask_again_at }));
            }
            Ok(None) => book,
            Ok(Some(seen)) => match self.observed(book, key, seen).await? {
                Observed::Kept(book) => book,
                Observed::Contradicted(book) => {
                    let ask_again_at = self.later(&book, key);
                    let book = self.wait(book, key, ask_again_at).await?;
                    return Ok((book, Standing::NotFoundYet { ask_again_at }));
                }
            },
        };
        match self.with_moment(windows, |moment| book.next(key, moment)) {
            Next::Done => {
                let book = self.rest(book, key).await?;
                let standing = standing_of_ended(&book, key);
                Ok((book, standing))
            }
            Next::NeverArrived => {
                let end = |book: &mut Book| {
                    self.with_moment(windows, |moment| {
                        // Somebody else may have sent it again meanwhile.
                        if book.next(key, moment) == Next::NeverArrived {
                            book.never_arrived(key, moment.now)?;
                        }
                        Ok(())
                    })
                };
                let ended = self.change(book, end).await.map_err(unlikely)?;
                let standing = standing_of_ended(&ended, key);
                Ok((ended, standing))
            }
            Next::Wait(until) => {
                let known = book.operation(key).and_then(|operation| operation.wake_at);
                let is_due = known.is_none_or(|at| at <= self.now());
                let ask_again_at = if is_due {
                    until
                } else {
                    known.unwrap_or(until)
                };
                let book = if is_due {
                    self.wait(book, key, until).await?
                } else {
                    book
                };
                let standing = if is_seen(&book, key) {
                    Standing::Found
                } else {
                    Standing::NotFoundYet { ask_again_at }
                };
                Ok((book, standing))
            }
            Next::SendAgain => self.send_again(book, key).await,
        }
    }

    async fn ask(&self, book: &Book) -> Result<Option<Observation>, Unreachable> {
        let unreachable = Unreachable { retry_after: None };
        let desk = self
            .desk(&book.attempt.connector)
            .map_err(|_| unreachable)?;
        match &book.attempt.connector_reference {
            Some(name) => desk.connector.fetch(name).await,
            None => desk.connector.query(&book.attempt.reference).await,
        }
    }

    /// Keeps what was seen; what cannot be is left for a person, and for a later look.
    pub(super) async fn observed(
        &self,
        book: Book,
        key: &str,
        seen: Observation,
    ) -> Result<Observed, Error> {
        let windows = self.desk(&book.attempt.connector)?.connector.windows();
        let answer = Answer::Look(Box::new(seen));
        let settled = self
            .change(book.clone(), |book| {
                self.with_moment(windows, |moment| book.settle(key, answer.clone(), moment))
            })
            .await;
        match settled {
            Ok(book) => Ok(Observed::Kept(book)),
            Err(ChangeError::Other(error)) => Err(error),
            Err(ChangeError::Contradiction(contradiction)) => {
                tracing::warn!(attempt = %book.attempt.id, error = %contradiction, "what the provider shows cannot be");
                Ok(Observed::Contradicted(book))
            }
        }
    }

    async fn send_again(&self, book: Book, key: &str) -> Result<(Book, Standing), Error> {
        let desk = self.desk(&book.attempt.connector)?;
        let windows = desk.connector.windows();
        let now = self.now();
        let until = self.answered_by(now, windows);
        let ask_again_at = self.later(&book, key);
        let Some(flight) = self.inner.flights.try_begin(key) else {
            return Ok((book, Standing::NotFoundYet { ask_again_at }));
        };
        let Ok(turn) = desk.turn().await else {
            let book = self.wait(book, key, ask_again_at).await?;
            return Ok((book, Standing::Unreachable { ask_again_at }));
        };
        let Some(sending) = self.sending(&book, key).await? else {
            // There is nothing to send it to yet: the payment itself is in doubt.
            let book = self.wait(book, key, ask_again_at).await?;
            return Ok((book, Standing::NotFoundYet { ask_again_at }));
        };
        let mut claimed = book.clone();
        claimed.send_again(key, (now, until));
        match self.save(&book, &mut claimed).await {
            Ok(()) => {}
            // Somebody else has it in hand.
            Err(CommitError::Stale) => {
                let book = self.reload(book.attempt.id).await?;
                return Ok((book, Standing::NotFoundYet { ask_again_at }));
            }
            Err(error) => return Err(error.into()),
        }
        let flown = self
            .fly(claimed, (key.to_owned(), sending), (flight, turn))
            .await?;
        let standing = if is_open(&flown, key) {
            Standing::NotFoundYet { ask_again_at }
        } else {
            standing_of_ended(&flown, key)
        };
        Ok((flown, standing))
    }

    pub(super) async fn reload(&self, id: AttemptId) -> Result<Book, Error> {
        match self.store().book(id).await? {
            Found::Book(book) => Ok(*book),
            Found::Tombstone(_) | Found::Nothing => Err(Error::AttemptNotFound),
        }
    }

    /// When to look again.
    fn later(&self, book: &Book, key: &str) -> Timestamp {
        let asks = book.operation(key).map_or(0, |operation| operation.asks);
        let failures = u32::try_from(asks).unwrap_or(0).saturating_add(1);
        let backoff = self.inner.config.resolve.backoff();
        let wait = backoff.wait(failures, self.inner.ids.entropy());
        self.now().plus(wait)
    }

    async fn wait(&self, book: Book, key: &str, until: Timestamp) -> Result<Book, Error> {
        let wait = |book: &mut Book| {
            book.wait(key, until);
            Ok(())
        };
        self.change(book, wait).await.map_err(unlikely)
    }

    async fn rest(&self, book: Book, key: &str) -> Result<Book, Error> {
        let now = self.now();
        let rest = |book: &mut Book| {
            let is_due = book
                .operation(key)
                .is_some_and(|known| known.wake_at.is_some_and(|at| at <= now));
            if is_due {
                book.rest(key);
            }
            Ok(())
        };
        self.change(book, rest).await.map_err(unlikely)
    }
}

// === free functions ===

fn is_open(book: &Book, key: &str) -> bool {
    book.operation(key)
        .is_some_and(|operation| operation.state.is_open())
}

/// True when the provider has accepted it, though it has not finished.
fn is_seen(book: &Book, key: &str) -> bool {
    book.operation(key)
        .is_some_and(|operation| operation.connector_reference.is_some())
}

fn standing_of_ended(book: &Book, key: &str) -> Standing {
    let state = book.operation(key).map(|operation| operation.state);
    if state == Some(OperationState::Failed) {
        Standing::NotFound
    } else {
        Standing::Found
    }
}

/// Notes about waiting contradict nothing.
fn unlikely(error: ChangeError) -> Error {
    match error {
        ChangeError::Other(error) => error,
        ChangeError::Contradiction(_) => Error::Contended,
    }
}
