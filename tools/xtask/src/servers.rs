//! PostgreSQL, RabbitMQ and Redis for the tests.
//!
//! Each is taken from the first of these places that has it: the environment
//! (`PAYMESH_TEST_POSTGRES_URL` and its like, used as it is); servers that `cargo xtask servers up`
//! left running; programs installed on this machine; Debian packages, when this is root's; Docker,
//! when a daemon answers.
//!
//! Servers of our own listen on free ports of the loopback interface, keep their data in a
//! temporary directory, and run as another user than root. They write to disk as they do in
//! production: fsync stays on.

mod apt;
mod docker;
mod ground;
mod postgres;
mod rabbitmq;
mod ready;
mod redis;
mod user;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::guard::{self, Guard, Resource};
use crate::servers::ground::Ground;
use crate::workspace::{Workspace, variable};

/// A port found free may be taken a moment later, so a server gets some tries.
const START_ATTEMPTS: u32 = 3;

/// One of the servers that tests talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Postgres,
    Rabbitmq,
    Redis,
}

/// Servers that can be connected to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Servers {
    urls: BTreeMap<Kind, String>,
    /// Where the process ids are of those that come back when they are killed.
    #[serde(default)]
    pid_files: BTreeMap<Kind, PathBuf>,
    /// What has to be stopped, the last one first.
    resources: Vec<Resource>,
}

/// A server that was started here, and what to say of it.
#[derive(Debug)]
struct Started {
    url: String,
    /// Where its process id is, when it is a process that comes back when it is killed.
    pid_file: Option<PathBuf>,
    about: String,
}

// === impl Kind ===

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::Rabbitmq, Self::Redis];

    /// The variable that tests read, and by which a server of one's own is named.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "PAYMESH_TEST_POSTGRES_URL",
            Self::Rabbitmq => "PAYMESH_TEST_RABBITMQ_URL",
            Self::Redis => "PAYMESH_TEST_REDIS_URL",
        }
    }

    /// The variable that names the file with its process id, for tests that kill it. Set for servers of our own alone.
    pub(crate) fn pid_variable(self) -> &'static str {
        match self {
            Self::Postgres => "PAYMESH_TEST_POSTGRES_PID_FILE",
            Self::Rabbitmq => "PAYMESH_TEST_RABBITMQ_PID_FILE",
            Self::Redis => "PAYMESH_TEST_REDIS_PID_FILE",
        }
    }

    fn is_installed(self) -> bool {
        match self {
            Self::Postgres => postgres::programs().is_some(),
            Self::Rabbitmq => rabbitmq::programs().is_some(),
            Self::Redis => redis::program().is_some(),
        }
    }

    fn start(self, ground: &mut Ground<'_>) -> Result<Started> {
        match self {
            Self::Postgres => postgres::start(ground),
            Self::Rabbitmq => rabbitmq::start(ground),
            Self::Redis => redis::start(ground),
        }
    }
}

// === impl Servers ===

impl Servers {
    /// Prepares servers; those that this starts are under guard. What cannot be had is named with
    /// the reason.
    pub(crate) fn prepare(
        workspace: &Workspace,
        kinds: &[Kind],
        guard: &mut Guard,
    ) -> Result<(Self, Vec<String>)> {
        let mut servers = Self::default();
        let mut absent = Vec::new();
        for &kind in kinds {
            if let Some(url) = variable(kind.variable()) {
                println!("{kind:?}: as named by {}", kind.variable());
                servers.urls.insert(kind, url);
            } else if let Some(up) = running(workspace)
                && let Some(url) = up.urls.get(&kind)
            {
                println!("{kind:?}: left running by `cargo xtask servers up`");
                servers.urls.insert(kind, url.clone());
                let file = up.pid_files.get(&kind).map(|file| (kind, file.clone()));
                servers.pid_files.extend(file);
            } else {
                absent.push(kind);
            }
        }
        let not_installed: Vec<Kind> = absent
            .iter()
            .copied()
            .filter(|kind| !kind.is_installed())
            .collect();
        if !not_installed.is_empty()
            && apt::is_possible()
            && let Err(error) = apt::install(&not_installed)
        {
            eprintln!("warning: {error:#}");
        }
        let mut problems = Vec::new();
        if !absent.is_empty() {
            let mut ground = Ground::prepare(guard)?;
            for kind in absent {
                match start(kind, &mut ground) {
                    Ok(started) => {
                        println!("{kind:?}: {}", started.about);
                        servers.urls.insert(kind, started.url);
                        if let Some(file) = started.pid_file {
                            servers.pid_files.insert(kind, file);
                        }
                    }
                    Err(error) => problems.push(format!("{kind:?}: {error:#}")),
                }
            }
            servers.resources = ground.into_resources();
        }
        Ok((servers, problems))
    }

    /// The environment that leads tests to the servers.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, String)> {
        let urls = self
            .urls
            .iter()
            .map(|(kind, url)| (kind.variable(), url.clone()));
        let files = self
            .pid_files
            .iter()
            .map(|(kind, file)| (kind.pid_variable(), file.display().to_string()));
        urls.chain(files)
    }

    fn print_env(&self) {
        for (name, url) in self.environment() {
            println!("export {name}='{url}'");
        }
    }
}

/// `cargo xtask servers up`
pub(crate) fn up(workspace: &Workspace, kinds: &[Kind]) -> Result<()> {
    if let Some(servers) = running(workspace) {
        println!("# already up");
        servers.print_env();
        return Ok(());
    }
    let kinds = if kinds.is_empty() {
        &Kind::ALL[..]
    } else {
        kinds
    };
    let mut guard = Guard::start()?;
    let (servers, problems) = Servers::prepare(workspace, kinds, &mut guard)?;
    if !problems.is_empty() {
        bail!("not all servers could be started\n{}", problems.join("\n"));
    }
    let state = state_file(workspace)?;
    let text = serde_json::to_string_pretty(&servers)?;
    std::fs::write(&state, text)
        .with_context(|| format!("{} cannot be written", state.display()))?;
    guard.release()?;
    servers.print_env();
    Ok(())
}

/// `cargo xtask servers down`
pub(crate) fn down(workspace: &Workspace) -> Result<()> {
    let state = state_file(workspace)?;
    let Ok(text) = std::fs::read_to_string(&state) else {
        println!("nothing is up");
        return Ok(());
    };
    let servers: Servers =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", state.display()))?;
    guard::stop(servers.resources.iter().rev());
    std::fs::remove_file(&state)?;
    println!("stopped");
    Ok(())
}

/// `cargo xtask servers env`
pub(crate) fn print_env(workspace: &Workspace) -> Result<()> {
    running(workspace)
        .context("no servers are up; start them with `cargo xtask servers up`")?
        .print_env();
    Ok(())
}

/// From a program on this machine, else from Docker.
fn start(kind: Kind, ground: &mut Ground<'_>) -> Result<Started> {
    if !kind.is_installed() {
        return match docker::is_available() {
            true => docker::start(kind, ground),
            false => bail!(
                "it is not installed, this is no Debian with root's rights, and no Docker daemon answers; install it, or name a server in {}",
                kind.variable()
            ),
        };
    }
    let mut attempt = 1;
    loop {
        match kind.start(ground) {
            Err(error) if attempt < START_ATTEMPTS => {
                eprintln!("{kind:?}: trying again: {error:#}")
            }
            done => return done,
        }
        attempt += 1;
    }
}

fn state_file(workspace: &Workspace) -> Result<PathBuf> {
    Ok(workspace.own_dir()?.join("servers.json"))
}

/// What `up` left, provided that all of it still answers.
fn running(workspace: &Workspace) -> Option<Servers> {
    let text = std::fs::read_to_string(state_file(workspace).ok()?).ok()?;
    let servers: Servers = serde_json::from_str(&text).ok()?;
    let all_answer = servers
        .urls
        .values()
        .all(|url| ready::accepts_connections(url));
    (!servers.urls.is_empty() && all_answer).then_some(servers)
}
