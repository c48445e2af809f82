//! What every server of our own stands on: a temporary directory, a free port, a process under
//! guard.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::guard::{Guard, Process, Resource, Signal};
use crate::servers::user::User;

/// Runs a program and starts it again when it is killed, as a cluster or an init system would, until it is told to stop. The first
/// argument is the file that gets the program's process id.
const KEEP: &str = r#"
pid_file=$1; shift; stop=; tries=0
trap 'stop=1; kill -TERM $child 2>/dev/null' TERM
trap 'stop=1; kill -INT $child 2>/dev/null' INT
while [ $tries -lt 100 ]; do
  "$@" & child=$!
  echo $child > "$pid_file"
  while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
  [ -n "$stop" ] && exit 0
  [ $tries -eq 0 ] && [ $code -ne 137 ] && exit $code
  tries=$((tries + 1)); sleep 0.1
done
"#;
/// The file in a server's folder that holds its process id.
const PID_FILE: &str = "server.pid";

/// Where servers are started from.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    guard: &'a mut Guard,
    resources: Vec<Resource>,
    dir: PathBuf,
    folders: u32,
}

/// A server's own folder, and the user it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) user: Option<User>,
}

/// A process of ours and where it writes.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: PathBuf,
}

// === impl Ground ===

impl<'a> Ground<'a> {
    pub(crate) fn prepare(guard: &'a mut Guard) -> Result<Self> {
        let dir = std::env::temp_dir().join(format!(
            "paymesh-servers-{}-{:x}",
            std::process::id(),
            moment()
        ));
        std::fs::create_dir(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let mut ground = Self {
            guard,
            resources: Vec::new(),
            dir: dir.clone(),
            folders: 0,
        };
        ground.own(Resource::Directory(dir))?;
        Ok(ground)
    }

    /// A fresh folder that belongs to the user the server runs as.
    pub(crate) fn folder(&mut self, name: &str, user: Option<User>) -> Result<Folder> {
        self.folders += 1;
        let path = self.dir.join(format!("{name}-{}", self.folders));
        std::fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        if let Some(user) = &user {
            user.give(&path)?;
        }
        Ok(Folder { path, user })
    }

    /// Starts a server under guard, as the folder's user and with the folder's log.
    pub(crate) fn spawn(
        &mut self,
        command: &mut Command,
        folder: &Folder,
        signal: Signal,
    ) -> Result<Running> {
        let program = PathBuf::from(command.get_program());
        let log = folder.path.join(format!("{}.log", self.resources.len()));
        let output =
            File::create(&log).with_context(|| format!("{} cannot be made", log.display()))?;
        if let Some(user) = &folder.user {
            user.run(command);
        }
        let child = command
            .current_dir(&folder.path)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} did not start", program.display()))?;
        self.own(Resource::Process(Process::of(&child, signal)))?;
        Ok(Running { child, log })
    }

    pub(crate) fn own(&mut self, resource: Resource) -> Result<()> {
        self.guard.add(resource.clone())?;
        self.resources.push(resource);
        Ok(())
    }

    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.resources
    }
}

// === impl Folder ===

impl Folder {
    /// A command that keeps the program running though somebody kills it. Arguments may follow.
    pub(crate) fn keep(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEP, "keep"])
            .arg(self.pid_file())
            .arg(program);
        command
    }

    /// Holds the process id of the program that is kept.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.path.join(PID_FILE)
    }
}

/// A port of the loopback interface that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("no port of the loopback interface is free")?;
    Ok(listener.local_addr()?)
}

/// The program's path: in one of the folders, else on the search path.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let search_path = crate::workspace::variable("PATH").unwrap_or_default();
    let folders = folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&search_path));
    folders
        .map(|folder| folder.join(name))
        .find(|program| Path::is_file(program))
}

/// Tells this run's directory from that of an earlier process with the same id.
#[allow(
    clippy::disallowed_methods,
    reason = "the name of a temporary directory is nothing that a test would choose"
)]
fn moment() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}
