//! One process of the platform's binary, killed when it is dropped.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// How long a process may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// What a process says of itself when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// `host:port` of REST, when the gateway runs there.
    pub gateway: Option<String>,
    /// `host:port` of probes and metrics.
    pub admin: String,
    /// The sandbox's API key, all in one.
    pub api_key: Option<String>,
}

/// A process and its log.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    folder: PathBuf,
    ready: Ready,
}

// === impl Process ===

impl Process {
    /// Starts the binary and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends instead, with the end of its log, or is not ready in time.
    pub fn start(
        name: &str,
        arguments: &[&str],
        environment: BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Self> {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        let (child, ready) = launch(name, &arguments, &environment, folder)?;
        Ok(Self {
            name: name.to_owned(),
            child,
            arguments,
            environment,
            folder: folder.to_owned(),
            ready,
        })
    }

    /// What it said when it was ready.
    #[must_use]
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Kills it as a power cut would, and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn kill_and_restart(&mut self) -> Result<()> {
        self.kill();
        let (child, ready) = launch(&self.name, &self.arguments, &self.environment, &self.folder)?;
        self.child = child;
        self.ready = ready;
        Ok(())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// SIGTERM; waits for the end.
    ///
    /// # Errors
    /// When it does not end in time or says that something went wrong.
    pub fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .context("kill")?;
        let limit = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("{} ended with {status}: {}", self.name, self.log_end());
                }
                return Ok(());
            }
            if Instant::now() > limit {
                bail!("{} did not end after SIGTERM", self.name);
            }
            pause();
        }
    }

    /// All that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.name, &self.folder)).unwrap_or_default()
    }

    fn log_end(&self) -> String {
        end_of(&self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(
    name: &str,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<(Child, Ready)> {
    let ready_file = folder.join(format!("{name}.ready.json"));
    fs::remove_file(&ready_file).ok();
    let log_path = log_path(name, folder);
    let log = File::options().create(true).append(true).open(&log_path)?;
    let mut child = Command::new(binary())
        .args(arguments)
        .envs(environment)
        .env("PAYMESH__PROCESS__READY_FILE", &ready_file)
        .env("PAYMESH__PROCESS__LOG__FORMAT", "json")
        .stdin(Stdio::null())
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log))
        .spawn()
        .context("the binary does not start; `cargo xtask test` builds it")?;
    let limit = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            let log = fs::read_to_string(&log_path).unwrap_or_default();
            bail!(
                "{name} ended with {status} before it was ready: {}",
                end_of(&log)
            );
        }
        if let Ok(text) = fs::read_to_string(&ready_file)
            && let Ok(ready) = serde_json::from_str(&text)
        {
            return Ok((child, ready));
        }
        if Instant::now() > limit {
            child.kill().ok();
            child.wait().ok();
            let log = fs::read_to_string(&log_path).unwrap_or_default();
            bail!(
                "{name} was not ready in {} s: {}",
                PATIENCE.as_secs(),
                end_of(&log)
            );
        }
        pause();
    }
}

fn log_path(name: &str, folder: &Path) -> PathBuf {
    folder.join(format!("{name}.log"))
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// What the runner of tests has set in the environment: the binary, the size of a run.
#[allow(
    clippy::disallowed_methods,
    reason = "whoever runs the tests chooses in the environment"
)]
#[must_use]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The platform's binary.
#[must_use]
pub fn binary() -> PathBuf {
    setting("PAYMESH_BIN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/paymesh"),
        PathBuf::from,
    )
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test waits for a process of its own, without a runtime"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
