//! The whole configuration, one typed tree. Its defaults run everything in one process.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use paymesh_chassis::{ConfigError, Secret, telemetry::LogConfig};
use paymesh_mesh::ServeConfig;
use serde::{Deserialize, Serialize};

/// Where Linux keeps the name of the host.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// Characters of a replica's name: those of a DNS name.
const MAX_INSTANCE: usize = 253;

/// What the process as a whole needs. Each component has a section of its own beside it (see [`crate::wiring::Config`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessConfig {
    /// Where files are kept: databases all in one, keys, the sandbox.
    pub data_dir: PathBuf,
    /// Logs.
    pub log: LogConfig,
    /// Sockets.
    pub listen: ListenConfig,
    /// Key files.
    pub keys: KeysConfig,
    /// The broker.
    pub broker: BrokerConfig,
    /// The simulated provider and bank that run beside everything else in one process.
    pub simulators: SimulatorsConfig,
    /// Written when the process is ready: JSON with its addresses. Empty: not written.
    pub ready_file: PathBuf,
    /// How long calls under way may take after SIGTERM, in milliseconds.
    pub drain_ms: u64,
    /// Threads that run tasks. 0: one a processor all in one, half of that for a component over the network.
    pub worker_threads: usize,
    /// Differs between replicas of a component and stays the same over a restart of one. Empty: the name of the host, which is that of
    /// the pod.
    pub instance: String,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("paymesh-data"),
            log: LogConfig::default(),
            listen: ListenConfig::default(),
            keys: KeysConfig::default(),
            broker: BrokerConfig::default(),
            simulators: SimulatorsConfig::default(),
            ready_file: PathBuf::new(),
            drain_ms: 15_000,
            worker_threads: 0,
            instance: String::new(),
        }
    }
}

impl ProcessConfig {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the first field that breaks a rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let is_fitting = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if self.instance.len() > MAX_INSTANCE || !self.instance.chars().all(is_fitting) {
            return Err(ConfigError::Rule {
                field: "process.instance".to_owned(),
                rule: format!("must be at most {MAX_INSTANCE} letters, digits, hyphens and dots"),
            });
        }
        Ok(())
    }

    /// The replica's name.
    #[must_use]
    pub fn instance(&self) -> String {
        if !self.instance.is_empty() {
            return self.instance.clone();
        }
        let name = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
        let name: String = name
            .trim()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        if name.is_empty() {
            "single".to_owned()
        } else {
            name
        }
    }

    /// True when keys or events are kept in the data folder.
    #[must_use]
    pub fn uses_files(&self) -> bool {
        self.broker.url.is_empty() || self.keys.signing_file.as_os_str().is_empty()
    }
}

/// Where the process listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenConfig {
    /// Address of every socket.
    pub address: IpAddr,
    /// Port of REST; 0 takes a free one. Over the network every other component listens on the port of its own.
    pub gateway_port: u16,
    /// Component → port, over the network, for those that do not listen on the port of their own.
    pub ports: BTreeMap<String, u16>,
    /// Port of probes and metrics; 0 takes a free one.
    pub admin_port: u16,
    /// Limits of each socket.
    pub limits: ServeConfig,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            gateway_port: 3_000,
            ports: BTreeMap::new(),
            admin_port: 3_900,
            limits: ServeConfig::default(),
        }
    }
}

/// Key files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// Ed25519 key (PKCS #8 PEM) that signs tokens between components; the same file for all of them. Empty: made in the data folder.
    pub signing_file: PathBuf,
}

/// The broker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerConfig {
    /// `amqp://user:password@host:port/vhost`. Empty: the embedded broker in the data folder.
    pub url: Secret,
    /// Stands before the names of exchanges and queues, for several installations on one virtual host. Empty when there is one.
    pub namespace: String,
}

/// The simulated provider and bank. All in one, whatever is empty here is made by the first start; `paymesh simulate` needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatorsConfig {
    /// Port of the provider; 0 takes a free one.
    pub provider_port: u16,
    /// Port of the bank; 0 takes a free one.
    pub bank_port: u16,
    /// What the provider takes as `Authorization: Bearer`; at least 16 characters.
    pub provider_api_key: Secret,
    /// Signs the provider's webhooks.
    pub webhook_secret: Secret,
    /// Where the provider's webhooks go: `http://gateway:3000/v1/webhooks/simulated`.
    pub webhook_url: String,
    /// What the bank takes as `Authorization: Bearer`.
    pub bank_api_key: Secret,
    /// Where the provider finds the bank when it pays out a day.
    pub bank_url: String,
}

impl Default for SimulatorsConfig {
    fn default() -> Self {
        Self {
            provider_port: 4_010,
            bank_port: 4_011,
            provider_api_key: Secret::default(),
            webhook_secret: Secret::default(),
            webhook_url: String::new(),
            bank_api_key: Secret::default(),
            bank_url: String::new(),
        }
    }
}
