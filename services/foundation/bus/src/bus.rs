//! The bus as wiring sees it: one broker, the relays and subscriptions of the components in this process, and what an operator
//! asks of them.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use paymesh_kernel::{Clock, Database, Ids, Tasks, Writer, database::DatabaseError, id::EventId};
use tokio::sync::Notify;

use crate::{
    broker::{Broker, BrokerError, Confirm, DeadLetter, Depth, Selection, Tail, Target},
    consumer::{self, RunnerParts, Subscription},
    embedded::EmbeddedBroker,
    event::Event,
    inbox::{self, InboxDepth, store::Inbox},
    outbox::{
        operator::{self, BlockedAggregate},
        read::{self, OutboxDepth},
        relay::{self, Relay, RelayConfig, RelayParts},
    },
    topology::{Queue, Topology},
};

/// Makes the given W3C trace context the parent of a span. Telemetry is not the bus's business, so it is told how.
pub type AdoptTrace = fn(&tracing::Span, &str);

/// What the bus needs of its surroundings.
#[derive(Clone, Debug)]
pub struct BusContext {
    /// All streams and queues, of components in other processes too.
    pub topology: Topology,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and jitter.
    pub ids: Ids,
    /// Tasks of the process.
    pub tasks: Tasks,
    /// Differs between replicas and stays the same over a restart of one, such as the name of the pod.
    pub instance: String,
    /// Joins the trace of an event to the span of its effect.
    pub adopt_trace: AdoptTrace,
    /// Limits of relays.
    pub relay: RelayConfig,
}

/// The bus. Clones are the same one.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    context: BusContext,
    broker: Arc<dyn Broker>,
    publishers: Mutex<Vec<Publisher>>,
    consumers: Mutex<Vec<Consumer>>,
}

/// A component that publishes from this process.
#[derive(Clone)]
struct Publisher {
    component: &'static str,
    database: Database,
    relay: Relay,
}

/// A queue that is read by this process.
#[derive(Clone)]
struct Consumer {
    queue: Queue,
    database: Database,
    wake: Arc<Notify>,
}

/// Why the bus could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The broker failed.
    #[error("the broker failed")]
    Broker(#[from] BrokerError),
    /// A component's database failed.
    #[error("a component's database failed")]
    Database(#[from] DatabaseError),
    /// The stream or the queue is not part of the topology.
    #[error("`{name}` is not part of the topology")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// The component or the queue does not belong to this process.
    #[error("`{name}` does not run in this process")]
    Elsewhere {
        /// Its name.
        name: String,
    },
}

/// What is under way in this process: nothing, when every fact has had its effects.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// By publishing component.
    pub outboxes: Vec<(&'static str, OutboxDepth)>,
    /// By queue.
    pub queues: Vec<(Queue, QueuePending)>,
}

/// What is under way in one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueuePending {
    /// At the broker.
    pub broker: Depth,
    /// In the consumer's inbox.
    pub inbox: InboxDepth,
}

// === impl BusContext ===

impl BusContext {
    /// With defaults for the rest.
    #[must_use]
    pub fn new(topology: Topology, clock: Arc<dyn Clock>, ids: Ids, tasks: Tasks) -> Self {
        Self {
            topology,
            clock,
            ids,
            tasks,
            instance: "single".to_owned(),
            adopt_trace: |_, _| {},
            relay: RelayConfig::default(),
        }
    }
}

// === impl Bus ===

impl Bus {
    /// With a broker in this process, which keeps its events in a SQLite file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn embedded(file: &Path, context: BusContext) -> Result<Self, BusError> {
        let broker = EmbeddedBroker::open(file, Arc::clone(&context.clock), &context.tasks).await?;
        broker.declare(&context.topology).await?;
        Ok(Self::over(Arc::new(broker), context))
    }

    /// Over a broker on which the topology is declared already.
    #[must_use]
    pub fn over(broker: Arc<dyn Broker>, context: BusContext) -> Self {
        let inner = Inner {
            context,
            broker,
            publishers: Mutex::default(),
            consumers: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Begins to publish what is committed to the component's outbox.
    ///
    /// # Errors
    /// When the component has no stream in the topology.
    pub fn start_relay(
        &self,
        component: &'static str,
        database: &Database,
        writer: &Writer,
    ) -> Result<Relay, BusError> {
        let context = &self.inner.context;
        if !context.topology.has_stream(component) {
            let name = component.to_owned();
            return Err(BusError::Unknown { name });
        }
        let parts = RelayParts {
            component,
            holder: context.instance.clone(),
            config: context.relay,
            database: database.clone(),
            writer: writer.clone(),
            broker: Arc::clone(&self.inner.broker),
            clock: Arc::clone(&context.clock),
            ids: context.ids.clone(),
        };
        let relay = relay::start(parts, &context.tasks);
        locked(&self.inner.publishers).push(Publisher {
            component,
            database: database.clone(),
            relay: relay.clone(),
        });
        Ok(relay)
    }

    /// Has a component's outbox read at once. Needed only after commits that did not go through the writer which its relay was
    /// started with: that one does it by itself.
    pub fn wake_relay(&self, component: &str) {
        let publishers = locked(&self.inner.publishers);
        for publisher in publishers
            .iter()
            .filter(|known| known.component == component)
        {
            publisher.relay.wake();
        }
    }

    /// Begins to apply the events of a queue to the component's database.
    ///
    /// # Errors
    /// When the queue is not in the topology.
    pub fn subscribe(
        &self,
        subscription: Subscription,
        database: &Database,
        writer: &Writer,
    ) -> Result<(), BusError> {
        let context = &self.inner.context;
        let queue = subscription.queue().clone();
        if !context.topology.has_queue(&queue) {
            let name = queue.to_string();
            return Err(BusError::Unknown { name });
        }
        let wake = Arc::new(Notify::new());
        let parts = RunnerParts {
            subscription,
            database: database.clone(),
            writer: writer.clone(),
            broker: Arc::clone(&self.inner.broker),
            clock: Arc::clone(&context.clock),
            ids: context.ids.clone(),
            adopt: context.adopt_trace,
            wake: Arc::clone(&wake),
        };
        consumer::start(parts, &context.tasks);
        locked(&self.inner.consumers).push(Consumer {
            queue,
            database: database.clone(),
            wake,
        });
        Ok(())
    }

    /// Publishes old events into the queue of a replay, in their order. All are stored, or it is an error.
    ///
    /// # Errors
    /// When the queue is not that of a replay, or the broker fails.
    pub async fn replay_into(&self, queue: &Queue, events: &[Arc<Event>]) -> Result<(), BusError> {
        if queue.generation == 0 {
            let name = queue.to_string();
            return Err(BusError::Unknown { name });
        }
        let target = Target::Queue(queue);
        let confirms = self.inner.broker.publish(target, events).await?;
        match confirms.iter().find(|confirm| **confirm != Confirm::Stored) {
            Some(confirm) => {
                let reason = std::io::Error::other(format!("{confirm:?}"));
                Err(BrokerError::unavailable(reason).into())
            }
            None => Ok(()),
        }
    }

    /// Follows a stream from now on, for watchers that may miss what came before.
    ///
    /// # Errors
    /// When the stream is not in the topology or the broker fails.
    pub async fn tail(&self, stream: &str) -> Result<Tail, BusError> {
        Ok(self.inner.broker.tail(stream).await?)
    }

    /// True when events can be published and consumed now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.broker.is_connected()
    }

    /// The topology that it was made with.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.inner.context.topology
    }

    /// What is under way in the components of this process.
    ///
    /// # Errors
    /// When a database or the broker does not answer.
    pub async fn pending(&self) -> Result<Pending, BusError> {
        let mut pending = Pending::default();
        let publishers = locked(&self.inner.publishers).clone();
        for publisher in publishers {
            let depth = read::depth(&publisher.database).await?;
            pending.outboxes.push((publisher.component, depth));
        }
        let consumers = locked(&self.inner.consumers).clone();
        for consumer in consumers {
            let broker = self.inner.broker.depth(&consumer.queue).await?;
            let inbox = Inbox::new(consumer.database, consumer.queue.to_string());
            let inbox = inbox.depth().await?;
            let depth = QueuePending { broker, inbox };
            pending.queues.push((consumer.queue, depth));
        }
        Ok(pending)
    }

    /// Dead events of a queue, those in the consumer's inbox first, at most `limit` of each.
    ///
    /// # Errors
    /// When the queue is not read by this process, or its database or the broker fails.
    pub async fn dead_letters(
        &self,
        queue: &Queue,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, BusError> {
        let consumer = self.consumer(queue)?;
        let rows = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut letters =
            inbox::operator::dead(&consumer.database, &queue.to_string(), rows).await?;
        letters.extend(self.inner.broker.dead_letters(queue, limit).await?);
        Ok(letters)
    }

    /// Has dead events handled again; says how many.
    ///
    /// # Errors
    /// When the queue is not read by this process, or its database or the broker fails.
    pub async fn replay(&self, queue: &Queue, selection: Selection) -> Result<u64, BusError> {
        let consumer = self.consumer(queue)?;
        let now = self.inner.context.clock.now();
        let name = queue.to_string();
        let rows = inbox::operator::replay(&consumer.database, &name, selection, now).await?;
        consumer.wake.notify_one();
        let letters = self.inner.broker.replay(queue, selection).await?;
        Ok(rows.saturating_add(u64::try_from(letters).unwrap_or(u64::MAX)))
    }

    /// Gives dead events up: their aggregates go on without their effect. Says how many.
    ///
    /// A dead letter of the broker leaves a gap in its aggregate, which a replay would have closed.
    ///
    /// # Errors
    /// When the queue is not read by this process, or its database or the broker fails.
    pub async fn purge(&self, queue: &Queue, selection: Selection) -> Result<u64, BusError> {
        let consumer = self.consumer(queue)?;
        let now = self.inner.context.clock.now();
        let name = queue.to_string();
        let rows = inbox::operator::purge(&consumer.database, &name, selection, now).await?;
        consumer.wake.notify_one();
        let letters = self.inner.broker.purge(queue, selection).await?;
        Ok(rows.saturating_add(u64::try_from(letters).unwrap_or(u64::MAX)))
    }

    /// Aggregates of a component whose next event the broker refuses, longest first.
    ///
    /// # Errors
    /// When the component does not publish from this process or its database fails.
    pub async fn blocked(
        &self,
        component: &str,
        limit: usize,
    ) -> Result<Vec<BlockedAggregate>, BusError> {
        let publisher = self.publisher(component)?;
        let rows = u64::try_from(limit).unwrap_or(u64::MAX);
        Ok(operator::blocked(&publisher.database, rows).await?)
    }

    /// Has a refused event published again now. False when no such event is refused.
    ///
    /// # Errors
    /// When the component does not publish from this process or its database fails.
    pub async fn retry_publish(&self, component: &str, event: EventId) -> Result<bool, BusError> {
        let publisher = self.publisher(component)?;
        let found = operator::retry(&publisher.database, event).await?;
        publisher.relay.wake();
        Ok(found)
    }

    /// Takes a refused event out of the stream: consumers pass over its place. False when no such event is refused.
    ///
    /// # Errors
    /// When the component does not publish from this process or its database fails.
    pub async fn skip_publish(&self, component: &str, event: EventId) -> Result<bool, BusError> {
        let publisher = self.publisher(component)?;
        let found = operator::skip(&publisher.database, event).await?;
        publisher.relay.wake();
        Ok(found)
    }

    fn publisher(&self, component: &str) -> Result<Publisher, BusError> {
        let publishers = locked(&self.inner.publishers);
        let found = publishers.iter().find(|known| known.component == component);
        found.cloned().ok_or_else(|| BusError::Elsewhere {
            name: component.to_owned(),
        })
    }

    fn consumer(&self, queue: &Queue) -> Result<Consumer, BusError> {
        let consumers = locked(&self.inner.consumers);
        let found = consumers.iter().find(|known| known.queue == *queue);
        found.cloned().ok_or_else(|| BusError::Elsewhere {
            name: queue.to_string(),
        })
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("broker", &self.inner.broker)
            .finish_non_exhaustive()
    }
}

// === impl Pending ===

impl Pending {
    /// Events whose effects are not all committed, dead ones included.
    #[must_use]
    pub fn total(&self) -> u64 {
        let unsent = self.outboxes.iter().map(|(_, depth)| depth.unsent);
        let queued = self.queues.iter().map(|(_, depth)| {
            let inbox = depth.inbox.gaps + depth.inbox.retries + depth.inbox.dead;
            depth.broker.waiting + depth.broker.dead + inbox
        });
        unsent.chain(queued).sum()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
