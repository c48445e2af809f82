//! Use cases: load, decide, commit; what a saga asks of others is asked between commits and never inside one.
//!
//! A request drives its own saga in a task of its own, so that a caller who hangs up does not stop it, and waits for the outcome a
//! bounded time. A saga that nobody drives any more, because its process died or because it waits, is found by its timer and taken
//! up by the runner with the same step functions.

mod access;
pub(crate) mod checkpoint;
pub(crate) mod command;
pub(crate) mod create;
mod drive;
mod in_hand;
pub(crate) mod late;
pub(crate) mod lookup;
pub(crate) mod read;
mod runner;
mod signals;
mod steps;

use std::{fmt, sync::Arc, time::Duration};

use paymesh_chassis::{Host, InitError, idempotency::IdempotencyKey};
use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Database, Ids, Tasks, Timestamp, Writer, call,
    id::reexport::Uuid,
};
use tokio::sync::{Notify, Semaphore};

use self::{
    checkpoint::{Checkpoint, Point},
    in_hand::InHand,
    signals::Signals,
};
use crate::{
    clients::{
        Clients, Origin,
        cache::{Cache, Limits},
    },
    config::Config,
    domain::{
        PaymentMethodId,
        operation::{Lease, Operation},
        policy::{Moment, Policy},
        transaction::Transaction,
        work::{Pending, Work},
    },
    error::Error,
    events,
    store::{self, IsNew},
};

/// Times that a decision is made anew because somebody else was faster.
const DECISIONS: usize = 5;

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier call with the same key did it.
    AlreadyApplied(T),
}

/// A transaction with all of its operations, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whole {
    pub(crate) transaction: Transaction,
    pub(crate) operations: Vec<Operation>,
}

/// The use cases. Clones share everything.
#[derive(Clone)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
    tasks: Tasks,
    clients: Clients,
    config: Config,
    policy: Policy,
    /// Names this instance in leases.
    /// The replica's name, a colon, and what tells this life of it from earlier ones.
    instance: String,
    signals: Signals,
    /// Something may be due.
    due: Arc<Notify>,
    /// Sagas that requests drive now.
    drives: Arc<Semaphore>,
    /// Payment methods that are known to have been used.
    used_methods: Cache<PaymentMethodId, ()>,
    in_hand: InHand,
    checkpoint: Option<Arc<dyn Checkpoint>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("instance", &self.inner.instance)
            .finish_non_exhaustive()
    }
}

// === impl Outcome ===

impl<T> Outcome<T> {
    /// The same with another value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Applied(value) => Outcome::Applied(change(value)),
            Self::AlreadyApplied(value) => Outcome::AlreadyApplied(change(value)),
        }
    }
}

// === impl App ===

impl App {
    /// Builds the use cases; nobody is called yet.
    ///
    /// # Errors
    /// When nobody knows where another component is.
    pub(crate) fn try_new(
        config: Config,
        host: &Host,
        checkpoint: Option<Arc<dyn Checkpoint>>,
    ) -> Result<Self, InitError> {
        let ids = host.platform.ids.clone();
        let instance: Uuid = ids.next();
        let kept = Limits {
            entries: config.cache_entries,
            age: Duration::MAX,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                database: host.database.clone(),
                writer: host.writer.clone(),
                clock: Arc::clone(&host.platform.clock),
                ids,
                tasks: host.platform.tasks.clone(),
                clients: Clients::try_new(&config, host)?,
                policy: config.policy(),
                instance: format!("{}:{}", host.platform.instance, instance.simple()),
                signals: Signals::default(),
                due: Arc::default(),
                drives: Arc::new(Semaphore::new(config.concurrent_transactions)),
                used_methods: Cache::new(kept, Arc::clone(&host.platform.clock)),
                in_hand: InHand::new(kept, Arc::clone(&host.platform.clock)),
                config,
                checkpoint,
            }),
        })
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.now(),
            entropy: self.inner.ids.entropy(),
        }
    }

    /// Wakes the runner.
    pub(crate) fn wake_runner(&self) {
        self.inner.due.notify_one();
    }

    /// This instance drives the operation until its lease ends.
    fn lease(&self, work: &mut Work) {
        let until = self.now().plus(self.inner.config.lease());
        work.operation.lease = Some(Lease {
            owner: self.inner.instance.clone(),
            until,
        });
        work.operation.next_wake_at = Some(until);
    }

    /// Puts what a step brought about into a change set: rows and facts. The versions rise with it.
    pub(crate) fn stage(&self, changes: &mut ChangeSet, work: &mut Work, request_id: &str) {
        let is_new = if work.operation.version == 0 {
            IsNew::Yes
        } else {
            IsNew::No
        };
        work.operation.version = work.operation.version.saturating_add(1);
        work.transaction.sums.assert_sound();
        store::write(changes, work, is_new);
        events::publish(changes, &work.facts, &self.inner.ids, request_id);
    }

    /// Commits what a step brought about. Afterwards nothing of it is pending; after an error everything still is.
    async fn commit(
        &self,
        work: &mut Work,
        origin: &Origin,
        key: Option<&IdempotencyKey>,
    ) -> Result<(), CommitError> {
        let version = work.operation.version;
        let mut changes = ChangeSet::new();
        self.stage(&mut changes, work, &origin.request_id);
        if let Some(key) = key {
            key.record(&mut changes, work.operation.id.as_uuid(), self.now());
        }
        match self.inner.writer.commit(changes).await {
            Ok(()) => {
                work.pending = Pending::Stored;
                work.facts.clear();
                Ok(())
            }
            Err(error) => {
                work.operation.version = version;
                Err(error)
            }
        }
    }

    /// False when a test wants this process to die here.
    fn passes(&self, point: Point) -> bool {
        self.inner
            .checkpoint
            .as_ref()
            .is_none_or(|checkpoint| checkpoint.passes(point))
    }

    /// The time that a request has left to wait, of what it asks for.
    fn patience(&self, wait_ms: Option<i32>) -> Duration {
        let asked = self.inner.config.wait(wait_ms);
        let left = call::deadline().map(|deadline| {
            deadline
                .saturating_duration_since(tokio::time::Instant::now())
                .saturating_sub(ANSWER_TIME)
        });
        left.map_or(asked, |left| left.min(asked))
    }

    /// The transaction with its operations, as it is stored now.
    async fn whole(&self, transaction: Transaction) -> Result<Whole, Error> {
        let operations = store::operations(&self.inner.database, transaction.id).await?;
        Ok(Whole {
            transaction,
            operations,
        })
    }
}

/// Kept back of a request's time, so that it is answered before its caller gives up.
const ANSWER_TIME: Duration = Duration::from_millis(100);

/// The id of the request that is being served.
fn request_id() -> Arc<str> {
    call::current().map_or_else(|| Arc::from(""), |scope| scope.request_id)
}
