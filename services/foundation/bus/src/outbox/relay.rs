//! The relay: takes committed facts from the outbox to the broker.
//!
//! It is woken by the writer after each commit that inserted facts, looks by itself now and then, and reads in rising positions.
//! A position is no cursor: a lower one may be committed later, so the relay goes back to the beginning at short intervals.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Database, Ids, Tasks, Timestamp, Writer, backoff::Backoff,
    error::chain,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, BrokerError, Confirm, Target},
    metrics::RelayMetrics,
    outbox::{
        TABLE,
        entity::{blocked, sent},
        lease::Leases,
        read::{self, Query, Unsent},
    },
};

/// Waits while broker or database are away.
const OUTAGE: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// Waits before a refused event is tried again.
const REFUSED: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// Shortest time between the beginnings of two rounds while facts keep coming: those of a moment share a reading, a window of
/// confirms and a removal. A fact after a pause does not wait.
const PACE: Duration = Duration::from_millis(10);
/// How often, at least, reading begins at the first row while there is work.
const FROM_THE_START: Duration = Duration::from_millis(100);
/// How often the outbox is measured.
const MEASURE: Duration = Duration::from_secs(10);

/// Limits of a relay.
#[derive(Clone, Copy, Debug)]
pub struct RelayConfig {
    /// Facts published at once, which is the window of outstanding confirms.
    pub window: u32,
    /// How long the relay sleeps at most when nobody wakes it.
    pub poll: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            window: 512,
            poll: Duration::from_secs(1),
        }
    }
}

/// A running relay. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Relay {
    wake: Arc<Notify>,
}

// === impl Relay ===

impl Relay {
    /// Has the outbox read at once. Needed only after commits that did not go through the component's
    /// [`Writer`](paymesh_kernel::Writer), which does this by itself.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

/// What a relay works with.
pub(crate) struct RelayParts {
    pub(crate) component: &'static str,
    pub(crate) holder: String,
    pub(crate) config: RelayConfig,
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
}

impl fmt::Debug for RelayParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayParts")
            .field("component", &self.component)
            .finish_non_exhaustive()
    }
}

/// Starts the relay of a component.
pub(crate) fn start(parts: RelayParts, tasks: &Tasks) -> Relay {
    let wake = parts.writer.watch(TABLE);
    let relay = Relay {
        wake: Arc::clone(&wake),
    };
    let task = Task {
        metrics: RelayMetrics::new(parts.component),
        leases: Leases::new(parts.holder.clone()),
        parts,
        wake,
        stop: tasks.stopping().clone(),
        after: 0,
        read_from_start_at: None,
        measured_at: None,
    };
    tasks.spawn("relay", task.run());
    relay
}

struct Task {
    parts: RelayParts,
    metrics: RelayMetrics,
    leases: Leases,
    wake: Arc<Notify>,
    stop: CancellationToken,
    /// Rows up to here were seen since the last reading from the start.
    after: i64,
    read_from_start_at: Option<Instant>,
    measured_at: Option<Instant>,
}

/// What one round came to.
enum Round {
    /// There may be more at once.
    More,
    /// Everything that could be seen is published.
    Idle,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the outbox cannot be read or written")]
    Database(#[from] paymesh_kernel::database::DatabaseError),
    #[error("the broker does not take events")]
    Broker(#[from] BrokerError),
    #[error("sent rows could not be removed from the outbox")]
    Commit(#[from] CommitError),
}

// === impl Task ===

impl Task {
    async fn run(mut self) {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let wait = match self.round().await {
                Ok(Round::More) => {
                    failures = 0;
                    continue;
                }
                Ok(Round::Idle) => {
                    failures = 0;
                    self.idle_wait()
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(
                            component = self.parts.component,
                            error = chain(&error),
                            "the relay waits"
                        );
                    }
                    self.metrics.outages.inc();
                    OUTAGE.wait(failures, self.parts.ids.entropy())
                }
            };
            let is_outage = failures > 0;
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified(), if !is_outage => {}
            }
            tokio::time::sleep_until(began + PACE).await;
        }
        if let Err(error) = self.leases.release(&self.parts.database).await {
            tracing::warn!(
                component = self.parts.component,
                error = chain(&error),
                "leases are left to expire"
            );
        }
    }

    /// Reads once, publishes what was read and removes what was confirmed.
    async fn round(&mut self) -> Result<Round, RelayError> {
        let now = self.parts.clock.now();
        if self.leases.is_due(now) {
            self.leases.renew(&self.parts.database, now).await?;
        }
        self.measure(now).await?;
        if self.leases.held(now).is_empty() {
            return Ok(Round::Idle);
        }
        let from_start = self
            .read_from_start_at
            .is_none_or(|at| at.elapsed() >= FROM_THE_START);
        if from_start {
            self.after = 0;
            self.read_from_start_at = Some(Instant::now());
        }
        let shards = self.leases.condition();
        let query = Query {
            stream: self.parts.component,
            shards: shards.as_deref(),
            after: self.after,
            limit: self.parts.config.window,
            now,
        };
        let (unsent, is_full) = read::unsent(&self.parts.database, query).await?;
        if unsent.is_empty() {
            if from_start {
                // Nothing at all: the next look may wait for the full interval.
                self.read_from_start_at = None;
            }
            return Ok(Round::Idle);
        }
        self.publish(&unsent).await?;
        self.after = unsent.last().map_or(0, |row| row.position);
        let retried = unsent.iter().any(|row| row.refusal.is_some());
        if retried {
            // The events behind one that got through now have lower positions.
            self.read_from_start_at = None;
        }
        Ok(if is_full || retried {
            Round::More
        } else {
            Round::Idle
        })
    }

    async fn publish(&mut self, unsent: &[Unsent]) -> Result<(), RelayError> {
        let events: Vec<_> = unsent.iter().map(|row| Arc::clone(&row.event)).collect();
        let target = Target::Stream(self.parts.component);
        let confirms = self.parts.broker.publish(target, &events).await?;
        let now = self.parts.clock.now();
        let mut changes = ChangeSet::new();
        let mut held_up = HashSet::new();
        for (row, confirm) in unsent.iter().zip(&confirms) {
            let reason = match confirm {
                Confirm::Stored => {
                    self.sent(row, &mut changes);
                    continue;
                }
                Confirm::Unroutable => "no queue takes it".to_owned(),
                Confirm::Refused { reason } => reason.clone(),
            };
            // Those behind the first refused event of an aggregate wait with it.
            if held_up.insert(row.event.aggregate()) {
                self.refused(row, reason, now, &mut changes);
            }
        }
        self.commit(changes).await
    }

    fn sent(&self, row: &Unsent, changes: &mut ChangeSet) {
        self.metrics.published.inc();
        changes.delete(&sent::Model {
            position: row.position,
        });
        if row.refusal.is_some() {
            changes.delete(&self.block(row, String::new(), Timestamp::EPOCH));
        }
    }

    fn refused(&self, row: &Unsent, reason: String, now: Timestamp, changes: &mut ChangeSet) {
        self.metrics.refused.inc();
        tracing::warn!(
            component = self.parts.component,
            event = %row.event.id,
            kind = %row.event.kind,
            reason,
            "the broker refused an event; its aggregate waits"
        );
        changes.upsert(&self.block(row, reason, now));
    }

    fn block(&self, row: &Unsent, reason: String, now: Timestamp) -> blocked::Model {
        let before = row.refusal.map_or(0, |refusal| refusal.failures);
        let failures = before.saturating_add(1);
        let waits = u32::try_from(failures).unwrap_or(u32::MAX);
        blocked::Model {
            aggregate_id: row.event.aggregate_id,
            aggregate_type: row.event.aggregate_type.to_string(),
            event_id: row.event.id,
            failures,
            reason,
            blocked_at: row.refusal.map_or(now, |refusal| refusal.since),
            retry_at: now.plus(REFUSED.wait(waits, self.parts.ids.entropy())),
        }
    }

    /// Removes sent rows in a commit that others share. What is not removed is published again.
    async fn commit(&self, changes: ChangeSet) -> Result<(), RelayError> {
        let mut failures = 0;
        loop {
            match self.parts.writer.commit(changes.clone()).await {
                Err(CommitError::Overloaded) if !self.stop.is_cancelled() => {
                    failures += 1;
                    tokio::time::sleep(OUTAGE.wait(failures, self.parts.ids.entropy())).await;
                }
                result => return Ok(result?),
            }
        }
    }

    /// How long to sleep when nothing is left: less while rows with lower positions may still turn up.
    fn idle_wait(&self) -> Duration {
        match self.read_from_start_at {
            Some(at) => FROM_THE_START.saturating_sub(at.elapsed()),
            None => self.parts.config.poll,
        }
    }

    async fn measure(&mut self, now: Timestamp) -> Result<(), RelayError> {
        if self.measured_at.is_some_and(|at| at.elapsed() < MEASURE) {
            return Ok(());
        }
        self.measured_at = Some(Instant::now());
        let depth = read::depth(&self.parts.database).await?;
        self.metrics.set(&depth, now);
        Ok(())
    }
}
