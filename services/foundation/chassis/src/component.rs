//! From a component's crate to a running service.

use std::{
    collections::BTreeSet,
    fmt,
    future::Future,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use paymesh_bus::{Bus, BusError, Subscription};
use paymesh_kernel::{
    Clock, Database, DatabaseConfig, Ids, Tasks, Writer,
    database::{Backend, DatabaseError},
    group_commit::GroupCommitConfig,
};
use paymesh_mesh::{Channel, Keys, Mesh, ServerConfig, Tokens, network::MeshError, server};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tonic::service::Routes;

use crate::{ConfigError, Health};

/// The table that remembers which migrations have run.
const MIGRATIONS_TABLE: &str = "schema_migrations";
/// PostgreSQL's advisory lock of whoever migrates; a number that nobody else uses in a component's own database.
const MIGRATIONS_LOCK: i64 = 0x7061_796d_6573_6801;
/// How long a start waits for its database, and how often it looks.
const DATABASE_PATIENCE: Duration = Duration::from_secs(60);
const DATABASE_PAUSE: Duration = Duration::from_millis(250);

/// One runtime unit: crate, CLI word, configuration section, proto package, Helm key and label in one name.
pub trait Component: Send + Sync + Sized + 'static {
    /// The name, in all six places.
    const NAME: &'static str;
    /// The port over the network.
    const PORT: u16;
    /// True when it publishes facts, in the stream of its name.
    const PUBLISHES: bool = true;
    /// The streams it reads. [`Service::subscriptions`] has one for each.
    const CONSUMES: &'static [&'static str] = &[];
    /// What can be set; the defaults run all in one.
    type Config: Clone + fmt::Debug + Default + Serialize + DeserializeOwned + Send + Sync;

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field, the rule and what to write instead.
    fn validate(config: &Self::Config) -> Result<(), ConfigError>;

    /// The schema, in order.
    fn migrations() -> Vec<Box<dyn MigrationTrait>>;

    /// Builds the component. It must not call other components yet: they may not be there.
    fn init(
        config: Self::Config,
        host: Host,
    ) -> impl Future<Output = Result<Service, InitError>> + Send;
}

/// A component's part of the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound = "C: Default + Serialize + DeserializeOwned",
    default
)]
pub struct Section<C> {
    /// Its database.
    pub database: DatabaseConfig,
    /// Its group-commit writer.
    pub writer: WriterConfig,
    /// Its gRPC server.
    pub server: ServerConfig,
    /// What only it knows.
    pub settings: C,
}

impl<C: Default> Default for Section<C> {
    fn default() -> Self {
        Self {
            database: DatabaseConfig::default(),
            writer: WriterConfig::default(),
            server: ServerConfig::default(),
            settings: C::default(),
        }
    }
}

/// Limits of a component's writer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriterConfig {
    /// Change sets that may wait.
    pub queue: usize,
    /// Change sets in one commit at most.
    pub batch: usize,
    /// How long to wait for more before a commit, in microseconds.
    pub linger_us: u64,
}

impl Default for WriterConfig {
    fn default() -> Self {
        let limits = GroupCommitConfig::default();
        Self {
            queue: limits.queue,
            batch: limits.batch,
            linger_us: 0,
        }
    }
}

impl From<WriterConfig> for GroupCommitConfig {
    fn from(config: WriterConfig) -> Self {
        Self {
            queue: config.queue,
            batch: config.batch,
            linger: std::time::Duration::from_micros(config.linger_us),
        }
    }
}

/// What all components of a process share.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Ids,
    /// Background tasks.
    pub tasks: Tasks,
    /// The broker.
    pub bus: Bus,
    /// The other components.
    pub mesh: Mesh,
    /// The key that signs tokens between components.
    pub keys: Keys,
    /// Health of the process.
    pub health: Health,
    /// Where files are kept.
    pub data_dir: PathBuf,
    /// Differs between replicas and stays the same over a restart of one, so that it takes up at once what it left.
    pub instance: String,
}

/// What one component gets.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: &'static str,
    /// Its database, migrated.
    pub database: Database,
    /// Its writer.
    pub writer: Writer,
    /// Its tokens.
    pub tokens: Tokens,
    /// What it shares with the others.
    pub platform: Platform,
}

// === impl Host ===

impl Host {
    /// A channel to another component.
    ///
    /// # Errors
    /// When nobody knows where it is.
    pub fn channel(&self, callee: &'static str) -> Result<Channel, InitError> {
        Ok(self.platform.mesh.channel(callee, self.tokens.clone())?)
    }
}

/// How a component is reached.
#[derive(Debug)]
pub enum Surface {
    /// gRPC, inside the layers of the mesh.
    Grpc(Routes),
    /// HTTP, with layers of its own: the gateway.
    Http(Router),
}

/// A component that is built.
#[derive(Debug)]
pub struct Service {
    /// How it is reached.
    pub surface: Surface,
    /// What it consumes.
    pub subscriptions: Vec<Subscription>,
}

/// Why a component cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Its configuration.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// Its database.
    #[error("the database of {component} cannot be opened")]
    Database {
        /// The component.
        component: &'static str,
        /// Why.
        #[source]
        source: DatabaseError,
    },
    /// Its schema.
    #[error("the schema of {component} cannot be brought up to date")]
    Migration {
        /// The component.
        component: &'static str,
        /// Why.
        #[source]
        source: sea_orm_migration::DbErr,
    },
    /// Another component's place.
    #[error("another component cannot be found")]
    Mesh(#[from] MeshError),
    /// Its streams.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Anything else that it needs.
    #[error("{component} cannot start: {message}")]
    Other {
        /// The component.
        component: &'static str,
        /// Why, and what to do.
        message: String,
    },
}

/// A component that is built and whose router stands in its place. Its subscriptions wait for [`Launched::start`].
#[derive(Debug)]
pub struct Launched {
    /// Its name.
    pub name: &'static str,
    /// Its port over the network.
    pub port: u16,
    /// What is served there.
    pub router: Router,
    host: Host,
    publishes: bool,
    subscriptions: Vec<Subscription>,
}

// === impl Launched ===

impl Launched {
    /// Starts the relay and the consumers, once every component of the process is in its place.
    ///
    /// # Errors
    /// When the topology does not know a stream of this component.
    pub fn start(self) -> Result<(u16, Router), InitError> {
        let Host {
            name,
            database,
            writer,
            platform,
            ..
        } = self.host;
        if self.publishes {
            platform.bus.start_relay(name, &database, &writer)?;
        }
        for subscription in self.subscriptions {
            platform.bus.subscribe(subscription, &database, &writer)?;
        }
        Ok((self.port, self.router))
    }
}

/// Opens and migrates the database of a component.
///
/// # Errors
/// When the database cannot be opened or a migration fails.
pub async fn migrate<C: Component>(database: &DatabaseConfig) -> Result<Database, InitError> {
    let database = open(database).await.map_err(|source| InitError::Database {
        component: C::NAME,
        source,
    })?;
    let migrated = async {
        let turn = turn_to_migrate(&database).await?;
        Migrator::<C>::up(database.writer(), None).await?;
        match turn {
            Some(turn) => turn.commit().await,
            None => Ok(()),
        }
    };
    migrated.await.map_err(|source| InitError::Migration {
        component: C::NAME,
        source,
    })?;
    Ok(database)
}

/// Waits until no other replica migrates the same database, and keeps others waiting as long as it is held. SQLite has one process.
async fn turn_to_migrate(
    database: &Database,
) -> Result<Option<DatabaseTransaction>, sea_orm_migration::DbErr> {
    match database.backend() {
        Backend::Sqlite => Ok(None),
        Backend::Postgres => {
            let turn = database.begin().await?;
            let lock = format!("SELECT pg_advisory_xact_lock({MIGRATIONS_LOCK})");
            turn.execute_unprepared(&lock).await?;
            Ok(Some(turn))
        }
    }
}

/// Opens a database. One that is not there yet is waited for, within a bound: servers start and restart in any order.
async fn open(config: &DatabaseConfig) -> Result<Database, DatabaseError> {
    let until = Instant::now() + DATABASE_PATIENCE;
    loop {
        match Database::open(config).await {
            Err(DatabaseError::Unavailable(why)) if Instant::now() < until => {
                tracing::warn!(error = why.to_string(), "the database is not there yet");
                tokio::time::sleep(DATABASE_PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// Builds a component and puts it in its place.
///
/// # Errors
/// When its configuration, database, schema or anything it needs is not as it should be.
pub async fn launch<C: Component>(
    section: Section<C::Config>,
    platform: &Platform,
) -> Result<Launched, InitError> {
    C::validate(&section.settings)?;
    let database = migrate::<C>(&section.database).await?;
    let writer = Writer::start(
        C::NAME,
        section.writer.into(),
        database.clone(),
        &platform.tasks,
    );
    platform
        .health
        .watch(C::NAME, database.clone(), writer.clone());
    let host = Host {
        name: C::NAME,
        database,
        writer,
        tokens: Tokens::new(C::NAME, platform.keys.clone(), Arc::clone(&platform.clock)),
        platform: platform.clone(),
    };
    let service = C::init(section.settings, host.clone()).await?;
    let router = match service.surface {
        Surface::Grpc(routes) => server::router(routes, host.tokens.clone(), &section.server),
        Surface::Http(router) => router,
    };
    platform.mesh.attach(C::NAME, router.clone());
    Ok(Launched {
        name: C::NAME,
        port: C::PORT,
        router,
        host,
        publishes: C::PUBLISHES,
        subscriptions: service.subscriptions,
    })
}

/// Streams and queues that a component adds to the topology.
#[must_use]
pub fn streams<C: Component>() -> (Option<&'static str>, Vec<(&'static str, &'static str)>) {
    let consumes = C::CONSUMES
        .iter()
        .map(|stream| (C::NAME, *stream))
        .collect();
    (C::PUBLISHES.then_some(C::NAME), consumes)
}

/// The migrations of one component: the bus's tables first, then its own.
struct Migrator<C>(std::marker::PhantomData<C>);

impl<C: Component> MigratorTrait for Migrator<C> {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = paymesh_bus::migrations();
        all.extend(C::migrations());
        let names: BTreeSet<&str> = all.iter().map(|migration| migration.name()).collect();
        assert_eq!(
            names.len(),
            all.len(),
            "migrations of one component have different names"
        );
        all
    }

    fn migration_table_name() -> sea_orm_migration::sea_query::DynIden {
        sea_orm_migration::sea_query::IntoIden::into_iden(sea_orm_migration::sea_query::Alias::new(
            MIGRATIONS_TABLE,
        ))
    }
}
