//! Applying events: one aggregate in order, lanes beside each other, effect and cursor in one change set.

mod keep;
mod progress;

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, stream};
use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Ids, Principal, Timestamp, Writer, backoff::Backoff, call,
    error::chain,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    bus::AdoptTrace,
    consumer::{DynHandler, HandleError, SubscriptionConfig},
    event::{Aggregate, Event},
    inbox::{
        Step, decide,
        entity::waiting::{self, State},
        store::Inbox,
    },
    metrics::ConsumerMetrics,
};

use progress::Progress;

/// Waits while the database is away or overloaded.
const OUTAGE: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(5));
/// Waits between decisions on a row that others change.
const CONFLICT: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(20));
/// Decisions in a row that others may spoil before it counts as a failure.
const CONFLICTS: u32 = 32;

/// An event to be applied.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) event: Arc<Event>,
    /// Set when it was delivered just now.
    pub(super) tag: Option<u64>,
    /// Set when it waited in a row.
    pub(super) row: Option<waiting::Model>,
}

/// What became of one event.
enum Outcome {
    /// Its effect is committed.
    Applied,
    /// It was known, or it waits in a row.
    Kept,
    /// The process stops; it stays with the broker.
    Stopped,
}

/// What one attempt came to.
enum Attempt {
    Ended(Outcome),
    /// Somebody else changed a row: look again, decide again.
    Conflict,
    /// The database does not answer: wait, look again.
    Outage(String),
}

/// Applies the events of one queue.
pub(super) struct Applier {
    pub(super) queue: String,
    pub(super) consumer: String,
    pub(super) handler: Arc<dyn DynHandler>,
    pub(super) config: SubscriptionConfig,
    pub(super) inbox: Inbox,
    pub(super) writer: Writer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
    pub(super) metrics: ConsumerMetrics,
    pub(super) adopt: AdoptTrace,
    pub(super) stop: CancellationToken,
    /// False when certainly no event of this queue waits in a row of ours.
    pub(super) may_wait: AtomicBool,
    /// When the next waiting event is due, in microseconds since the epoch.
    pub(super) next_due: AtomicI64,
}

// === impl Applier ===

impl Applier {
    /// Applies what can be applied and keeps the rest in rows. Gives the deliveries that are done with; those left out when the
    /// process stops are delivered again.
    pub(super) async fn process(&self, works: Vec<Work>) -> Vec<u64> {
        if works.is_empty() {
            return Vec::new();
        }
        let mut aggregates: Vec<Aggregate> =
            works.iter().map(|work| work.event.aggregate()).collect();
        aggregates.sort_unstable();
        aggregates.dedup();
        let Some(progress) = self.load(&aggregates).await else {
            return Vec::new();
        };
        let lanes = self.lanes(works, &progress);
        let done = stream::iter(lanes)
            .map(|(works, progress)| self.run_lane(works, progress))
            .buffer_unordered(self.config.parallelism.max(1))
            .collect::<Vec<_>>()
            .await;
        done.into_iter().flatten().collect()
    }

    /// Divides work by lanes. All events of an aggregate are in one.
    fn lanes(
        &self,
        works: Vec<Work>,
        progress: &HashMap<Aggregate, Progress>,
    ) -> Vec<(VecDeque<Work>, HashMap<Aggregate, Progress>)> {
        let mut lane_of: HashMap<Aggregate, Uuid> = HashMap::new();
        let mut place_of: HashMap<Uuid, usize> = HashMap::new();
        let mut lanes: Vec<(VecDeque<Work>, HashMap<Aggregate, Progress>)> = Vec::new();
        for work in works {
            let aggregate = work.event.aggregate();
            let lane = *lane_of
                .entry(aggregate.clone())
                .or_insert_with(|| self.handler.lane(&work.event));
            let place = *place_of.entry(lane).or_insert(lanes.len());
            if place == lanes.len() {
                lanes.push((VecDeque::new(), HashMap::new()));
            }
            let (queue, states) = &mut lanes[place];
            let state = progress.get(&aggregate).copied().unwrap_or_default();
            states.insert(aggregate, state);
            queue.push_back(work);
        }
        lanes
    }

    async fn run_lane(
        &self,
        mut works: VecDeque<Work>,
        mut progress: HashMap<Aggregate, Progress>,
    ) -> Vec<u64> {
        let mut done = Vec::with_capacity(works.len());
        while let Some(mut work) = works.pop_front() {
            let aggregate = work.event.aggregate();
            let state = progress.entry(aggregate.clone()).or_default();
            match self.settle(&mut work, state).await {
                Outcome::Applied => {
                    self.handler.committed(&work.event);
                    for next in self
                        .next_in_line(&aggregate, *state)
                        .await
                        .into_iter()
                        .rev()
                    {
                        works.push_front(next);
                    }
                }
                Outcome::Kept => {}
                Outcome::Stopped => break,
            }
            done.extend(work.tag);
        }
        done
    }

    /// Events that waited for the one just applied.
    async fn next_in_line(&self, aggregate: &Aggregate, state: Progress) -> Vec<Work> {
        if state.lowest_waiting.is_none() {
            return Vec::new();
        }
        match self.inbox.following(aggregate, state.sequence).await {
            Ok(rows) => rows.into_iter().filter_map(|row| self.work(row)).collect(),
            Err(error) => {
                // They are found again by the sweep.
                tracing::warn!(
                    queue = self.queue,
                    error = chain(&error),
                    "parked events stay for now"
                );
                Vec::new()
            }
        }
    }

    /// A waiting row as work.
    pub(super) fn work(&self, row: waiting::Model) -> Option<Work> {
        match Event::decode(&row.event) {
            Ok(event) => Some(Work {
                event: Arc::new(event),
                tag: None,
                row: Some(row),
            }),
            Err(error) => {
                tracing::error!(queue = self.queue, event = %row.event_id, error = chain(&error), "a waiting event is unreadable");
                None
            }
        }
    }

    async fn settle(&self, work: &mut Work, state: &mut Progress) -> Outcome {
        let (mut conflicts, mut outages) = (0, 0);
        loop {
            if self.stop.is_cancelled() {
                return Outcome::Stopped;
            }
            let attempt = match decide(state.sequence, work.event.sequence) {
                Step::Apply if conflicts >= CONFLICTS => {
                    let reason = "rows it changes are changed by others all the time";
                    self.fail(work, state, HandleError::retry(reason)).await
                }
                Step::Apply => self.apply(work, state).await,
                Step::Drop => self.drop_known(work).await,
                Step::Park => self.park(work, state).await,
            };
            let wait = match attempt {
                Attempt::Ended(outcome) => return outcome,
                Attempt::Conflict => {
                    conflicts += 1;
                    self.metrics.conflicts.inc();
                    CONFLICT.wait(conflicts, self.ids.entropy())
                }
                Attempt::Outage(error) => {
                    outages += 1;
                    if outages == 1 {
                        tracing::warn!(
                            queue = self.queue,
                            error,
                            "an effect waits for the database"
                        );
                    }
                    OUTAGE.wait(outages, self.ids.entropy())
                }
            };
            self.pause(wait).await;
            if let Some(loaded) = self.load(&[work.event.aggregate()]).await {
                *state = loaded.into_values().next().unwrap_or_default();
            }
        }
    }

    async fn apply(&self, work: &mut Work, state: &mut Progress) -> Attempt {
        if work.row.is_none() && state.lowest_waiting == Some(work.event.sequence) {
            let aggregate = work.event.aggregate();
            match self.inbox.waiting_at(&aggregate, work.event.sequence).await {
                Ok(row) => work.row = row,
                Err(error) => return Attempt::Outage(chain(&error)),
            }
        }
        let waits_on = work.row.as_ref().is_some_and(|row| match row.state {
            State::Gap | State::Skip => false,
            State::Retry => row.retry_at.is_some_and(|at| at > self.clock.now()),
            State::Dead => true,
        });
        if waits_on {
            return Attempt::Ended(Outcome::Kept);
        }
        let is_skipped = work.event.is_skipped()
            || work
                .row
                .as_ref()
                .is_some_and(|row| row.state == State::Skip);
        let mut changes = ChangeSet::new();
        if !is_skipped && let Err(error) = self.call(&work.event, &mut changes).await {
            return self.fail(work, state, error).await;
        }
        self.put_cursor(&mut changes, &work.event, state);
        if let Some(row) = &work.row {
            changes.delete(row);
        }
        match self.writer.commit(changes).await {
            Ok(()) => {
                state.sequence = work.event.sequence;
                state.version += 1;
                self.metrics.applied.inc();
                let delay = self.clock.now().since(work.event.occurred_at);
                self.metrics.delay.observe(delay.as_secs_f64());
                Attempt::Ended(Outcome::Applied)
            }
            Err(CommitError::Stale | CommitError::Duplicate { .. }) => Attempt::Conflict,
            Err(error @ (CommitError::Check { .. } | CommitError::Internal)) => {
                self.fail(work, state, HandleError::retry(error)).await
            }
            Err(error) => Attempt::Outage(chain(&error)),
        }
    }

    /// Calls the handler within its time, as the request that the event began with. A panic is a failure of this one event.
    async fn call(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        let mut scope = call::Scope::new(event.correlation_id.as_str());
        if let Some(tenant) = event.tenant {
            scope = scope.on_behalf_of(Principal::component(tenant, &self.consumer));
        }
        let span = tracing::info_span!("consume", queue = self.queue, kind = %event.kind, event = %event.id);
        if let Some(traceparent) = &event.traceparent {
            (self.adopt)(&span, traceparent);
        }
        let handled = scope
            .run(self.handler.handle(event, changes))
            .instrument(span);
        let handled = AssertUnwindSafe(handled).catch_unwind();
        match tokio::time::timeout(self.config.handler_limit, handled).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(HandleError::retry("the handler panicked")),
            Err(_) => Err(HandleError::retry("the handler took too long")),
        }
    }

    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// When the next waiting event is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        match self.next_due.load(Ordering::Relaxed) {
            i64::MAX => None,
            micros => Some(Timestamp::from_micros(micros)),
        }
    }
}
