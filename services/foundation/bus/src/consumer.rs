//! Consuming: a component says what one event does, the runner does the rest.
//!
//! A [`Handler`] puts the effect of an event into a change set and nothing else: the runner adds the inbox cursor, commits both
//! through the component's writer, and settles the delivery afterwards. A handler may be called again for an event whose commit
//! failed, so it has no effect of its own outside of the change set. Slow work is a row that a task of the component takes up.

mod apply;
mod runner;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use paymesh_kernel::{
    ChangeSet, ErrorKind, Fault, backoff::Backoff, database::DatabaseError, error::chain,
};
use uuid::Uuid;

use crate::{event::Event, topology::Queue};

pub(crate) use runner::{RunnerParts, start};

/// What a consumer does with the events of one stream.
pub trait Handler: Send + Sync + 'static {
    /// Puts the effect of `event` into `changes`. What is loaded for it is loaded here, after the effects of all earlier events of
    /// the same aggregate. Kinds that do not concern the consumer are ignored: their effect is nothing.
    fn handle(
        &self,
        event: &Event,
        changes: &mut ChangeSet,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;

    /// Aggregates with the same lane are handled one after the other, others beside each other. The aggregate itself unless the
    /// effects of several meet in one row, whose lane then is best the id of that row.
    fn lane(&self, event: &Event) -> Uuid {
        event.aggregate_id
    }

    /// Called after the effect of `event` is committed, such as to wake a task. May be left out by a crash.
    fn committed(&self, event: &Event) {
        let _ = event;
    }
}

/// Why an event has no effect yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// It may work later. The event waits in a row and is tried again, with growing intervals; its aggregate waits with it.
    #[error("{reason}")]
    Retry {
        /// For the operator; no personal data.
        reason: String,
    },
    /// It will never work. The event is dead at once, and a person decides about it; its aggregate waits.
    #[error("{reason}")]
    Reject {
        /// For the operator; no personal data.
        reason: String,
    },
}

/// Deliveries unsettled at once where money moves.
const MONEY_PREFETCH: u16 = 16;

/// Limits of a subscription.
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionConfig {
    /// Deliveries unsettled at once. A crash counts against all of them: see [`Subscription::of_money`].
    pub prefetch: u16,
    /// Lanes handled beside each other.
    pub parallelism: usize,
    /// Failures of one event before it is dead.
    pub attempts: i64,
    /// Waits between them.
    pub backoff: Backoff,
    /// How long a handler may take.
    pub handler_limit: Duration,
    /// How often the runner looks for what others may have left behind.
    pub sweep: Duration,
    /// Shortest time between two batches while events keep coming: those of a moment share a look at the cursors and a commit. An
    /// event after a pause does not wait.
    pub pace: Duration,
}

impl Default for SubscriptionConfig {
    fn default() -> Self {
        Self {
            prefetch: 256,
            parallelism: 64,
            attempts: 12,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(300)),
            handler_limit: Duration::from_secs(30),
            sweep: Duration::from_secs(30),
            pace: Duration::from_millis(25),
        }
    }
}

/// A consumer of a stream.
#[derive(Clone)]
pub struct Subscription {
    pub(crate) queue: Queue,
    pub(crate) config: SubscriptionConfig,
    pub(crate) handler: Arc<dyn DynHandler>,
}

// === impl HandleError ===

impl HandleError {
    /// It may work later.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::Retry {
            reason: reason.to_string(),
        }
    }

    /// Of a query that failed: it may work later.
    #[must_use]
    pub fn database(error: &DatabaseError) -> Self {
        Self::retry(chain(error))
    }

    /// It will never work.
    pub fn reject(reason: impl fmt::Display) -> Self {
        Self::Reject {
            reason: reason.to_string(),
        }
    }
}

/// Errors of a component are passed on with `?`: what a caller could try again is tried again, the rest is rejected.
impl<F: Fault> From<F> for HandleError {
    fn from(fault: F) -> Self {
        let reason = chain(&fault);
        match fault.kind() {
            ErrorKind::Aborted
            | ErrorKind::ResourceExhausted
            | ErrorKind::Unavailable
            | ErrorKind::DeadlineExceeded
            | ErrorKind::Internal => Self::Retry { reason },
            ErrorKind::InvalidArgument
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::FailedPrecondition => Self::Reject { reason },
        }
    }
}

// === impl Subscription ===

impl Subscription {
    /// `consumer` reads `stream` by `handler`.
    pub fn new(consumer: &'static str, stream: &'static str, handler: impl Handler) -> Self {
        Self {
            queue: Queue::new(consumer, stream),
            config: SubscriptionConfig::default(),
            handler: Arc::new(handler),
        }
    }

    /// With other limits.
    #[must_use]
    pub const fn with(mut self, config: SubscriptionConfig) -> Self {
        self.config = config;
        self
    }

    /// Of events that move money: few deliveries unsettled at once, because a crash of the process counts against all of them.
    #[must_use]
    pub const fn of_money(mut self) -> Self {
        self.config.prefetch = MONEY_PREFETCH;
        self
    }

    /// Of a replay, for projections only: with a queue and an inbox of its own.
    #[must_use]
    pub fn of_generation(mut self, generation: u32) -> Self {
        self.queue = self.queue.of_generation(generation);
        self
    }

    /// What it reads.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("queue", &self.queue)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A [`Handler`] behind a pointer.
pub(crate) trait DynHandler: Send + Sync {
    fn handle<'a>(
        &'a self,
        event: &'a Event,
        changes: &'a mut ChangeSet,
    ) -> BoxFuture<'a, Result<(), HandleError>>;
    fn lane(&self, event: &Event) -> Uuid;
    fn committed(&self, event: &Event);
}

impl<H: Handler> DynHandler for H {
    fn handle<'a>(
        &'a self,
        event: &'a Event,
        changes: &'a mut ChangeSet,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        Box::pin(Handler::handle(self, event, changes))
    }

    fn lane(&self, event: &Event) -> Uuid {
        Handler::lane(self, event)
    }

    fn committed(&self, event: &Event) {
        Handler::committed(self, event);
    }
}
