//! A platform of one process on files of its own.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::{Client, process::Process};

/// A running platform, gone when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    /// Its process.
    pub process: Process,
    folder: TempDir,
}

// === impl Sandbox ===

impl Sandbox {
    /// Everything in one process, on free ports and a fresh folder.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn all_in_one() -> Result<Self> {
        Self::all_in_one_with(BTreeMap::new())
    }

    /// The same with settings of the test.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn all_in_one_with(settings: BTreeMap<String, String>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut environment = free_ports();
        environment.extend(settings);
        let data = folder.path().join("data");
        let data = data.to_str().context("the folder has a name in UTF-8")?;
        let process = Process::start("paymesh", &["--data-dir", data], environment, folder.path())?;
        Ok(Self { process, folder })
    }

    /// A client with the sandbox's API key.
    ///
    /// # Errors
    /// When the process has no gateway or no key.
    pub fn client(&self) -> Result<Client> {
        let ready = self.process.ready();
        let gateway = ready.gateway.as_deref().context("no gateway")?;
        Ok(Client::new(
            gateway,
            Some(ready.api_key.as_deref().context("no API key")?),
        ))
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

fn free_ports() -> BTreeMap<String, String> {
    [
        "LISTEN__GATEWAY_PORT",
        "LISTEN__ADMIN_PORT",
        "SIMULATORS__PROVIDER_PORT",
        "SIMULATORS__BANK_PORT",
    ]
    .into_iter()
    .map(|name| (format!("PAYMESH__PROCESS__{name}"), "0".to_owned()))
    .collect()
}
