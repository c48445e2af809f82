//! PostgreSQL from programs on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::guard::Signal;
use crate::servers::ground::{Folder, Ground, find_program, free_address};
use crate::servers::user::User;
use crate::servers::{Kind, Started, ready};

/// Debian keeps the programs of each version apart, and off the search path.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";

/// Room for every test's own databases and pools; durable, but without the pauses of a small
/// machine's defaults.
const SETTINGS: [&str; 13] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=300",
    "shared_buffers=256MB",
    "fsync=on",
    "synchronous_commit=on",
    "max_wal_size=2GB",
    "checkpoint_timeout=30min",
    // A server that was killed would otherwise open each file of every test's database before it works again.
    "recovery_init_sync_method=syncfs",
    "random_page_cost=1.1",
    "jit=off",
    "log_min_messages=warning",
    "logging_collector=off",
];

#[derive(Debug)]
pub(crate) struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

/// The newest installed version.
pub(crate) fn programs() -> Option<Programs> {
    let folders = debian_folders();
    let postgres = find_program("postgres", &folders)?;
    // On the search path there may be links to programs of one version only; both come from where
    // the first one leads.
    let real = std::fs::canonicalize(&postgres).ok()?;
    let initdb = real.with_file_name("initdb");
    initdb.is_file().then_some(Programs {
        initdb,
        postgres: real,
    })
}

pub(crate) fn start(ground: &mut Ground<'_>) -> Result<Started> {
    let programs = programs().context("the programs are gone")?;
    let folder = ground.folder("postgres", User::to_run_as(&["postgres", "nobody"])?)?;
    let data = folder.path.join("data");
    initialize(&programs, &folder, &data)?;
    let address = free_address()?;
    let mut command = folder.keep(&programs.postgres);
    command
        .arg("-D")
        .arg(&data)
        .arg("-p")
        .arg(address.port().to_string());
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    let mut running = ground.spawn(&mut command, &folder, Signal::Int)?;
    ready::wait(Kind::Postgres, address, &mut running)?;
    let about = format!("{} on {address}", programs.postgres.display());
    Ok(Started {
        url: format!("postgres://postgres@{address}/postgres"),
        pid_file: Some(folder.pid_file()),
        about,
    })
}

fn initialize(programs: &Programs, folder: &Folder, data: &Path) -> Result<()> {
    let mut command = Command::new(&programs.initdb);
    command.arg("-D").arg(data).args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    if let Some(user) = &folder.user {
        user.run(&mut command);
    }
    let output = command
        .current_dir(&folder.path)
        .stdin(Stdio::null())
        .output()
        .context("initdb did not start")?;
    ensure!(
        output.status.success(),
        "initdb failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(DEBIAN_VERSIONS) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, folder)| folder).collect()
}
