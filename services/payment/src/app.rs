//! Use cases: load, decide, save; the provider is called between two commits and never inside one.
//!
//! A step at a provider runs in a task of its own, so that a caller who hangs up does not stop it: its operation is committed, it
//! is sent, and what came of it is committed. Whatever breaks in between is found again by the operation's `wake_at`.

mod access;
mod authorize;
mod evidence;
mod flights;
mod look;
mod methods;
mod perform;
mod queries;
mod steps;
mod webhook;
mod workers;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use paymesh_chassis::{Host, InitError};
use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Ids, Principal, Tasks, Timestamp, Writer, id::reexport::Uuid,
};
use tokio::sync::Notify;

use self::flights::Flights;
use crate::{
    config::{Config, ConnectorKind},
    connector::{Connector, desk::Desk, simulated::Simulated},
    domain::{AttemptId, Book, Contradiction, Moment, Windows},
    error::Error,
    events::Publisher,
    store::{self, Found, Store},
};

pub(crate) use authorize::AuthorizeCommand;
pub(crate) use look::Standing;
pub(crate) use methods::NewMethod;
pub(crate) use steps::Step;

/// Times that a decision is made anew because somebody else was faster.
const MOST_DECISIONS: usize = 5;
/// The same for what a provider has answered, which must be kept.
const MOST_CONCLUSIONS: usize = 20;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier call did it.
    AlreadyApplied(T),
}

/// The use cases. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
    tasks: Tasks,
    desks: BTreeMap<String, Desk>,
    config: Config,
    flights: Flights,
    /// Something is due at once.
    due: Notify,
}

// === impl App ===

impl App {
    /// Builds the use cases; nothing is called yet.
    pub(crate) fn try_new(config: Config, host: &Host) -> Result<Self, InitError> {
        let mut desks = BTreeMap::new();
        for (name, settings) in &config.connectors {
            let connector: Arc<dyn Connector> = match settings.kind {
                ConnectorKind::Simulated => {
                    let made = Simulated::try_new(settings.simulated());
                    Arc::new(made.map_err(|error| InitError::Other {
                        component: host.name,
                        message: paymesh_kernel::error::chain(&error),
                    })?)
                }
            };
            let limits = (settings.patience(), settings.concurrent_calls);
            desks.insert(name.clone(), Desk::new(name, connector, limits.0, limits.1));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                store: Store::new(host.database.clone()),
                writer: host.writer.clone(),
                clock: Arc::clone(&host.platform.clock),
                ids: host.platform.ids.clone(),
                tasks: host.platform.tasks.clone(),
                desks,
                config,
                flights: Flights::default(),
                due: Notify::new(),
            }),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    fn desk(&self, connector: &str) -> Result<&Desk, Error> {
        self.inner
            .desks
            .get(connector)
            .ok_or(Error::ConnectorUnknown)
    }

    /// Until when a step that is sent now belongs to its sender.
    fn answered_by(&self, now: Timestamp, windows: Windows) -> Timestamp {
        now.plus(windows.call_budget)
    }

    /// Runs a decision with everything from outside that it needs.
    fn with_moment<T>(&self, windows: Windows, decide: impl FnOnce(&Moment<'_>) -> T) -> T {
        let ids = &self.inner.ids;
        let new_id = || ids.next::<Uuid>();
        decide(&Moment {
            now: self.now(),
            windows,
            backoff: self.inner.config.resolve.backoff(),
            entropy: ids.entropy(),
            new_id: &new_id,
        })
    }

    /// An attempt that the principal may see.
    async fn visible(&self, principal: &Principal, id: AttemptId) -> Result<Book, Error> {
        match self.store().book(id).await? {
            Found::Book(book) if access::sees_attempt(principal, &book.attempt) => Ok(*book),
            Found::Book(_) | Found::Tombstone(_) | Found::Nothing => Err(Error::AttemptNotFound),
        }
    }

    /// Saves the difference with its facts, in one commit.
    async fn save(&self, before: &Book, after: &mut Book) -> Result<(), CommitError> {
        let mut changes = ChangeSet::new();
        store::update_book(&mut changes, before, after);
        self.publisher(&mut changes).book(after);
        self.inner.writer.commit(changes).await?;
        self.wake_for(after);
        Ok(())
    }

    fn publisher<'a>(&'a self, changes: &'a mut ChangeSet) -> Publisher<'a> {
        Publisher {
            changes,
            ids: &self.inner.ids,
            now: self.now(),
        }
    }

    /// Wakes the worker when something in the book is due.
    fn wake_for(&self, book: &Book) {
        let now = self.now();
        let is_due = |wake_at: Option<Timestamp>| wake_at.is_some_and(|at| at <= now);
        if book.operations.iter().any(|one| is_due(one.wake_at)) {
            self.inner.due.notify_one();
        }
        if book.is_stuck() {
            tracing::warn!(attempt = %book.attempt.id, "an attempt that was given up still holds money at the provider");
        }
    }

    /// Changes a book and saves it, loading it anew when somebody else was faster. What a provider has answered is kept this way.
    async fn change(
        &self,
        mut book: Book,
        decide: impl Fn(&mut Book) -> Result<(), Contradiction>,
    ) -> Result<Book, ChangeError> {
        for round in 0..MOST_CONCLUSIONS {
            let mut next = book.clone();
            decide(&mut next)?;
            if next == book {
                return Ok(book);
            }
            match self.save(&book, &mut next).await {
                Ok(()) => return Ok(next),
                Err(CommitError::Stale | CommitError::Duplicate { .. }) => {}
                Err(error) => return Err(ChangeError::Other(error.into())),
            }
            // Whoever was faster gets out of the way first.
            let wait_ms = u64::try_from(round).unwrap_or(0).min(10);
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            match self.store().book(book.attempt.id).await {
                Ok(Found::Book(fresh)) => book = *fresh,
                Ok(Found::Tombstone(_) | Found::Nothing) => {
                    return Err(ChangeError::Other(Error::AttemptNotFound));
                }
                Err(error) => return Err(ChangeError::Other(error.into())),
            }
        }
        Err(ChangeError::Other(Error::Contended))
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
enum ChangeError {
    /// What the provider says cannot be.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// Anything else.
    #[error(transparent)]
    Other(Error),
}
