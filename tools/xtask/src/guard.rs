//! A helper process that ends what a task has started.
//!
//! The task tells the guard, over a pipe, of every process, container and directory it makes. The
//! guard acts when that pipe closes: at the regular end of the task, and also when the task fails,
//! is interrupted, or is killed without a chance to clean up. So there is one way to stop things,
//! and it is always taken. The guard sits in a process group of its own, where an interrupt from
//! the terminal does not reach it.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::process::pause;

/// How long a process may take to end by itself before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Something that a task made and that must not outlive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resource {
    /// The leader of a process group.
    Process(Process),
    /// A Docker container, by id.
    Container(String),
    /// A directory with everything in it.
    Directory(PathBuf),
}

/// A running process, told from a later one with the same id by its start time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    id: u32,
    started: Option<u64>,
    signal: Signal,
}

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Signal {
    /// PostgreSQL's fast shutdown.
    Int,
    /// What everybody else expects.
    Term,
    /// Nothing is worth waiting for.
    Kill,
}

/// The task's side of the guard.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    orders: Option<ChildStdin>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Add(Resource),
    Release,
}

// === impl Process ===

impl Process {
    pub(crate) fn of(child: &Child, signal: Signal) -> Self {
        Self {
            id: child.id(),
            started: start_time(child.id()),
            signal,
        }
    }

    fn is_running(&self) -> bool {
        match (self.started, start_time(self.id)) {
            (Some(then), Some(now)) => then == now,
            (None, _) | (Some(_), None) => false,
        }
    }

    fn stop(&self) {
        if !self.is_running() {
            return;
        }
        send(self.signal, self.id);
        let deadline = Instant::now() + STOP_LIMIT;
        while self.is_running() {
            if Instant::now() > deadline {
                send(Signal::Kill, self.id);
                return;
            }
            pause(Duration::from_millis(20));
        }
    }
}

// === impl Signal ===

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::Term => "TERM",
            Self::Kill => "KILL",
        }
    }
}

// === impl Guard ===

impl Guard {
    /// Starts the guard of this task.
    pub(crate) fn start() -> Result<Self> {
        // The binary's own path may name a newer build by now; on Linux this link still leads to
        // the running one.
        let own = Path::new("/proc/self/exe");
        let program = if own.exists() {
            own.to_owned()
        } else {
            std::env::current_exe()?
        };
        Self::spawn(Command::new(program).arg("guard"))
    }

    /// A guard that does nothing, for tests of what reports to one.
    #[cfg(test)]
    pub(crate) fn stand_in() -> Result<Self> {
        Self::spawn(&mut Command::new("cat"))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .context("the guard process did not start")?;
        let orders = child.stdin.take();
        Ok(Self { child, orders })
    }

    /// Puts a resource under guard. Later ones are stopped first.
    pub(crate) fn add(&mut self, resource: Resource) -> Result<()> {
        self.send(&Order::Add(resource))
    }

    /// Lets everything live on, for a later `stop`.
    pub(crate) fn release(mut self) -> Result<()> {
        self.send(&Order::Release)
    }

    fn send(&mut self, order: &Order) -> Result<()> {
        let pipe = self.orders.as_mut().context("the guard has no pipe")?;
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        pipe.write_all(&line).context("the guard process is gone")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.orders.take();
        if let Err(error) = self.child.wait() {
            eprintln!("the guard process was lost: {error}");
        }
    }
}

/// The guard's side: collects orders until the pipe closes, then stops what it was told of.
pub(crate) fn watch(orders: impl BufRead) {
    let mut resources = VecDeque::new();
    for line in orders.lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(Order::Add(resource)) => resources.push_front(resource),
            Ok(Order::Release) => resources.clear(),
            Err(error) => eprintln!("the guard was told something it does not know: {error}"),
        }
    }
    stop(resources.iter());
}

/// Stops resources in the given order. What is already gone is fine.
pub(crate) fn stop<'a>(resources: impl Iterator<Item = &'a Resource>) {
    for resource in resources {
        match resource {
            Resource::Process(process) => process.stop(),
            Resource::Container(id) => {
                let removed = Command::new("docker")
                    .args(["rm", "--force", "--volumes", id])
                    .stdout(Stdio::null())
                    .status();
                if let Err(error) = removed {
                    eprintln!("container {id} was not removed: {error}");
                }
            }
            Resource::Directory(path) => {
                if let Err(error) = std::fs::remove_dir_all(path)
                    && error.kind() != std::io::ErrorKind::NotFound
                {
                    eprintln!("{} was not removed: {error}", path.display());
                }
            }
        }
    }
}

/// Kills the process group that a child leads, at once.
pub(crate) fn kill_group(child: &Child) {
    send(Signal::Kill, child.id());
}

/// A polite signal goes to the leader, who knows its children; a kill goes to the whole group.
fn send(signal: Signal, id: u32) {
    let target = match signal {
        Signal::Int | Signal::Term => id.to_string(),
        Signal::Kill => format!("-{id}"),
    };
    let sent = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" -- \"$2\"",
            "sh",
            signal.name(),
            &target,
        ])
        .stderr(Stdio::null())
        .status();
    if let Err(error) = sent {
        eprintln!("signal {} was not sent to {id}: {error}", signal.name());
    }
}

/// The start of a process that has not ended, in clock ticks since boot (field 22 of
/// `/proc/<id>/stat`).
fn start_time(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    parse_start_time(&stat)
}

/// The program's name stands in parentheses and may hold anything, so fields are counted from the
/// last one on. A zombie counts as ended.
fn parse_start_time(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn sleeper() -> Child {
        Command::new("sh")
            .args(["-c", "read line"])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap()
    }

    #[test]
    fn the_start_time_is_found_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0 0";
        assert_eq!(parse_start_time(stat), Some(4711));
        assert_eq!(parse_start_time(&stat.replace(") S", ") Z")), None);
    }

    #[test]
    fn a_closed_pipe_stops_what_was_added_and_removes_its_directory() {
        let mut child = sleeper();
        let directory = std::env::temp_dir().join(format!("xtask-guard-{}", child.id()));
        std::fs::create_dir_all(directory.join("inside")).unwrap();
        let orders = [
            Order::Add(Resource::Directory(directory.clone())),
            Order::Add(Resource::Process(Process::of(&child, Signal::Term))),
        ];
        let lines: Vec<String> = orders
            .iter()
            .map(|order| serde_json::to_string(order).unwrap())
            .collect();

        watch(lines.join("\n").as_bytes());

        assert!(!child.wait().unwrap().success());
        assert!(!directory.exists());
    }

    #[test]
    fn released_resources_live_on() {
        let mut child = sleeper();
        let add = serde_json::to_string(&Order::Add(Resource::Process(Process::of(
            &child,
            Signal::Kill,
        ))))
        .unwrap();
        let release = serde_json::to_string(&Order::Release).unwrap();

        watch(format!("{add}\n{release}\n").as_bytes());

        drop(child.stdin.take());
        assert_eq!(
            child.wait().unwrap().code(),
            Some(1),
            "the shell ends by itself at the end of its input"
        );
    }

    #[test]
    fn a_process_with_another_start_time_is_left_alone() {
        let mut child = sleeper();
        let mut process = Process::of(&child, Signal::Kill);
        process.started = Some(1);

        process.stop();

        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}
