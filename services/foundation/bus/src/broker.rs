//! What a broker does for us. Two implement it: the embedded one and RabbitMQ; one suite of scenarios is run on both.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use paymesh_kernel::{Timestamp, id::EventId};

use crate::{
    event::{Event, MalformedEvent},
    topology::{Queue, Topology},
};

/// Keeps events between their publisher and their consumers.
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// Makes exchanges, queues and bindings that do not exist yet. Nothing is published before.
    fn declare<'a>(&'a self, topology: &'a Topology) -> BoxFuture<'a, Result<(), BrokerError>>;

    /// Publishes events and waits until each is confirmed or refused. Answers are in the order of the events, one each.
    fn publish<'a>(
        &'a self,
        target: Target<'a>,
        events: &'a [Arc<Event>],
    ) -> BoxFuture<'a, Result<Vec<Confirm>, BrokerError>>;

    /// Begins to read a queue, with at most `prefetch` deliveries unsettled.
    fn consume<'a>(
        &'a self,
        queue: &'a Queue,
        prefetch: u16,
    ) -> BoxFuture<'a, Result<Box<dyn Deliveries>, BrokerError>>;

    /// Follows a stream from now on, for watchers that may miss what came before.
    fn tail<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<Tail, BrokerError>>;

    /// How much a queue holds. What consumers in other processes have not settled yet may be left out.
    fn depth<'a>(&'a self, queue: &'a Queue) -> BoxFuture<'a, Result<Depth, BrokerError>>;

    /// Dead letters of a queue, oldest first, at most `limit`.
    fn dead_letters<'a>(
        &'a self,
        queue: &'a Queue,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, BrokerError>>;

    /// Puts dead letters back into their queue; says how many.
    fn replay<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>>;

    /// Drops dead letters; says how many.
    fn purge<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>>;

    /// True when events can be published now.
    fn is_connected(&self) -> bool;
}

/// Deliveries of one queue. What is not settled when it is dropped is delivered again.
pub trait Deliveries: Send {
    /// Waits for deliveries and takes at most `limit`, never none. Dropping the future loses nothing.
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Vec<Delivery>, BrokerError>>;

    /// Says what became of deliveries.
    fn settle(&mut self, settled: Vec<Settled>) -> BoxFuture<'_, Result<(), BrokerError>>;
}

/// Where events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// To all queues that read the stream.
    Stream(&'a str),
    /// To one queue, as a replay does.
    Queue(&'a Queue),
}

/// What the broker says of one published event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// It is kept, durably, in every queue that it belongs to.
    Stored,
    /// It reached no queue although it should have.
    Unroutable,
    /// The broker did not take it.
    Refused {
        /// Its words.
        reason: String,
    },
}

/// One delivered event.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names the delivery when it is settled.
    pub tag: u64,
    /// What was delivered, when it is an event.
    pub event: Result<Arc<Event>, MalformedEvent>,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which one.
    pub tag: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// What becomes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its effect is committed.
    Done,
    /// It is to be delivered again.
    Again,
    /// It goes to the dead letters.
    Dead {
        /// Why.
        reason: String,
    },
}

/// What a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Events not settled yet.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
}

/// An event that its queue gave up on.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The event, unless it cannot be read.
    pub event: Result<Arc<Event>, MalformedEvent>,
    /// Why.
    pub reason: String,
    /// Since when, when the broker knows.
    pub died_at: Option<Timestamp>,
}

/// Which dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of the queue.
    All,
    /// One.
    Event(EventId),
}

/// Events of a stream as they happen.
pub struct Tail {
    source: Box<dyn TailSource>,
}

/// One step of a [`Tail`].
#[derive(Clone, Debug)]
pub enum Tailed {
    /// An event.
    Event(Arc<Event>),
    /// Events were left out: this many because the reader was too slow, or nobody knows how many (0) because the broker was away.
    Missed(u64),
}

/// Where a [`Tail`] comes from.
pub(crate) trait TailSource: Send {
    fn next(&mut self) -> BoxFuture<'_, Option<Tailed>>;
}

/// Why the broker did not do it. Whatever was being published is published again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BrokerError {
    /// The broker cannot be reached, or the connection broke.
    #[error("the broker cannot be reached")]
    Unavailable(#[source] Cause),
    /// The queue or the stream is not part of the topology.
    #[error("`{name}` is not part of the topology")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// The broker keeps something of the same name with other properties, or is too old for what we need.
    #[error("the broker refused the topology")]
    Topology(#[source] Cause),
    /// The broker does not admit the user, or knows no such virtual host.
    #[error("the broker does not let us in")]
    Access(#[source] Cause),
    /// The URL of the broker is none. It is not repeated, because a password may be in it.
    #[error("the broker's URL is not of the form amqp://user:password@host:port/vhost")]
    Address,
}

/// The library's error, shared.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

// === impl Tail ===

impl Tail {
    pub(crate) fn new(source: impl TailSource + 'static) -> Self {
        Self {
            source: Box::new(source),
        }
    }

    /// Waits for the next event; None when the broker is gone.
    pub async fn next(&mut self) -> Option<Tailed> {
        self.source.next().await
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").finish_non_exhaustive()
    }
}

// === impl BrokerError ===

impl BrokerError {
    pub(crate) fn unavailable(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(cause))
    }

    pub(crate) fn unknown(name: impl fmt::Display) -> Self {
        Self::Unknown {
            name: name.to_string(),
        }
    }
}
