//! The embedded broker: events in a SQLite file, for everything in one process.
//!
//! - B7: a confirmed event is on disk in every queue that it belongs to; killing the process loses none.
//!
//! Each stream is a log, written once however many queues read it; a queue is a cursor into its log. Publishing waits for the
//! commit, which all publishers share. Settling does not: cursors are written with the next commit, or shortly after, so a crash
//! delivers the last events again. What every queue has passed is deleted. Events on their way to a consumer that keeps up are
//! handed over in memory; one that lags reads its log page by page.

mod commit;
mod deliveries;
mod queue;
mod registry;
mod store;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use futures::future::BoxFuture;
use paymesh_kernel::{
    Clock, Database, DatabaseConfig, Tasks,
    database::DatabaseError,
    group_commit::{GroupCommit, GroupCommitConfig, SubmitError},
};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{
        Broker, BrokerError, Confirm, DeadLetter, Deliveries, Depth, Selection, Tail, Target,
    },
    event::{Event, MAX_PAYLOAD_BYTES},
    topology::{Queue, Topology},
};

use commit::{Committer, Write};
use deliveries::QueueDeliveries;
use queue::QueueState;
use registry::{Log, LogTail, Registry};
use store::Store;

/// Events that a slow watcher may lag behind.
const TAIL_EVENTS: usize = 1_024;
/// How long a settled delivery may stay unwritten when nothing is published.
const FLUSH_AFTER: Duration = Duration::from_millis(100);

/// A broker in the process. Clones are the same one.
#[derive(Clone)]
pub struct EmbeddedBroker {
    shared: Arc<Shared>,
}

/// What broker, committer and deliveries have in common.
struct Shared {
    store: Store,
    commits: GroupCommit<Write, Result<(), BrokerError>>,
    registry: Arc<Registry>,
    stop: CancellationToken,
}

// === impl EmbeddedBroker ===

impl EmbeddedBroker {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be opened or is not such a file.
    pub async fn open(
        file: &Path,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Result<Self, BrokerError> {
        let config = DatabaseConfig {
            url: Database::sqlite_url(file),
            read_connections: 2,
            write_connections: 1,
        };
        let database = Database::open(&config)
            .await
            .map_err(BrokerError::unavailable)?;
        let store = Store::init(database, clock).await?;
        let registry = Arc::new(Registry::default());
        let committer = Committer::new(store.clone(), Arc::clone(&registry));
        let commits = GroupCommit::start("broker", GroupCommitConfig::default(), tasks, committer);
        let shared = Shared {
            store,
            commits,
            registry,
            stop: tasks.stopping().clone(),
        };
        let broker = Self {
            shared: Arc::new(shared),
        };
        tasks.spawn("broker-flush", broker.clone().flush());
        Ok(broker)
    }

    /// Writes cursors that no publish has taken along.
    async fn flush(self) {
        loop {
            tokio::select! {
                () = self.shared.stop.cancelled() => return,
                () = self.shared.registry.moved.notified() => {}
            }
            tokio::time::sleep(FLUSH_AFTER).await;
            if self.shared.registry.moved_cursors().is_empty() {
                continue;
            }
            // An error is logged by the committer; the cursors are written with the next commit.
            self.shared.write(Write::Flush).await.ok();
        }
    }

    async fn declare_log(&self, name: &str) -> Result<Arc<Log>, BrokerError> {
        if let Some(log) = self.shared.registry.log(name) {
            return Ok(log);
        }
        let log = Arc::new(Log {
            id: self.shared.store.declare_log(name).await?,
            queues: RwLock::default(),
            pruned: Mutex::new(0),
            tail: broadcast::Sender::new(TAIL_EVENTS),
        });
        write(&self.shared.registry.logs).insert(name.to_owned(), Arc::clone(&log));
        Ok(log)
    }

    async fn declare_queue(&self, queue: &Queue) -> Result<(), BrokerError> {
        let name = queue.to_string();
        if self.shared.registry.queue(&name).is_some() {
            return Ok(());
        }
        let log = match queue.generation {
            0 => self.declare_log(&queue.stream).await?,
            _ => self.declare_log(&name).await?,
        };
        let stored = self.shared.store.declare_queue(&name, log.id).await?;
        let state = Arc::new(QueueState::new(name.clone(), log.id, &stored));
        for event in self.shared.store.replaying(stored.id).await? {
            state.push_letter(event);
        }
        write(&log.queues).push(Arc::clone(&state));
        write(&self.shared.registry.queues).insert(name, state);
        Ok(())
    }

    async fn publish_to(
        &self,
        target: Target<'_>,
        events: &[Arc<Event>],
    ) -> Result<Vec<Confirm>, BrokerError> {
        let name = match target {
            Target::Stream(stream) => stream.to_owned(),
            Target::Queue(queue) => queue.to_string(),
        };
        let Some(log) = self.shared.registry.log(&name) else {
            return Ok(vec![Confirm::Unroutable; events.len()]);
        };
        let mut taken = Vec::with_capacity(events.len());
        let confirms = events.iter().map(|event| {
            if event.payload.len() > MAX_PAYLOAD_BYTES {
                let reason = format!("a payload has at most {MAX_PAYLOAD_BYTES} bytes");
                return Confirm::Refused { reason };
            }
            taken.push(Arc::clone(event));
            Confirm::Stored
        });
        let confirms = confirms.collect();
        if read(&log.queues).is_empty() {
            log.send_to_tails(&taken);
        } else if !taken.is_empty() {
            let events = taken;
            self.shared.write(Write::Publish { log, events }).await?;
        }
        Ok(confirms)
    }

    fn queue(&self, queue: &Queue) -> Result<Arc<QueueState>, BrokerError> {
        let found = self.shared.registry.queue(&queue.to_string());
        found.ok_or_else(|| BrokerError::unknown(queue))
    }
}

impl Broker for EmbeddedBroker {
    fn declare<'a>(&'a self, topology: &'a Topology) -> BoxFuture<'a, Result<(), BrokerError>> {
        Box::pin(async move {
            for stream in topology.streams() {
                self.declare_log(stream).await?;
            }
            for queue in topology.queues() {
                self.declare_queue(queue).await?;
            }
            Ok(())
        })
    }

    fn publish<'a>(
        &'a self,
        target: Target<'a>,
        events: &'a [Arc<Event>],
    ) -> BoxFuture<'a, Result<Vec<Confirm>, BrokerError>> {
        Box::pin(self.publish_to(target, events))
    }

    fn consume<'a>(
        &'a self,
        queue: &'a Queue,
        prefetch: u16,
    ) -> BoxFuture<'a, Result<Box<dyn Deliveries>, BrokerError>> {
        Box::pin(async move {
            let state = self.queue(queue)?;
            let shared = Arc::clone(&self.shared);
            let deliveries = QueueDeliveries::new(shared, state, usize::from(prefetch));
            Ok::<Box<dyn Deliveries>, _>(Box::new(deliveries))
        })
    }

    fn tail<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<Tail, BrokerError>> {
        Box::pin(async move {
            let log = self.shared.registry.log(stream);
            let log = log.ok_or_else(|| BrokerError::unknown(stream))?;
            Ok(Tail::new(LogTail(log.tail.subscribe())))
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue) -> BoxFuture<'a, Result<Depth, BrokerError>> {
        Box::pin(async move {
            let state = self.queue(queue)?;
            Ok(Depth {
                waiting: state.waiting(),
                dead: self.shared.store.count_dead(state.id).await?,
            })
        })
    }

    fn dead_letters<'a>(
        &'a self,
        queue: &'a Queue,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, BrokerError>> {
        Box::pin(async move {
            let state = self.queue(queue)?;
            self.shared.store.dead_letters(state.id, limit).await
        })
    }

    fn replay<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>> {
        Box::pin(async move {
            let state = self.queue(queue)?;
            let events = self.shared.store.replay(state.id, selection).await?;
            let count = events.len();
            events
                .into_iter()
                .for_each(|event| state.push_letter(event));
            Ok(count)
        })
    }

    fn purge<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>> {
        Box::pin(async move {
            let state = self.queue(queue)?;
            self.shared.store.purge(state.id, selection).await
        })
    }

    fn is_connected(&self) -> bool {
        !self.shared.stop.is_cancelled()
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker").finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// Commits, together with what others write.
    async fn write(&self, write: Write) -> Result<(), BrokerError> {
        match self.commits.submit(write).await {
            Ok(result) => result,
            Err(
                error @ (SubmitError::Overloaded
                | SubmitError::DeadlineExceeded
                | SubmitError::Stopped
                | SubmitError::Lost),
            ) => Err(BrokerError::unavailable(error)),
        }
    }
}

impl From<DatabaseError> for BrokerError {
    fn from(error: DatabaseError) -> Self {
        Self::unavailable(error)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
