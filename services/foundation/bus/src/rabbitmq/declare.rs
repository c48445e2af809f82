//! Exchanges, queues and bindings: their names and their properties.
//!
//! A queue keeps its properties for good, so its name ends with a version. Every queue has a dead-letter queue of its own behind
//! one exchange for all dead letters, and the broker moves messages there at least once, which needs `reject-publish`: with any
//! other overflow it would do so at most once, and not say it.

use std::sync::{Arc, Mutex, PoisonError};

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::AMQPSoftError,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::{
    failure::{Failure, OPERATION_LIMIT, within},
    link::Session,
    version::ServerVersion,
};
use crate::{
    broker::BrokerError,
    topology::{self, Queue, Topology},
};

/// A message that comes back more often than this goes to the dead letters. A crash of a consumer counts against all that it had.
const DELIVERY_LIMIT: i32 = 20;
/// The first version that dead-letters at least once.
const OLDEST: ServerVersion = ServerVersion {
    major: 3,
    minor: 10,
};
/// The first version that limits deliveries unasked, and can be told not to.
const LIMITS_BY_ITSELF: ServerVersion = ServerVersion { major: 4, minor: 0 };

/// What is to be declared on every new connection.
pub(super) struct Plan {
    pub(super) names: Names,
    topology: Mutex<Arc<Topology>>,
}

/// Names on the broker.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Stands before every name, when several installations share a virtual host.
    pub(super) namespace: String,
}

// === impl Plan ===

impl Plan {
    pub(super) fn new(namespace: String, topology: Topology) -> Self {
        Self {
            names: Names { namespace },
            topology: Mutex::new(Arc::new(topology)),
        }
    }

    pub(super) fn topology(&self) -> Arc<Topology> {
        let topology = self.topology.lock();
        Arc::clone(&topology.unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_topology(&self, topology: Topology) {
        let mut current = self.topology.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(topology);
    }

    /// Makes what does not exist yet.
    pub(super) async fn declare(
        &self,
        session: &Session,
        topology: &Topology,
    ) -> Result<(), BrokerError> {
        if session.version.is_some_and(|version| version < OLDEST) {
            let reason = "RabbitMQ 3.10 or later is needed for dead letters that are not lost";
            let reason = std::io::Error::new(std::io::ErrorKind::Unsupported, reason);
            return Err(BrokerError::Topology(Arc::new(reason)));
        }
        let declared = self.try_declare(session, topology).await;
        declared.map_err(|failure| match failure.soft() {
            Some((AMQPSoftError::PRECONDITIONFAILED, _)) => {
                BrokerError::Topology(Arc::new(failure))
            }
            _ => failure.into(),
        })
    }

    async fn try_declare(&self, session: &Session, topology: &Topology) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let dead = self.names.dead_exchange();
        declare_exchange(&channel, &dead, ExchangeKind::Direct).await?;
        for stream in topology.streams() {
            let exchange = self.names.exchange(stream);
            declare_exchange(&channel, &exchange, ExchangeKind::Topic).await?;
        }
        for queue in topology.queues() {
            let name = self.names.queue(queue);
            let dead_queue = self.names.dead_queue(queue);
            let arguments = dead_queue_arguments(session.version);
            declare_queue(&channel, &dead_queue, arguments).await?;
            bind(&channel, &dead_queue, &dead, &name).await?;
            declare_queue(&channel, &name, queue_arguments(&dead, &name)).await?;
            if queue.generation == 0 {
                let exchange = self.names.exchange(&queue.stream);
                bind(&channel, &name, &exchange, "#").await?;
            }
        }
        Ok(())
    }
}

// === impl Names ===

impl Names {
    pub(super) fn exchange(&self, stream: &str) -> String {
        self.name(&topology::exchange(stream))
    }

    pub(super) fn queue(&self, queue: &Queue) -> String {
        self.name(&queue.to_string())
    }

    pub(super) fn dead_queue(&self, queue: &Queue) -> String {
        self.name(&format!("{queue}.dead"))
    }

    /// Where dead letters of all queues go, with the name of the queue as their routing key.
    pub(super) fn dead_exchange(&self) -> String {
        self.name("dead-letters")
    }

    fn name(&self, name: &str) -> String {
        if self.namespace.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.namespace)
        }
    }
}

/// A name, cut where the protocol has no room for more: the broker then knows no such thing.
pub(super) fn short(name: &str) -> ShortString {
    let end = name.floor_char_boundary(255);
    ShortString::try_new(&name[..end]).unwrap_or_default()
}

fn queue_arguments(dead_exchange: &str, name: &str) -> FieldTable {
    let mut table = quorum();
    table.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongInt(DELIVERY_LIMIT),
    );
    table.insert("x-overflow".into(), text("reject-publish"));
    table.insert("x-dead-letter-exchange".into(), text(dead_exchange));
    table.insert("x-dead-letter-routing-key".into(), text(name));
    table.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    table
}

/// Dead letters are looked at as often as one likes.
fn dead_queue_arguments(version: Option<ServerVersion>) -> FieldTable {
    let mut table = quorum();
    if version.is_some_and(|version| version >= LIMITS_BY_ITSELF) {
        table.insert("x-delivery-limit".into(), AMQPValue::LongInt(-1));
    }
    table
}

fn quorum() -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    table.insert("x-queue-leader-locator".into(), text("balanced"));
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

async fn declare_exchange(
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
) -> Result<(), Failure> {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let declared = channel.exchange_declare(short(name), kind, options, FieldTable::default());
    within(OPERATION_LIMIT, declared).await
}

async fn declare_queue(
    channel: &Channel,
    name: &str,
    arguments: FieldTable,
) -> Result<(), Failure> {
    let options = QueueDeclareOptions::durable();
    let declared = channel.queue_declare(short(name), options, arguments);
    within(OPERATION_LIMIT, declared).await.map(drop)
}

async fn bind(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    routing_key: &str,
) -> Result<(), Failure> {
    let bound = channel.queue_bind(
        short(queue),
        short(exchange),
        short(routing_key),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    within(OPERATION_LIMIT, bound).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_topology_behind_the_namespace() {
        let queue = Queue::new("settlement", "transaction").of_generation(2);
        for (namespace, prefix) in [("", ""), ("blue", "blue.")] {
            let namespace = namespace.to_owned();
            let names = Names { namespace };
            let all = [
                names.exchange("transaction"),
                names.queue(&queue),
                names.dead_queue(&queue),
            ];
            let expected = [
                "transaction.events",
                "settlement.transaction.g2.v1",
                "settlement.transaction.g2.v1.dead",
            ];
            assert_eq!(all, expected.map(|name| format!("{prefix}{name}")));
        }
        assert_eq!(short(&"ä".repeat(200)).as_str().len(), 254);
    }

    #[test]
    fn dead_letters_have_no_delivery_limit_where_the_broker_sets_one_by_itself() {
        let limit_on = |major, minor| {
            let version = Some(ServerVersion { major, minor });
            let table = dead_queue_arguments(version);
            table.inner().get("x-delivery-limit").cloned()
        };
        assert_eq!(limit_on(3, 13), None);
        assert_eq!(limit_on(4, 0), Some(AMQPValue::LongInt(-1)));
        assert_eq!(limit_on(4, 3), Some(AMQPValue::LongInt(-1)));
        assert!(
            !dead_queue_arguments(None)
                .inner()
                .contains_key("x-delivery-limit")
        );
    }
}
