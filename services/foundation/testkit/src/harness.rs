//! One component with everything around it: a fresh database, the embedded broker, the mesh in process, a clock moved by hand.
//!
//! The other components are small services written in the test and put in their places with [`Harness::fake`].

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use paymesh_bus::{Bus, BusContext, Topology};
use paymesh_chassis::{
    Component, Health, Platform, Section, component::streams, health::Serving, launch,
};
use paymesh_kernel::{DatabaseConfig, Ids, Principal, Role, Tasks, call::Scope, id::TenantId};
use paymesh_mesh::{Channel, Keys, Mesh, MeshConfig, ServerConfig, Tokens, server};
use tempfile::TempDir;
use tonic::service::Routes;
use uuid::Uuid;

use crate::{FakeClock, TestDatabase};

/// Seed of ids in tests.
const SEED: u64 = 7;
/// How long a stopped platform may take to end.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A platform for one test.
#[derive(Debug)]
pub struct Harness {
    /// What components get.
    pub platform: Platform,
    /// The time.
    pub clock: FakeClock,
    /// The tenant of [`Harness::person`].
    pub tenant: TenantId,
    databases: Vec<TestDatabase>,
    configs: BTreeMap<&'static str, DatabaseConfig>,
    engine: Engine,
    places: Vec<&'static str>,
    folder: Arc<TempDir>,
}

/// Which databases the components get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite files.
    Sqlite,
    /// Databases on the PostgreSQL server of the tests.
    Postgres,
}

// === impl Harness ===

impl Harness {
    /// A platform on SQLite files in which component `C` and the fakes named run. `C`'s streams and queues are declared.
    ///
    /// # Panics
    /// When anything of it cannot be made.
    pub async fn sqlite<C: Component>(fakes: &[&'static str]) -> Self {
        Self::new::<C>(Engine::Sqlite, fakes).await
    }

    /// The same on PostgreSQL; None when there is no server and the test may be skipped.
    ///
    /// # Panics
    /// When anything of it cannot be made.
    pub async fn postgres<C: Component>(fakes: &[&'static str]) -> Option<Self> {
        crate::servers::postgres_url()?;
        Some(Self::new::<C>(Engine::Postgres, fakes).await)
    }

    async fn new<C: Component>(engine: Engine, fakes: &[&'static str]) -> Self {
        let (stream, queues) = streams::<C>();
        let mut names: Vec<&'static str> = stream.into_iter().collect();
        names.extend(queues.iter().map(|(_, stream)| *stream));
        names.sort_unstable();
        names.dedup();
        let mut places = fakes.to_vec();
        places.push(C::NAME);
        let clock = FakeClock::new();
        let ids = Ids::seeded(Arc::new(clock.clone()), SEED);
        let tenant = ids.next();
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder can be made"));
        let keys = Keys::ephemeral().expect("a key can be made");
        let topology = Topology::try_new(&names, &queues).expect("the names are names");
        let base = (&clock, ids, keys);
        let platform = platform(base, &folder, &places, topology).await;
        Self {
            platform,
            clock,
            tenant,
            databases: Vec::new(),
            configs: BTreeMap::new(),
            engine,
            places,
            folder,
        }
    }

    /// Builds and starts `C`, on the database it had before [`Harness::restart`] if there was one.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn launch<C: Component>(&mut self, settings: C::Config) {
        let section = Section {
            database: self.database_of(C::NAME).await,
            settings,
            ..Section::default()
        };
        let launched = launch::<C>(section, &self.platform)
            .await
            .expect("the component is built");
        drop(launched.start().expect("the component starts"));
        self.platform.health.set_serving(Serving::Yes);
    }

    /// The database of a component, made on first use.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn database_of(&mut self, component: &'static str) -> DatabaseConfig {
        if let Some(config) = self.configs.get(component) {
            return config.clone();
        }
        let database = match self.engine {
            Engine::Sqlite => TestDatabase::sqlite().await,
            Engine::Postgres => TestDatabase::postgres().await.expect("the server is there"),
        };
        let config = database.config.clone();
        self.configs.insert(component, config.clone());
        self.databases.push(database);
        config
    }

    /// Puts a service written by the test in the place of a component, inside the layers of the mesh.
    pub fn fake(&self, component: &'static str, routes: Routes) {
        let router = server::router(routes, self.tokens(component), &ServerConfig::default());
        self.platform.mesh.attach(component, router);
    }

    /// A channel as `caller` has it.
    ///
    /// # Panics
    /// When `callee` is not in its place.
    #[must_use]
    pub fn channel(&self, caller: &'static str, callee: &'static str) -> Channel {
        self.platform
            .mesh
            .channel(callee, self.tokens(caller))
            .expect("the callee has a place")
    }

    /// Somebody of the test's tenant in one role.
    #[must_use]
    pub fn person(&self, role: Role) -> Principal {
        Principal {
            tenant: self.tenant,
            subject: self
                .platform
                .ids
                .next::<paymesh_kernel::id::UserId>()
                .to_string(),
            roles: vec![role],
            merchant: None,
        }
    }

    /// Runs `work` as `principal`, with ten seconds.
    pub async fn act<F: Future>(&self, principal: &Principal, work: F) -> F::Output {
        Scope::new("test")
            .within(Duration::from_secs(10))
            .on_behalf_of(principal.clone())
            .run(work)
            .await
    }

    /// Ends every task, as a process that stops, and makes a new platform on the same databases, broker file, keys and time.
    /// Fakes must be put in their places again.
    ///
    /// # Panics
    /// When tasks do not end in time or the new platform cannot be made.
    pub async fn restart(&mut self) {
        assert!(
            self.platform.tasks.stop(STOP_GRACE).await,
            "all tasks end in time"
        );
        let keys = self.platform.keys.clone();
        let ids = self.platform.ids.clone();
        let topology = self.platform.bus.topology().clone();
        let base = (&self.clock, ids, keys);
        self.platform = platform(base, &self.folder, &self.places, topology).await;
    }

    /// Waits, without a clock, until `done` says so; at most ten seconds of real time.
    ///
    /// # Panics
    /// When it does not.
    pub async fn eventually<F: Future<Output = bool>>(
        &self,
        what: &str,
        mut done: impl FnMut() -> F,
    ) {
        let limit = tokio::time::Instant::now() + Duration::from_secs(10);
        while !done().await {
            assert!(
                tokio::time::Instant::now() < limit,
                "in ten seconds it did not come to: {what}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn tokens(&self, component: &'static str) -> Tokens {
        Tokens::new(
            component,
            self.platform.keys.clone(),
            Arc::new(self.clock.clone()),
        )
    }
}

async fn platform(
    (clock, ids, keys): (&FakeClock, Ids, Keys),
    folder: &TempDir,
    places: &[&'static str],
    topology: Topology,
) -> Platform {
    let tasks = Tasks::new();
    let context = BusContext::new(
        topology,
        Arc::new(clock.clone()),
        ids.clone(),
        tasks.clone(),
    );
    let bus = Bus::embedded(&folder.path().join("broker.db"), context)
        .await
        .expect("the broker opens");
    let instance: Uuid = ids.next();
    Platform {
        clock: Arc::new(clock.clone()),
        ids,
        tasks,
        bus,
        mesh: Mesh::new(MeshConfig::default(), places),
        keys,
        health: Health::default(),
        data_dir: folder.path().to_owned(),
        instance: Uuid::to_string(&instance),
    }
}
