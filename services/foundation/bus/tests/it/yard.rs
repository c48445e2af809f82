//! A place on the RabbitMQ server for one test: names of its own, swept when the test is over.

use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{ExchangeDeleteOptions, QueueDeleteOptions},
};
use paymesh_bus::{BusContext, Topology};
use paymesh_kernel::{Ids, SystemClock};
use uuid::Uuid;

use crate::world::topology;

pub(crate) struct Yard {
    pub(crate) url: String,
    pub(crate) namespace: String,
}

// === impl Yard ===

impl Yard {
    /// None when there is no server and the test may be skipped.
    pub(crate) fn new() -> Option<Self> {
        let id: Uuid = Ids::new(std::sync::Arc::new(SystemClock)).next();
        Some(Self {
            url: paymesh_testkit::servers::rabbitmq_url()?,
            namespace: format!("test-{}", id.simple()),
        })
    }

    pub(crate) fn context(&self, context: BusContext) -> BusContext {
        let namespace = self.namespace.clone();
        BusContext {
            namespace,
            ..context
        }
    }

    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}.{name}", self.namespace)
    }

    /// Somebody else on the same server.
    pub(crate) async fn stranger(&self) -> (Connection, Channel) {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&self.url, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    pub(crate) async fn delete_queue(&self, name: &str) {
        let (_connection, channel) = self.stranger().await;
        let options = QueueDeleteOptions::default();
        let name = self.name(name).into();
        channel.queue_delete(name, options).await.unwrap();
    }

    pub(crate) async fn delete_exchange(&self, name: &str) {
        let (_connection, channel) = self.stranger().await;
        let options = ExchangeDeleteOptions::default();
        let name = self.name(name).into();
        channel.exchange_delete(name, options).await.unwrap();
    }

    async fn sweep(&self, topology: &Topology) {
        for queue in topology.queues() {
            self.delete_queue(&queue.to_string()).await;
            self.delete_queue(&format!("{queue}.dead")).await;
        }
        for stream in topology.streams() {
            self.delete_exchange(&format!("{stream}.events")).await;
        }
        self.delete_exchange("dead-letters").await;
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        // The runtime of the test may be gone, or be this very thread's.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(self.sweep(&topology()));
            });
        });
    }
}
