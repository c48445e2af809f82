//! The runner of a subscription: takes deliveries in batches, has them applied, settles them after the commit.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use paymesh_kernel::{
    Clock, Database, Ids, Tasks, Timestamp, Writer, backoff::Backoff, database::DatabaseError,
    error::chain,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Broker, BrokerError, Deliveries, Delivery, Settled, Verdict},
    bus::AdoptTrace,
    consumer::{
        Subscription,
        apply::{Applier, Work},
    },
    inbox::store::{Inbox, PAGE},
    metrics::ConsumerMetrics,
    topology::Queue,
};

/// Waits while the broker is away.
const OUTAGE: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// Longest wait for an event that is due: the clock may be moved.
const DUE_WAIT: Duration = Duration::from_secs(1);
/// Shortest wait between two looks at waiting rows.
const LOOK_WAIT: Duration = Duration::from_millis(5);

/// What a runner works with.
pub(crate) struct RunnerParts {
    pub(crate) subscription: Subscription,
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) adopt: AdoptTrace,
    /// Poked when an operator has marked waiting rows.
    pub(crate) wake: Arc<Notify>,
}

impl fmt::Debug for RunnerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunnerParts")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

/// Starts the runner of a subscription.
pub(crate) fn start(parts: RunnerParts, tasks: &Tasks) {
    let queue = parts.subscription.queue.to_string();
    let applier = Applier {
        inbox: Inbox::new(parts.database, queue.clone()),
        metrics: ConsumerMetrics::new(&queue),
        queue,
        consumer: parts.subscription.queue.consumer.to_string(),
        handler: parts.subscription.handler,
        config: parts.subscription.config,
        writer: parts.writer,
        clock: parts.clock,
        ids: parts.ids,
        adopt: parts.adopt,
        stop: tasks.stopping().clone(),
        may_wait: AtomicBool::new(true),
        next_due: AtomicI64::new(i64::MAX),
    };
    let runner = Runner {
        stop: applier.stop.clone(),
        applier,
        queue: parts.subscription.queue,
        broker: parts.broker,
        wake: parts.wake,
        sweep_at: Instant::now(),
        batch_from: Instant::now(),
    };
    tasks.spawn("consumer", runner.run());
}

struct Runner {
    applier: Applier,
    queue: Queue,
    broker: Arc<dyn Broker>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    /// When to look for what others may have left behind.
    sweep_at: Instant,
    /// The next batch does not end before.
    batch_from: Instant,
}

// === impl Runner ===

impl Runner {
    async fn run(mut self) {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let prefetch = self.applier.config.prefetch.max(1);
            let result = match self.broker.consume(&self.queue, prefetch).await {
                Ok(mut deliveries) => {
                    failures = 0;
                    self.drain(deliveries.as_mut()).await
                }
                Err(error) => Err(error),
            };
            let Err(error) = result else { return };
            failures += 1;
            if failures == 1 {
                tracing::warn!(queue = %self.queue, error = chain(&error), "the queue cannot be read");
            }
            // What waits in rows does not need the broker.
            self.look().await;
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(OUTAGE.wait(failures, self.applier.ids.entropy())) => {}
            }
        }
    }

    /// Works until the process stops or the broker fails.
    async fn drain(&mut self, deliveries: &mut dyn Deliveries) -> Result<(), BrokerError> {
        let limit = usize::from(self.applier.config.prefetch.max(1));
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                () = self.wake.notified() => {
                    self.sweep_at = Instant::now();
                    self.look().await;
                }
                () = tokio::time::sleep_until(self.look_at()) => self.look().await,
                batch = deliveries.next(limit) => {
                    let batch = self.gather(batch?, deliveries, limit).await?;
                    let settled = self.process(batch).await;
                    deliveries.settle(settled).await?;
                }
            }
        }
    }

    /// Adds to a batch what else comes until it is full or its time has come.
    async fn gather(
        &mut self,
        mut batch: Vec<Delivery>,
        deliveries: &mut dyn Deliveries,
        limit: usize,
    ) -> Result<Vec<Delivery>, BrokerError> {
        while batch.len() < limit {
            let more = deliveries.next(limit - batch.len());
            match tokio::time::timeout_at(self.batch_from, more).await {
                Ok(more) => batch.extend(more?),
                Err(_) => break,
            }
        }
        self.batch_from = Instant::now() + self.applier.config.pace;
        Ok(batch)
    }

    async fn process(&self, batch: Vec<Delivery>) -> Vec<Settled> {
        let mut settled = Vec::with_capacity(batch.len());
        let mut works = Vec::with_capacity(batch.len());
        for Delivery { tag, event } in batch {
            match event {
                Ok(event) => works.push(Work {
                    event,
                    tag: Some(tag),
                    row: None,
                }),
                Err(error) => {
                    let reason = chain(&error);
                    tracing::warn!(queue = %self.queue, reason, "a message is no event");
                    let verdict = Verdict::Dead { reason };
                    settled.push(Settled { tag, verdict });
                }
            }
        }
        let done = self.applier.process(works).await;
        settled.extend(done.into_iter().map(|tag| Settled {
            tag,
            verdict: Verdict::Done,
        }));
        settled
    }

    /// When to look at waiting rows next.
    fn look_at(&self) -> Instant {
        let Some(due) = self.applier.next_due() else {
            return self.sweep_at;
        };
        let wait = due.since(self.applier.clock.now());
        let due_at = Instant::now() + wait.clamp(LOOK_WAIT, DUE_WAIT);
        due_at.min(self.sweep_at)
    }

    /// Takes up waiting events whose time has come.
    async fn look(&mut self) {
        let now = self.applier.clock.now();
        let is_sweep = Instant::now() >= self.sweep_at;
        if !is_sweep && self.applier.next_due().is_none_or(|due| due > now) {
            return;
        }
        if let Err(error) = self.try_look(now, is_sweep).await {
            tracing::warn!(queue = %self.queue, error = chain(&error), "waiting events cannot be read");
            self.sweep_at = Instant::now() + DUE_WAIT;
        }
    }

    async fn try_look(&mut self, now: Timestamp, is_sweep: bool) -> Result<(), DatabaseError> {
        let mut rows = self.applier.inbox.due(now).await?;
        let mut is_full = rows.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        if is_sweep {
            let closable = self.applier.inbox.closable().await?;
            is_full |= closable.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
            rows.extend(closable);
        }
        // Rows of one aggregate may come from both queries.
        rows.sort_by_key(|row| row.sequence);
        let applier = &self.applier;
        let works = rows.into_iter().filter_map(|row| applier.work(row));
        applier.process(works.collect()).await;
        let next = applier.inbox.next_due().await?;
        // One that is due still cannot be taken up: not at once again.
        let earliest = if is_full { now } else { now.plus(DUE_WAIT) };
        let next = next.map_or(i64::MAX, |next| {
            let is_stuck = next <= now;
            (if is_stuck { earliest } else { next }).as_micros()
        });
        applier.next_due.store(next, Ordering::Relaxed);
        if is_sweep {
            let depth = applier.inbox.depth().await?;
            applier.metrics.set(&depth, now);
            let waiting = depth.gaps + depth.retries + depth.dead;
            applier.may_wait.store(waiting > 0, Ordering::Relaxed);
            self.sweep_at = if is_full {
                Instant::now()
            } else {
                Instant::now() + applier.config.sweep
            };
        }
        Ok(())
    }
}
