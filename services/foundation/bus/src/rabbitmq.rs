//! RabbitMQ: events between processes.
//!
//! - B7: a confirmed event is on disk on most nodes of every queue that it belongs to.
//!
//! A stream is a topic exchange `<component>.events`, a queue of it a quorum queue with the binding `#` and a dead-letter queue of
//! its own. There are two connections, because the broker stops reading from one that publishes while an alarm lasts, and
//! acknowledgements have to get through all the same. Written for RabbitMQ 4; works from 3.10 on.

mod address;
mod declare;
mod deliveries;
mod failure;
mod letters;
mod link;
mod message;
mod publish;
mod tail;
mod version;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use futures::future::BoxFuture;
use paymesh_kernel::{Clock, Ids, Tasks};

use crate::{
    broker::{
        Broker, BrokerError, Confirm, DeadLetter, Deliveries, Depth, Selection, Tail, Target,
    },
    bus::BusContext,
    event::Event,
    topology::{Queue, Topology},
};

use address::Address;
use declare::Plan;
use deliveries::{Intake, QueueDeliveries, ready_in};
use letters::{Action, Letters};
use link::{Link, LinkParts};
use message::Outgoing;
use publish::{Publishers, Route, Unrouted};
use tail::Follower;

/// A broker behind two connections. Clones are the same one.
#[derive(Clone)]
pub struct RabbitBroker {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    plan: Arc<Plan>,
    /// For what is published.
    publishing: Link,
    /// For everything else.
    consuming: Link,
    publishers: Arc<Publishers>,
    /// Consumers of this process.
    intakes: Mutex<Vec<Weak<Intake>>>,
    clock: Arc<dyn Clock>,
    ids: Ids,
    tasks: Tasks,
}

// === impl RabbitBroker ===

impl RabbitBroker {
    /// Begins to connect to `amqp://user:password@host:port/vhost` (`amqps` for TLS, with the system's certificate
    /// authorities), and declares the topology of `context` before anything else.
    ///
    /// # Errors
    /// When the URL is none. An absent broker is waited for.
    pub fn open(url: &str, context: &BusContext) -> Result<Self, BrokerError> {
        let address = Address::try_new(url)?;
        let plan = Plan::new(context.namespace.clone(), context.topology.clone());
        let plan = Arc::new(plan);
        let link = |name| {
            let parts = LinkParts {
                name,
                address: address.clone(),
                instance: context.instance.clone(),
                plan: Arc::clone(&plan),
                ids: context.ids.clone(),
            };
            Link::start(parts, &context.tasks)
        };
        let publishing = link("publish");
        let inner = Inner {
            publishers: Arc::new(Publishers::new(publishing.clone(), Arc::clone(&plan))),
            publishing,
            consuming: link("consume"),
            address,
            plan,
            intakes: Mutex::default(),
            clock: Arc::clone(&context.clock),
            ids: context.ids.clone(),
            tasks: context.tasks.clone(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    async fn declare_all(&self, topology: &Topology) -> Result<(), BrokerError> {
        let plan = &self.inner.plan;
        plan.set_topology(topology.clone());
        // Both, so that neither is used before its connection knows the topology.
        for link in [&self.inner.publishing, &self.inner.consuming] {
            let session = link.session().await?;
            if *session.topology != *topology {
                plan.declare(&session, topology).await?;
            }
        }
        Ok(())
    }

    async fn publish_to(
        &self,
        target: Target<'_>,
        events: &[Arc<Event>],
    ) -> Result<Vec<Confirm>, BrokerError> {
        let plan = &self.inner.plan;
        let (route, queue) = match target {
            Target::Stream(stream) => {
                let topology = plan.topology();
                if !topology.has_stream(stream) {
                    return Ok(vec![Confirm::Unroutable; events.len()]);
                }
                let unrouted = match topology.is_read(stream) {
                    true => Unrouted::Fails,
                    false => Unrouted::IsLost,
                };
                let exchange = plan.names.exchange(stream);
                (Route { exchange, unrouted }, None)
            }
            Target::Queue(queue) => {
                let route = Route {
                    exchange: String::new(),
                    unrouted: Unrouted::Fails,
                };
                (route, Some(declare::short(&plan.names.queue(queue))))
            }
        };
        let mut messages = Vec::with_capacity(events.len());
        let refusals = events.iter().map(|event| match Outgoing::of(event) {
            Ok(mut message) => {
                message.routing_key = queue.clone().unwrap_or(message.routing_key);
                messages.push(message);
                None
            }
            Err(reason) => Some(Confirm::Refused { reason }),
        });
        let refusals: Vec<Option<Confirm>> = refusals.collect();
        let confirms = self.inner.publishers.publish(&route, &messages).await?;
        let mut confirms = confirms.into_iter();
        let answers = refusals
            .into_iter()
            .filter_map(|refusal| refusal.or_else(|| confirms.next()));
        Ok(answers.collect())
    }

    async fn consume_from(
        &self,
        queue: &Queue,
        prefetch: u16,
    ) -> Result<Box<dyn Deliveries>, BrokerError> {
        let plan = &self.inner.plan;
        self.known(queue)?;
        let session = self.inner.consuming.session().await?;
        let intake = deliveries::consume(session, plan, queue, prefetch).await?;
        let intake = Arc::new(intake);
        let mut intakes = self.intakes();
        intakes.retain(|known| known.strong_count() > 0);
        intakes.push(Arc::downgrade(&intake));
        drop(intakes);
        let publishers = Arc::clone(&self.inner.publishers);
        let clock = Arc::clone(&self.inner.clock);
        let deliveries = QueueDeliveries::new(intake, publishers, plan, clock);
        Ok(Box::new(deliveries))
    }

    async fn measure(&self, queue: &Queue) -> Result<Depth, BrokerError> {
        let names = &self.inner.plan.names;
        self.known(queue)?;
        let name = names.queue(queue);
        let session = self.inner.consuming.session().await?;
        let channel = session.channel().await?;
        let intakes: Vec<_> = self.intakes().iter().filter_map(Weak::upgrade).collect();
        let mut intakes = intakes.iter().filter(|intake| intake.queue() == name);
        // Several consumers of one queue in one process would each count what is ready; wiring makes one.
        let waiting = match intakes.next_back() {
            Some(intake) => intake.depth().await?,
            None => ready_in(&channel, &name).await?.into(),
        };
        let dead = ready_in(&channel, &names.dead_queue(queue)).await?;
        Ok(Depth {
            waiting,
            dead: dead.into(),
        })
    }

    async fn letters(&self, queue: &Queue) -> Result<Letters, BrokerError> {
        self.known(queue)?;
        let session = self.inner.consuming.session().await?;
        let dead_queue = self.inner.plan.names.dead_queue(queue);
        Ok(Letters::open(&session, dead_queue).await?)
    }

    fn known(&self, queue: &Queue) -> Result<(), BrokerError> {
        if self.inner.plan.topology().has_queue(queue) {
            Ok(())
        } else {
            Err(BrokerError::unknown(queue))
        }
    }

    fn intakes(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Intake>>> {
        let intakes = self.inner.intakes.lock();
        intakes.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker for RabbitBroker {
    fn declare<'a>(&'a self, topology: &'a Topology) -> BoxFuture<'a, Result<(), BrokerError>> {
        Box::pin(self.declare_all(topology))
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
        Box::pin(self.consume_from(queue, prefetch.max(1)))
    }

    fn tail<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<Tail, BrokerError>> {
        Box::pin(async move {
            if !self.inner.plan.topology().has_stream(stream) {
                return Err(BrokerError::unknown(stream));
            }
            let follower = Follower {
                link: self.inner.consuming.clone(),
                exchange: self.inner.plan.names.exchange(stream),
                ids: self.inner.ids.clone(),
                stop: self.inner.tasks.stopping().clone(),
            };
            let (tail, task) = follower.start().await?;
            self.inner.tasks.spawn_once(task);
            Ok(tail)
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue) -> BoxFuture<'a, Result<Depth, BrokerError>> {
        Box::pin(self.measure(queue))
    }

    fn dead_letters<'a>(
        &'a self,
        queue: &'a Queue,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, BrokerError>> {
        Box::pin(async move { self.letters(queue).await?.list(limit).await })
    }

    fn replay<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>> {
        Box::pin(async move {
            let name = self.inner.plan.names.queue(queue);
            let action = Action::Replay {
                publishers: &self.inner.publishers,
                queue: &name,
            };
            self.letters(queue).await?.apply(action, selection).await
        })
    }

    fn purge<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>> {
        Box::pin(async move {
            let letters = self.letters(queue).await?;
            letters.apply(Action::Purge, selection).await
        })
    }

    fn is_connected(&self) -> bool {
        self.inner.publishing.is_up() && self.inner.consuming.is_up()
    }
}

impl fmt::Debug for RabbitBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitBroker")
            .field("address", &self.inner.address)
            .finish_non_exhaustive()
    }
}
