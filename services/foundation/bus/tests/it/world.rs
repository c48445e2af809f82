//! Two components and a bus: `shop` publishes, `ledger` (and `audit`) consume.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use paymesh_bus::{
    Bus, BusContext, Event, Pending, Queue, Subscription, SubscriptionConfig, Topology,
    broker::Broker, embedded::EmbeddedBroker, publish, rabbitmq::RabbitBroker,
};
use paymesh_kernel::{
    ChangeSet, Clock as _, Database, DatabaseConfig, Ids, SystemClock, Tasks, Timestamp, Writer,
    backoff::Backoff, group_commit::GroupCommitConfig, id::TenantId,
};
use paymesh_testkit::{FakeClock, TestDatabase};
use sea_orm::EntityTrait as _;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    tally::{self, Tally},
    yard::Yard,
};

pub(crate) const SHOP: &str = "shop";
pub(crate) const LEDGER: &str = "ledger";
pub(crate) const AUDIT: &str = "audit";
/// How long an outcome may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where a scenario runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    /// SQLite and the embedded broker.
    Sqlite,
    /// PostgreSQL and the embedded broker.
    Postgres,
    /// PostgreSQL and RabbitMQ.
    RabbitMq,
}

/// What outlives a process: files and databases.
pub(crate) struct Ground {
    pub(crate) shop: TestDatabase,
    pub(crate) ledger: TestDatabase,
    pub(crate) folder: TempDir,
    pub(crate) clock: FakeClock,
    pub(crate) rabbitmq: Option<Yard>,
}

/// One process.
pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) shop: Side,
    pub(crate) ledger: Side,
    pub(crate) ids: Ids,
    pub(crate) clock: FakeClock,
    pub(crate) tasks: Tasks,
}

/// A component.
pub(crate) struct Side {
    pub(crate) database: Database,
    pub(crate) writer: Writer,
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        paymesh_bus::migrations()
    }
}

pub(crate) fn ledger_queue() -> Queue {
    Queue::new(LEDGER, SHOP)
}

pub(crate) fn topology() -> Topology {
    let topology = Topology::try_new(&[SHOP, AUDIT], &[(LEDGER, SHOP), (AUDIT, SHOP)]).unwrap();
    topology.with_queue(ledger_queue().of_generation(2))
}

// === impl Ground ===

impl Ground {
    /// None when there is no server and the test may be skipped.
    pub(crate) async fn new(engine: Engine) -> Option<Self> {
        let (shop, ledger) = match engine {
            Engine::Sqlite => (TestDatabase::sqlite().await, TestDatabase::sqlite().await),
            Engine::Postgres | Engine::RabbitMq => (
                TestDatabase::postgres().await?,
                TestDatabase::postgres().await?,
            ),
        };
        let rabbitmq = match engine {
            Engine::Sqlite | Engine::Postgres => None,
            Engine::RabbitMq => Some(Yard::new()?),
        };
        Some(Self {
            rabbitmq,
            shop,
            ledger,
            folder: tempfile::tempdir().unwrap(),
            clock: FakeClock::new(),
        })
    }

    pub(crate) fn broker_file(&self) -> PathBuf {
        self.folder.path().join("events.db")
    }

    pub(crate) fn context(&self, tasks: &Tasks) -> BusContext {
        let ids = Ids::new(Arc::new(SystemClock));
        let clock = Arc::new(self.clock.clone());
        let context = BusContext::new(topology(), clock, ids, tasks.clone());
        match &self.rabbitmq {
            Some(yard) => yard.context(context),
            None => context,
        }
    }

    /// Starts a process in which nobody consumes yet.
    pub(crate) async fn start(&self) -> World {
        let tasks = Tasks::new();
        let context = self.context(&tasks);
        let bus = match &self.rabbitmq {
            Some(yard) => Bus::rabbitmq(&yard.url, context).await,
            None => Bus::embedded(&self.broker_file(), context).await,
        };
        self.start_over(bus.unwrap(), tasks).await
    }

    /// A broker alone.
    pub(crate) async fn broker(&self, tasks: &Tasks) -> Arc<dyn Broker> {
        let context = self.context(tasks);
        let broker: Arc<dyn Broker> = match &self.rabbitmq {
            Some(yard) => Arc::new(RabbitBroker::open(&yard.url, &context).unwrap()),
            None => {
                let file = self.folder.path().join("other.db");
                let broker = EmbeddedBroker::open(&file, context.clock, &context.tasks);
                Arc::new(broker.await.unwrap())
            }
        };
        broker.declare(&topology()).await.unwrap();
        broker
    }

    pub(crate) async fn start_over(&self, bus: Bus, tasks: Tasks) -> World {
        let shop = Side::start(SHOP, &self.shop.config, &tasks).await;
        let ledger = Side::start(LEDGER, &self.ledger.config, &tasks).await;
        tally::create_table(&ledger.database).await;
        bus.start_relay(SHOP, &shop.database, &shop.writer).unwrap();
        World {
            bus,
            shop,
            ledger,
            ids: Ids::new(Arc::new(SystemClock)),
            clock: self.clock.clone(),
            tasks,
        }
    }
}

// === impl Side ===

impl Side {
    async fn start(component: &'static str, config: &DatabaseConfig, tasks: &Tasks) -> Self {
        let database = Database::open(config).await.unwrap();
        Migrator::up(database.writer(), None).await.unwrap();
        let limits = GroupCommitConfig::default();
        let writer = Writer::start(component, limits, database.clone(), tasks);
        Self { database, writer }
    }
}

// === impl World ===

impl World {
    /// Has `ledger` consume, in tallies.
    pub(crate) fn consume(&self) -> Tally {
        self.consume_by(|tally| tally)
    }

    pub(crate) fn consume_by(&self, adapt: impl FnOnce(Tally) -> Tally) -> Tally {
        let tally = adapt(Tally::new(self.ledger.database.clone()));
        let subscription = Subscription::new(LEDGER, SHOP, tally.clone()).with(limits());
        self.subscribe(subscription);
        tally
    }

    pub(crate) fn subscribe(&self, subscription: Subscription) {
        let Side { database, writer } = &self.ledger;
        self.bus.subscribe(subscription, database, writer).unwrap();
    }

    /// The next event of an aggregate: adds `amount` to its tally.
    pub(crate) fn event(&self, aggregate: Uuid, sequence: i64, amount: u8) -> Event {
        Event {
            id: self.ids.next(),
            tenant: Some(TenantId::from(Uuid::from_u128(1))),
            stream: SHOP.into(),
            kind: "shop.sold.v1".into(),
            aggregate_type: "till".into(),
            aggregate_id: aggregate,
            sequence,
            causation_id: "req_1".to_owned(),
            correlation_id: "req_1".to_owned(),
            occurred_at: self.clock.now(),
            business_at: Timestamp::from_micros(1),
            traceparent: None,
            payload: vec![amount],
        }
    }

    pub(crate) async fn publish(&self, event: Event) {
        let mut changes = ChangeSet::new();
        publish(&mut changes, event);
        self.shop.writer.commit(changes).await.unwrap();
    }

    pub(crate) fn aggregate(&self) -> Uuid {
        self.ids.next()
    }

    pub(crate) async fn tallies(&self) -> Vec<tally::Model> {
        let rows = tally::Entity::find().all(self.ledger.database.reader());
        rows.await.unwrap()
    }

    /// The sequences applied to an aggregate, in their order.
    pub(crate) async fn applied(&self, aggregate: Uuid) -> String {
        let row = tally::Entity::find_by_id(aggregate).one(self.ledger.database.reader());
        row.await.unwrap().map_or(String::new(), |row| row.applied)
    }

    pub(crate) async fn until_applied(&self, aggregate: Uuid, applied: &str) {
        eventually(async || self.applied(aggregate).await == applied).await;
    }

    pub(crate) async fn until_pending(&self, is_so: impl Fn(&Pending) -> bool) -> Pending {
        let waiting = async {
            loop {
                let pending = self.bus.pending().await.unwrap();
                if is_so(&pending) {
                    return pending;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(pending) => pending,
            Err(_) => panic!("still {:?}", self.bus.pending().await),
        }
    }

    pub(crate) async fn until_nothing_is_pending(&self) {
        self.until_pending(|pending| pending.total() == 0).await;
    }
}

/// Limits that let tests see retries without waiting.
pub(crate) fn limits() -> SubscriptionConfig {
    SubscriptionConfig {
        attempts: 3,
        backoff: Backoff::new(Duration::from_secs(10), Duration::from_secs(60)),
        sweep: Duration::from_millis(50),
        ..SubscriptionConfig::default()
    }
}

/// Looks until it is so.
pub(crate) async fn eventually<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, waiting).await;
    outcome.expect("it comes to pass in time");
}
