//! The feed: facts of the last hours, told to open streams as they come, and again to those who resume (G6).
//!
//! Any replica writes the table, and each serves its own streams from it: woken by its own commits, by a short poll for those of
//! others. Because a lower position may be committed after a higher one, the reader goes back to the last position below which
//! nothing is missing (`low`), and an event's id for resuming is never beyond it. So nothing is missed; something may come twice.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use paymesh_chassis::Host;
use paymesh_kernel::{Clock, Database, database::DatabaseError, error::chain};
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Events,
    domain::audience::Viewer,
    error::Error,
    store::{self, feed::Entry},
};

/// A gap in the positions that is not filled by then never will be: the writer gave up.
const GAP_LIMIT: Duration = Duration::from_secs(10);
/// Shortest time between the beginnings of two looks while events keep coming. One after a pause does not wait.
const PACE: Duration = Duration::from_millis(25);
/// How often old rows are taken away.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);

/// An event for open streams.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) entry: Entry,
    /// Where to resume after it.
    pub(crate) resume: i64,
}

/// The feed. Clones share it.
#[derive(Clone)]
pub(crate) struct Feed {
    inner: Arc<Inner>,
}

struct Inner {
    config: Events,
    database: Database,
    told: broadcast::Sender<Arc<Told>>,
    low: AtomicI64,
    open: Mutex<HashMap<String, usize>>,
    stopping: CancellationToken,
    draining: CancellationToken,
}

/// A place among the open streams, given back when it is dropped.
pub(crate) struct Seat {
    inner: Arc<Inner>,
    client: String,
}

// === impl Feed ===

impl Feed {
    /// Starts reading and pruning.
    pub(crate) fn start(config: &Events, host: &Host) -> Self {
        let tasks = &host.platform.tasks;
        let (told, _) = broadcast::channel(config.buffer);
        let feed = Self {
            inner: Arc::new(Inner {
                config: config.clone(),
                database: host.database.clone(),
                told,
                low: AtomicI64::new(0),
                open: Mutex::default(),
                stopping: tasks.stopping().clone(),
                draining: host.platform.health.draining(),
            }),
        };
        let reader = Reader {
            feed: feed.clone(),
            wake: host.writer.watch(store::feed::TABLE),
            clock: Arc::clone(&host.platform.clock),
            seen: BTreeMap::new(),
            low: None,
        };
        tasks.spawn("feed reader", reader.run());
        tasks.spawn(
            "feed pruner",
            prune(feed.clone(), Arc::clone(&host.platform.clock)),
        );
        feed
    }

    /// A place for one more stream of `client`.
    ///
    /// # Errors
    /// When too many are open.
    pub(crate) fn sit(&self, client: String) -> Result<Seat, Error> {
        let mut open = self
            .inner
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&client).copied().unwrap_or(0);
        if all >= self.inner.config.streams || own >= self.inner.config.streams_per_client {
            return Err(Error::TooManyStreams);
        }
        open.insert(client.clone(), own + 1);
        Ok(Seat {
            inner: Arc::clone(&self.inner),
            client,
        })
    }

    /// What is told from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.inner.told.subscribe()
    }

    /// The last position below which nothing is missing.
    pub(crate) fn low(&self) -> i64 {
        self.inner.low.load(Ordering::SeqCst)
    }

    /// One page of what the viewer is shown beyond `after`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn page(&self, viewer: &Viewer, after: i64) -> Result<Vec<Entry>, Error> {
        let page = store::feed::after_for(&self.inner.database, viewer, after).await;
        page.map_err(Error::Database)
    }

    /// True when events directly after `position` are not kept any more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) async fn has_lost(&self, position: i64) -> Result<bool, Error> {
        let bounds = store::feed::bounds(&self.inner.database)
            .await
            .map_err(Error::Database)?;
        Ok(bounds.is_some_and(|(low, _)| low > position.saturating_add(1)))
    }

    /// Silence after which a comment is sent.
    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.inner.config.heartbeat_ms)
    }

    /// Cancelled when no new requests come any more, before the process stops.
    pub(crate) fn draining(&self) -> CancellationToken {
        self.inner.draining.clone()
    }

    /// Cancelled when the process stops.
    fn stopping(&self) -> CancellationToken {
        self.inner.stopping.clone()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("low", &self.low())
            .finish_non_exhaustive()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self
            .inner
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.client);
            }
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

/// Reads the table and tells the streams.
struct Reader {
    feed: Feed,
    wake: Arc<Notify>,
    clock: Arc<dyn Clock>,
    /// Positions above `low` that were told, or were found missing, and when.
    seen: BTreeMap<i64, Instant>,
    /// None until the first look.
    low: Option<i64>,
}

// === impl Reader ===

impl Reader {
    async fn run(mut self) {
        let poll = Duration::from_millis(self.feed.inner.config.poll_ms);
        let stopping = self.feed.stopping();
        let mut has_failed = false;
        while !stopping.is_cancelled() {
            let began = Instant::now();
            match self.look().await {
                Ok(()) => has_failed = false,
                Err(error) if !has_failed => {
                    has_failed = true;
                    tracing::warn!(
                        error = chain(&error),
                        "the feed cannot be read; streams wait"
                    );
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = self.wake.notified(), if !has_failed => {}
                () = tokio::time::sleep(poll) => {}
            }
            tokio::time::sleep_until(began + PACE).await;
        }
    }

    async fn look(&mut self) -> Result<(), DatabaseError> {
        let database = self.feed.inner.database.clone();
        let Some(low) = self.low else {
            return self.begin(&database).await;
        };
        let mut after = low;
        loop {
            let page = store::feed::after(&database, after).await?;
            let is_last = u64::try_from(page.len()).unwrap_or(0) < store::feed::PAGE;
            for entry in page {
                after = entry.position;
                if self.seen.contains_key(&entry.position) {
                    continue;
                }
                self.seen.insert(entry.position, Instant::now());
                self.advance();
                let resume = self.low.unwrap_or(0);
                // Nobody listening is no failure.
                self.feed
                    .inner
                    .told
                    .send(Arc::new(Told { entry, resume }))
                    .ok();
            }
            if is_last {
                break;
            }
        }
        self.give_up_gaps();
        Ok(())
    }

    /// Begins where nothing can be missing any more. What is there beyond that is not told; only what is missing there now, and
    /// may be committed by another replica.
    async fn begin(&mut self, database: &Database) -> Result<(), DatabaseError> {
        let settled_at = self.clock.now().minus(GAP_LIMIT);
        let low = store::feed::settled(database, settled_at).await?;
        let mut after = low;
        loop {
            let page = store::feed::after(database, after).await?;
            let is_last = u64::try_from(page.len()).unwrap_or(0) < store::feed::PAGE;
            for entry in page {
                after = entry.position;
                self.seen.insert(entry.position, Instant::now());
            }
            if is_last {
                break;
            }
        }
        self.move_low(low);
        self.advance();
        Ok(())
    }

    /// Moves `low` over positions that follow it without a gap.
    fn advance(&mut self) {
        let mut low = self.low.unwrap_or(0);
        while self.seen.remove(&(low + 1)).is_some() {
            low += 1;
        }
        self.move_low(low);
    }

    /// Gaps that are too old are stepped over.
    fn give_up_gaps(&mut self) {
        while let Some((&next, &seen_at)) = self.seen.first_key_value() {
            if seen_at.elapsed() < GAP_LIMIT {
                break;
            }
            self.move_low(next - 1);
            self.advance();
        }
    }

    fn move_low(&mut self, low: i64) {
        self.low = Some(low);
        self.feed.inner.low.store(low, Ordering::SeqCst);
    }
}

async fn prune(feed: Feed, clock: Arc<dyn Clock>) {
    let Inner {
        config,
        database,
        stopping,
        ..
    } = feed.inner.as_ref();
    let keep = Duration::from_millis(config.retention_ms);
    while !stopping.is_cancelled() {
        let now = clock.now();
        let pruned = store::feed::prune(database, now, keep, config.retention_rows).await;
        let purged = store::reservation::purge(database, now).await;
        for error in pruned.err().into_iter().chain(purged.err()) {
            tracing::warn!(error = chain(&error), "old rows could not be taken away");
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep(PRUNE_INTERVAL) => {}
        }
    }
}
