//! The bus as wiring sees it: one broker, the relays and subscriptions of the components in this process, and what an operator
//! asks of them.

mod operator;
mod pending;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use paymesh_kernel::{Clock, Database, Ids, Tasks, Writer, database::DatabaseError, error::chain};
use tokio::sync::Notify;

use crate::{
    broker::{Broker, BrokerError, Confirm, Tail, Target},
    consumer::{self, RunnerParts, Subscription},
    embedded::EmbeddedBroker,
    event::Event,
    outbox::relay::{self, Relay, RelayConfig, RelayParts},
    rabbitmq::RabbitBroker,
    topology::{Queue, Topology},
};

pub use pending::{Pending, QueuePending};

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
    /// Stands before all names on RabbitMQ (`<namespace>.<component>.events`), for several installations on one virtual host.
    /// Empty when there is one.
    pub namespace: String,
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
    /// None when an operator only looks.
    relay: Option<Relay>,
}

// === impl Publisher ===

impl Publisher {
    fn wake(&self) {
        if let Some(relay) = &self.relay {
            relay.wake();
        }
    }
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
            namespace: String::new(),
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

    /// With RabbitMQ at `amqp://user:password@host:port/vhost` or `amqps://…`. An absent broker is waited for while everything else
    /// runs; [`Bus::is_connected`] says when it is there.
    ///
    /// # Errors
    /// When the URL is none, or the broker refuses the login, the virtual host or the topology.
    pub async fn rabbitmq(url: &str, context: BusContext) -> Result<Self, BusError> {
        let broker = RabbitBroker::open(url, &context)?;
        match broker.declare(&context.topology).await {
            Ok(()) => {}
            Err(error @ BrokerError::Unavailable(_)) => {
                tracing::warn!(error = chain(&error), "starting without RabbitMQ");
            }
            Err(error) => return Err(error.into()),
        }
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
            relay: Some(relay.clone()),
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
            publisher.wake();
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

    /// Makes a component known that runs elsewhere, so that an operator can look after its outbox and its queues with the calls of
    /// this bus. Nothing is published or consumed here.
    pub fn observe(&self, component: &'static str, database: &Database) {
        let topology = &self.inner.context.topology;
        if topology.has_stream(component) {
            locked(&self.inner.publishers).push(Publisher {
                component,
                database: database.clone(),
                relay: None,
            });
        }
        let own = topology
            .queues()
            .filter(|queue| queue.consumer == component);
        locked(&self.inner.consumers).extend(own.map(|queue| Consumer {
            queue: queue.clone(),
            database: database.clone(),
            wake: Arc::new(Notify::new()),
        }));
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

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
