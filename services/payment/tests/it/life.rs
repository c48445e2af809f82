//! One life of the component: from its start to its death. The next one finds the same database.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use paymesh_bus::{Bus, BusContext, Topology};
use paymesh_chassis::{Component as _, Health, Platform, Section, launch};
use paymesh_kernel::{DatabaseConfig, Ids, Principal, Tasks, call::Scope};
use paymesh_mesh::{Channel, Keys, Mesh, MeshConfig, Tokens};
use paymesh_payment::{Config, Payment};
use paymesh_testkit::FakeClock;
use tokio::runtime::Runtime;

/// What outlives a life.
#[derive(Clone)]
pub(crate) struct Estate {
    pub(crate) clock: FakeClock,
    pub(crate) ids: Ids,
    pub(crate) keys: Keys,
    pub(crate) database: DatabaseConfig,
    pub(crate) config: Config,
}

/// A life.
pub(crate) struct Life {
    runtime: Option<Runtime>,
    mesh: Mesh,
    estate: Estate,
}

impl Life {
    pub(crate) async fn begin(estate: Estate, folder: &Path, number: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        // The broker is not under test here: facts are read from the outbox, so each life may have a file of its own.
        let file = folder.join(format!("broker-{number}.db"));
        let begun = runtime.spawn(begin(estate.clone(), file));
        let mesh = begun.await.unwrap();
        Self {
            runtime: Some(runtime),
            mesh,
            estate,
        }
    }

    /// Does something as `caller` on behalf of `principal`, inside the life: when it dies, so does this.
    pub(crate) async fn act<T, F>(
        &self,
        (caller, principal): (&'static str, Option<Principal>),
        work: impl FnOnce(Channel) -> F + Send + 'static,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send,
    {
        let clock = Arc::new(self.estate.clock.clone());
        let tokens = Tokens::new(caller, self.estate.keys.clone(), clock);
        let channel = self.mesh.channel("payment", tokens).unwrap();
        let mut scope = Scope::new("request-1").within(Duration::from_secs(20));
        if let Some(principal) = principal {
            scope = scope.on_behalf_of(principal);
        }
        let runtime = self.runtime.as_ref().unwrap();
        let work = async move { scope.run(work(channel)).await };
        runtime.spawn(work).await.ok()
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn begin(estate: Estate, broker: std::path::PathBuf) -> Mesh {
    let tasks = Tasks::new();
    let clock = Arc::new(estate.clock.clone());
    let topology = Topology::try_new(&["payment"], &[]).unwrap();
    let context = BusContext::new(topology, clock.clone(), estate.ids.clone(), tasks.clone());
    let platform = Platform {
        clock,
        ids: estate.ids.clone(),
        tasks,
        bus: Bus::embedded(&broker, context).await.unwrap(),
        mesh: Mesh::new(MeshConfig::default(), &[Payment::NAME]),
        keys: estate.keys,
        health: Health::default(),
        data_dir: std::path::PathBuf::new(),
        instance: "test".to_owned(),
    };
    let section = Section {
        database: estate.database,
        settings: estate.config,
        ..Section::default()
    };
    // The relay is not started, so that every fact stays in the outbox.
    drop(launch::<Payment>(section, &platform).await.unwrap());
    platform.mesh
}
