//! A whole platform for one test, gone when it is dropped: all in one process, or split over PostgreSQL, RabbitMQ and Redis.
//! What is tested does not know which.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context as _, Result, bail};
use paymesh_mesh::Keys;
use paymesh_testkit::{TestDatabase, servers};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Client,
    process::{Process, binary},
};

/// Every component, each a process of its own when split.
pub const COMPONENTS: [&str; 10] = [
    "gateway",
    "user",
    "merchant",
    "account",
    "transaction",
    "payment",
    "risk",
    "currency",
    "settlement",
    "reporting",
];
/// The outside world, as processes.
pub const SIMULATORS: [&str; 2] = ["provider", "bank"];
/// Below the range from which the system takes ports for connections, so that nothing takes one between the choice and the use.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Of a platform that keeps no secrets: 32 bytes in base64url.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Keys of simulators that see no money; this is the provider's.
pub const PROVIDER_KEY: &str = "provider-key-of-a-test";
const WEBHOOK_SECRET: &str = "webhook-secret-of-a-test";
/// The bank's.
pub const BANK_KEY: &str = "bank-key-of-a-test";

/// Settings as environment variables.
pub type Settings = BTreeMap<String, String>;

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    processes: BTreeMap<String, Process>,
    gateway: String,
    api_key: String,
    /// Component → URL of its database.
    databases: BTreeMap<String, String>,
    folder: TempDir,
}

/// The servers that a split platform runs on.
#[derive(Clone, Debug)]
pub struct Servers {
    /// Component → URL of an empty database.
    pub databases: BTreeMap<String, String>,
    /// `amqp://…`
    pub rabbitmq: String,
    /// `redis://…`
    pub redis: String,
}

// === impl Servers ===

impl Servers {
    /// New databases on the servers of the tests; None when there are none and the test may be skipped.
    pub async fn of_tests() -> Option<Self> {
        let (rabbitmq, redis) = (servers::rabbitmq_url()?, servers::redis_url()?);
        let mut databases = BTreeMap::new();
        for component in COMPONENTS {
            let made = TestDatabase::postgres().await?;
            databases.insert(component.to_owned(), made.config.url.clone());
            made.database.close().await;
        }
        Some(Self {
            databases,
            rabbitmq,
            redis,
        })
    }
}

// === impl Platform ===

impl Platform {
    /// Everything in one process, on free ports and a fresh folder.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn all_in_one() -> Result<Self> {
        Self::all_in_one_with(Settings::new())
    }

    /// The same with settings of the test.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn all_in_one_with(settings: Settings) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut environment = Settings::new();
        for port in [
            "LISTEN__GATEWAY",
            "LISTEN__ADMIN",
            "SIMULATORS__PROVIDER",
            "SIMULATORS__BANK",
        ] {
            environment.insert(format!("PAYMESH__PROCESS__{port}_PORT"), "0".to_owned());
        }
        environment.extend(settings);
        let data = text(&folder.path().join("data"))?;
        let process = Process::start(
            "paymesh",
            &["--data-dir", &data],
            environment,
            folder.path(),
        )?;
        let ready = process.ready().clone();
        let databases = COMPONENTS
            .iter()
            .map(|name| ((*name).to_owned(), format!("sqlite://{data}/{name}.db")));
        Ok(Self {
            gateway: ready.gateway.context("no gateway")?,
            api_key: ready.api_key.context("no API key")?,
            databases: databases.collect(),
            processes: BTreeMap::from([("paymesh".to_owned(), process)]),
            folder,
        })
    }

    /// Each component a process of its own, on new databases of the test's servers. None when there are no servers and the test
    /// may be skipped.
    ///
    /// # Errors
    /// When a process does not get ready.
    pub async fn split() -> Result<Option<Self>> {
        match Servers::of_tests().await {
            Some(servers) => Self::split_on(&servers, Settings::new()).map(Some),
            None => Ok(None),
        }
    }

    /// The same on servers, and with settings, of the test.
    ///
    /// # Errors
    /// When a process does not get ready.
    pub fn split_on(servers: &Servers, settings: Settings) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let plan = Plan::new(servers, folder.path(), settings)?;
        let names: Vec<&str> = SIMULATORS.into_iter().chain(COMPONENTS).collect();
        let started = thread::scope(|scope| {
            let threads: Vec<_> = names
                .iter()
                .map(|name| scope.spawn(|| plan.start(name, folder.path())))
                .collect();
            let ended = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a start panicked"))?
            });
            ended.collect::<Result<Vec<Process>>>()
        })?;
        plan.make_sandbox()?;
        let access: Value = serde_json::from_str(&fs::read_to_string(
            folder.path().join("first-access.json"),
        )?)?;
        let api_key = access["api_key"]
            .as_str()
            .context("the first access has a key")?
            .to_owned();
        Ok(Self {
            processes: names
                .into_iter()
                .map(ToOwned::to_owned)
                .zip(started)
                .collect(),
            gateway: plan.gateway(),
            api_key,
            databases: servers.databases.clone(),
            folder,
        })
    }

    /// A client with the administrator's API key.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.gateway, Some(&self.api_key))
    }

    /// `host:port` of REST.
    #[must_use]
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The administrator's API key.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The file that keeps the administrator's API key.
    #[must_use]
    pub fn access_file(&self) -> PathBuf {
        let folders = [
            self.folder.path().join("data"),
            self.folder.path().to_owned(),
        ];
        let files = folders.map(|folder| folder.join("first-access.json"));
        files
            .iter()
            .find(|file| file.exists())
            .unwrap_or(&files[0])
            .clone()
    }

    /// The processes by name: `paymesh`, or each component and simulator.
    pub fn processes(&mut self) -> impl Iterator<Item = (&str, &mut Process)> {
        self.processes
            .iter_mut()
            .map(|(name, process)| (name.as_str(), process))
    }

    /// One process.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn process(&mut self, name: &str) -> Result<&mut Process> {
        self.processes
            .get_mut(name)
            .with_context(|| format!("no process {name}"))
    }

    /// URL of a component's database.
    #[must_use]
    pub fn database(&self, component: &str) -> &str {
        &self.databases[component]
    }

    /// What the simulated provider did, one fact a line of its journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn provider_record(&self) -> Result<Vec<Value>> {
        let folders = [self.folder.path(), &self.folder.path().join("data")]
            .map(|folder| folder.join("simulators/provider/journal.jsonl"));
        let file = folders
            .iter()
            .find(|file| file.exists())
            .context("the provider has no journal")?;
        let mut facts = Vec::new();
        for line in fs::read_to_string(file)?.lines() {
            let entry: Value = serde_json::from_str(line)?;
            facts.extend(entry["facts"].as_array().into_iter().flatten().cloned());
        }
        Ok(facts)
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// How each process of a split platform is started.
struct Plan {
    shared: Settings,
    ports: BTreeMap<&'static str, u16>,
}

// === impl Plan ===

impl Plan {
    fn new(servers: &Servers, folder: &Path, settings: Settings) -> Result<Self> {
        let names: Vec<&'static str> = COMPONENTS.into_iter().chain(SIMULATORS).collect();
        let ports: BTreeMap<&'static str, u16> = names
            .iter()
            .copied()
            .zip(free_ports(names.len())?)
            .collect();
        let signing = folder.join("signing.pem");
        Keys::load_or_create(&signing)?;
        let mut shared = Settings::new();
        let mut set = |name: &str, value: String| shared.insert(format!("PAYMESH__{name}"), value);
        set("PROCESS__KEYS__SIGNING_FILE", text(&signing)?);
        set("PROCESS__DATA_DIR", text(folder)?);
        set("USER__SETTINGS__MASTER_KEY", MASTER_KEY.to_owned());
        set("PROCESS__BROKER__URL", servers.rabbitmq.clone());
        set("PROCESS__BROKER__NAMESPACE", namespace(folder));
        set("PROCESS__LISTEN__ADMIN_PORT", "0".to_owned());
        set(
            "PROCESS__LISTEN__GATEWAY_PORT",
            ports["gateway"].to_string(),
        );
        set(
            "GATEWAY__SETTINGS__RATE_LIMITS__REDIS_URL",
            servers.redis.clone(),
        );
        for component in COMPONENTS {
            let (upper, port) = (component.to_uppercase(), ports[component]);
            set(
                &format!("PROCESS__LISTEN__PORTS__{upper}"),
                port.to_string(),
            );
            set(
                &format!("MESH__ENDPOINTS__{upper}"),
                format!("http://127.0.0.1:{port}"),
            );
            set(
                &format!("{upper}__DATABASE__URL"),
                servers.databases[component].clone(),
            );
        }
        simulators(&ports, &mut set);
        shared.extend(settings);
        Ok(Self { shared, ports })
    }

    fn start(&self, name: &str, folder: &Path) -> Result<Process> {
        let verb = if SIMULATORS.contains(&name) {
            "simulate"
        } else {
            "serve"
        };
        Process::start(name, &[verb, name], self.shared.clone(), folder)
    }

    /// As an administrator would: a tenant, a key, a customer and a merchant.
    fn make_sandbox(&self) -> Result<()> {
        let made = Command::new(binary())
            .args(["admin", "sandbox", "--gateway", &self.gateway()])
            .envs(&self.shared)
            .output()?;
        if !made.status.success() {
            bail!("no sandbox: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }

    fn gateway(&self) -> String {
        format!("127.0.0.1:{}", self.ports["gateway"])
    }
}

/// Where the outside world is, and the secrets shared with it.
fn simulators(
    ports: &BTreeMap<&'static str, u16>,
    mut set: impl FnMut(&str, String) -> Option<String>,
) {
    let (provider, bank) = (ports["provider"], ports["bank"]);
    set("PROCESS__SIMULATORS__PROVIDER_PORT", provider.to_string());
    set(
        "PROCESS__SIMULATORS__PROVIDER_API_KEY",
        PROVIDER_KEY.to_owned(),
    );
    set(
        "PROCESS__SIMULATORS__WEBHOOK_SECRET",
        WEBHOOK_SECRET.to_owned(),
    );
    set(
        "PROCESS__SIMULATORS__WEBHOOK_URL",
        format!(
            "http://127.0.0.1:{}/v1/webhooks/simulated",
            ports["gateway"]
        ),
    );
    set("PROCESS__SIMULATORS__BANK_PORT", bank.to_string());
    set("PROCESS__SIMULATORS__BANK_API_KEY", BANK_KEY.to_owned());
    set(
        "PROCESS__SIMULATORS__BANK_URL",
        format!("http://127.0.0.1:{bank}"),
    );
    set(
        "PAYMENT__SETTINGS__CONNECTORS__SIMULATED__URL",
        format!("http://127.0.0.1:{provider}"),
    );
    set(
        "PAYMENT__SETTINGS__CONNECTORS__SIMULATED__API_KEY",
        PROVIDER_KEY.to_owned(),
    );
    set(
        "PAYMENT__SETTINGS__CONNECTORS__SIMULATED__WEBHOOK_SECRET",
        WEBHOOK_SECRET.to_owned(),
    );
    set(
        "SETTLEMENT__SETTINGS__BANK__URL",
        format!("http://127.0.0.1:{bank}"),
    );
    set("SETTLEMENT__SETTINGS__BANK__API_KEY", BANK_KEY.to_owned());
}

fn text(path: &Path) -> Result<String> {
    Ok(path
        .to_str()
        .context("the folder has a name in UTF-8")?
        .to_owned())
}

/// A name of its own for each platform on a shared broker.
fn namespace(folder: &Path) -> String {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Ports that nobody listens on, different for tests that run beside each other.
///
/// # Errors
/// When there are not as many.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    let span = PORTS.end - PORTS.start;
    let spread = u16::try_from(std::process::id() % u32::from(span))?;
    let mut held = Vec::with_capacity(count);
    for offset in 0..span {
        let port = PORTS.start + (spread.wrapping_mul(37) % span + offset) % span;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
        if held.len() == count {
            return Ok(held.into_iter().map(|(port, _)| port).collect());
        }
    }
    bail!("not enough free ports")
}
