//! The one list of components, and the one place that knows which mode runs.
//!
//! All in one: every component in this process, on SQLite files and the embedded broker. Over the network: the components named,
//! each on a port of its own, on PostgreSQL and RabbitMQ. Nothing else differs.

use std::path::Path;

use paymesh_bus::{Bus, BusContext, BusError, Topology};
use paymesh_chassis::{
    Component, ConfigError, InitError, Platform, Section,
    component::{Launched, streams},
    launch, migrate,
};
use paymesh_kernel::{Database, database::DatabaseError};
use paymesh_mesh::MeshConfig;
use serde::{Deserialize, Serialize};

use crate::{config::ProcessConfig, process};

macro_rules! components {
    ($($name:ident: $component:ty),* $(,)?) => {
        /// The whole configuration: the process, the mesh, and a section a component.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Config {
            /// What the process as a whole needs.
            pub process: ProcessConfig,
            /// Where the other components are.
            pub mesh: MeshConfig,
            $(
                #[doc = concat!("The component `", stringify!($name), "`.")]
                pub $name: Section<<$component as Component>::Config>,
            )*
        }

        /// Name and port of every component.
        pub const COMPONENTS: &[(&str, u16)] = &[$((<$component as Component>::NAME, <$component as Component>::PORT)),*];

        impl Config {
            /// Checks what types cannot say, in every section.
            ///
            /// # Errors
            /// With the first field that breaks a rule.
            pub fn validate(&self) -> Result<(), ConfigError> {
                self.process.validate()?;
                $(<$component as Component>::validate(&self.$name.settings)?;)*
                Ok(())
            }

            /// Puts each component without a database URL on a SQLite file in `folder`.
            pub fn use_files_in(&mut self, folder: &Path) {
                $(
                    if self.$name.database.url.is_empty() {
                        let file = folder.join(concat!(stringify!($name), ".db"));
                        self.$name.database.url = Database::sqlite_url(&file);
                    }
                )*
            }
        }

        /// Streams and queues of the whole installation, of components in other processes too.
        fn topology() -> Topology {
            let (mut names, mut queues) = (Vec::new(), Vec::new());
            $(
                let (stream, consumes) = streams::<$component>();
                names.extend(stream);
                queues.extend(consumes);
            )*
            Topology::try_new(&names, &queues).expect("components consume streams of components")
        }

        /// Makes every component whose database the configuration names known to the bus, for an operator.
        ///
        /// # Errors
        /// When a database cannot be opened.
        pub async fn observe(config: &Config, bus: &Bus) -> Result<(), DatabaseError> {
            $(
                if !config.$name.database.url.is_empty() {
                    bus.observe(<$component as Component>::NAME, &Database::open(&config.$name.database).await?);
                }
            )*
            Ok(())
        }

        /// The settings without which the named components cannot run over the network.
        ///
        /// # Errors
        /// With the first one that is missing.
        fn require_databases(config: &Config, names: &[&str]) -> Result<(), ConfigError> {
            $(
                if names.contains(&stringify!($name)) {
                    require(concat!(stringify!($name), ".database.url"), config.$name.database.url.is_empty())?;
                }
            )*
            Ok(())
        }

        /// Builds one component by name; None when there is no such component.
        ///
        /// # Errors
        /// When it cannot start.
        pub async fn launch_by_name(name: &str, config: &Config, platform: &Platform) -> Result<Option<Launched>, InitError> {
            match name {
                $(stringify!($name) => launch::<$component>(config.$name.clone(), platform).await.map(Some),)*
                _ => Ok(None),
            }
        }

        /// Brings the schema of one component up to date; false when there is no such component.
        ///
        /// # Errors
        /// When its database cannot be opened or a migration fails.
        pub async fn migrate_by_name(name: &str, config: &Config) -> Result<bool, InitError> {
            match name {
                $(stringify!($name) => {
                    migrate::<$component>(&config.$name.database).await?.close().await;
                    Ok(true)
                })*
                _ => Ok(false),
            }
        }
    };
}

// A new component is one line here.
components! {
    gateway: paymesh_gateway::Gateway,
    user: paymesh_user::User,
    merchant: paymesh_merchant::Merchant,
    account: paymesh_account::Account,
    transaction: paymesh_transaction::Transaction,
    payment: paymesh_payment::Payment,
    risk: paymesh_risk::Risk,
    currency: paymesh_currency::Currency,
    settlement: paymesh_settlement::Settlement,
    reporting: paymesh_reporting::Reporting,
}

/// What runs in this process, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything, on embedded storage.
    AllInOne,
    /// The named components, over the network.
    Network(Vec<&'static str>),
}

/// A mode worked out: what the start does, without asking again which mode it is.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The components of this process.
    pub components: Vec<&'static str>,
    /// The configuration, complete.
    pub config: Config,
    /// Which components have a socket.
    pub sockets: Sockets,
    /// What stands beside the components.
    pub surroundings: Surroundings,
    /// Threads that run tasks.
    pub threads: usize,
}

/// Which components have a socket of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// REST alone; the others are called in process.
    Gateway,
    /// Each one.
    Each,
}

/// What stands beside the components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// A simulated provider and bank, and a sandbox tenant to pay with.
    Simulated,
    /// Whatever the configuration names.
    Configured,
}

// === impl Mode ===

impl Mode {
    /// Everything, on embedded storage.
    #[must_use]
    pub const fn whole() -> Self {
        Self::AllInOne
    }

    /// Works out what to do.
    ///
    /// # Errors
    /// When the configuration lacks what the mode needs.
    pub fn plan(self, mut config: Config) -> Result<Plan, ConfigError> {
        let threads = |automatic: usize| match config.process.worker_threads {
            0 => automatic,
            asked => asked,
        };
        // Components on one machine share it; a thread more than needed is switched to and from for nothing.
        let (whole, part) = (
            threads(process::cores()),
            threads(process::cores().div_ceil(2)),
        );
        match self {
            Self::AllInOne => {
                let folder = config.process.data_dir.clone();
                config.use_files_in(&folder);
                Ok(Plan {
                    components: COMPONENTS.iter().map(|(name, _)| *name).collect(),
                    config,
                    sockets: Sockets::Gateway,
                    surroundings: Surroundings::Simulated,
                    threads: whole,
                })
            }
            Self::Network(components) => {
                require("process.broker.url", config.process.broker.url.is_empty())?;
                require(
                    "process.keys.signing_file",
                    config.process.keys.signing_file.as_os_str().is_empty(),
                )?;
                require_databases(&config, &components)?;
                let needs_master_key =
                    components.contains(&"user") && config.user.settings.master_key.is_empty();
                require("user.settings.master_key", needs_master_key)?;
                Ok(Plan {
                    components,
                    config,
                    sockets: Sockets::Each,
                    surroundings: Surroundings::Configured,
                    threads: part,
                })
            }
        }
    }
}

/// The configuration with a database for each of the components, and the data folder's lock when some of them are files there.
///
/// # Errors
/// When a component of a networked installation has no database, or another process uses the data folder.
pub fn for_migration(
    mut config: Config,
    names: &[&str],
) -> anyhow::Result<(Config, Option<std::fs::File>)> {
    if !config.process.broker.url.is_empty() {
        require_databases(&config, names)?;
        return Ok((config, None));
    }
    let folder = config.process.data_dir.clone();
    let lock = process::lock(&folder)?;
    config.use_files_in(&folder);
    Ok((config, Some(lock)))
}

fn require(field: &str, is_missing: bool) -> Result<(), ConfigError> {
    if !is_missing {
        return Ok(());
    }
    Err(ConfigError::Rule {
        field: field.to_owned(),
        rule: "must be set to serve over the network".to_owned(),
    })
}

/// The broker that the configuration names.
///
/// # Errors
/// When it cannot be opened.
pub async fn bus(config: &Config, share: Share) -> Result<Bus, BusError> {
    let process = &config.process;
    let mut context = BusContext::new(topology(), share.clock, share.ids, share.tasks);
    context.instance = process.instance();
    context.namespace.clone_from(&process.broker.namespace);
    if process.broker.url.is_empty() {
        Bus::embedded(&process.data_dir.join("broker.db"), context).await
    } else {
        Bus::rabbitmq(process.broker.url.expose(), context).await
    }
}

/// What the bus shares with the rest of the process.
#[derive(Clone, Debug)]
pub struct Share {
    /// Time.
    pub clock: std::sync::Arc<dyn paymesh_kernel::Clock>,
    /// Ids.
    pub ids: paymesh_kernel::Ids,
    /// Background tasks.
    pub tasks: paymesh_kernel::Tasks,
}

// === impl Share ===

impl Share {
    /// A system clock, and tasks of its own.
    #[must_use]
    pub fn of_a_process() -> Self {
        let clock: std::sync::Arc<dyn paymesh_kernel::Clock> =
            std::sync::Arc::new(paymesh_kernel::SystemClock);
        Self {
            ids: paymesh_kernel::Ids::new(std::sync::Arc::clone(&clock)),
            tasks: paymesh_kernel::Tasks::new(),
            clock,
        }
    }
}
