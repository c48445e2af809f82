//! What this process says of its own condition.
//!
//! Readiness depends on what the process cannot work without, its databases; never on another component, or two that need each
//! other would wait for ever (C2).

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use paymesh_kernel::{Database, Writer};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// A dependency that has not answered by then counts as bad.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The condition of one component.
#[derive(Clone, Debug, Serialize)]
pub struct Condition {
    /// The database answers.
    pub database: bool,
    /// Change sets that wait for the writer.
    pub writer_queue: usize,
}

/// The condition of the process.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Traffic may come.
    pub ready: bool,
    /// Started, and not stopping.
    pub serving: bool,
    /// By component.
    pub components: BTreeMap<&'static str, Condition>,
    /// What the broker says of itself, when it is bad.
    pub notes: Vec<String>,
}

type Note = Box<dyn Fn() -> Option<String> + Send + Sync>;

#[derive(Default)]
struct Inner {
    serving: AtomicBool,
    draining: CancellationToken,
    watched: RwLock<BTreeMap<&'static str, (Database, Writer)>>,
    notes: RwLock<Vec<Note>>,
}

/// Knows what to ask. Clones share it.
#[derive(Clone, Default)]
pub struct Health {
    inner: Arc<Inner>,
}

// === impl Health ===

impl Health {
    /// Watches a component's database and writer.
    pub fn watch(&self, component: &'static str, database: Database, writer: Writer) {
        self.inner
            .watched
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(component, (database, writer));
    }

    /// Adds a note to the report whenever `note` has something to say, without making the process unready.
    pub fn note(&self, note: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.inner
            .notes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(note));
    }

    /// Says that the start is over, or that the end has begun.
    pub fn set_serving(&self, serving: Serving) {
        let was_serving = self
            .inner
            .serving
            .swap(serving == Serving::Yes, Ordering::SeqCst);
        if was_serving && serving == Serving::No {
            self.inner.draining.cancel();
        }
    }

    /// Cancelled when the end has begun: answers without an end of their own, such as streams of events, end now.
    #[must_use]
    pub fn draining(&self) -> CancellationToken {
        self.inner.draining.clone()
    }

    /// Asks everything.
    pub async fn report(&self) -> Report {
        let watched = self
            .inner
            .watched
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut components = BTreeMap::new();
        for (name, (database, writer)) in watched {
            let alive = tokio::time::timeout(CHECK_TIMEOUT, database.is_alive())
                .await
                .unwrap_or(false);
            components.insert(
                name,
                Condition {
                    database: alive,
                    writer_queue: writer.depth(),
                },
            );
        }
        let serving = self.inner.serving.load(Ordering::SeqCst);
        let notes = self
            .inner
            .notes
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Report {
            ready: serving && components.values().all(|condition| condition.database),
            serving,
            components,
            notes: notes.iter().filter_map(|note| note()).collect(),
        }
    }
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

/// Whether the process takes traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// After the start.
    Yes,
    /// Before it, and from SIGTERM on.
    No,
}
