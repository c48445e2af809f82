//! RabbitMQ from programs on this machine: a node that shares nothing with another one, neither
//! name, cookie, ports nor port mapper.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::guard::Signal;
use crate::process::pause;
use crate::servers::ground::{Folder, Ground, find_program, free_address};
use crate::servers::user::User;
use crate::servers::{Kind, Started, ready};

/// Debian's command on the search path insists on its own user and folders; the program behind it
/// does not.
const DEBIAN_PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
/// How long Erlang's port mapper may take to listen.
const EPMD_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Programs {
    server: PathBuf,
    epmd: PathBuf,
}

pub(crate) fn programs() -> Option<Programs> {
    let server = find_program("rabbitmq-server", &[PathBuf::from(DEBIAN_PROGRAMS)])?;
    Some(Programs {
        server,
        epmd: find_program("epmd", &[])?,
    })
}

pub(crate) fn start(ground: &mut Ground<'_>) -> Result<Started> {
    let programs = programs().context("the programs are gone")?;
    let folder = ground.folder("rabbitmq", User::to_run_as(&["rabbitmq", "nobody"])?)?;
    let amqp = free_address()?;
    let epmd = start_epmd(&programs, ground, &folder)?;
    let mut command = folder.keep(&programs.server);
    configure(&mut command, &folder.path, amqp, epmd)?;
    let mut running = ground.spawn(&mut command, &folder, Signal::Term)?;
    ready::wait(Kind::Rabbitmq, amqp, &mut running)?;
    Ok(Started {
        url: format!("amqp://guest:guest@{amqp}/%2f"),
        pid_file: Some(folder.pid_file()),
        about: format!("{} on {amqp}", programs.server.display()),
    })
}

/// A port mapper that the node would start by itself would outlive it.
fn start_epmd(programs: &Programs, ground: &mut Ground<'_>, folder: &Folder) -> Result<SocketAddr> {
    let address = free_address()?;
    let mut command = Command::new(&programs.epmd);
    command.args([
        "-address",
        "127.0.0.1",
        "-port",
        &address.port().to_string(),
    ]);
    ground.spawn(&mut command, folder, Signal::Term)?;
    let deadline = Instant::now() + EPMD_LIMIT;
    while std::net::TcpStream::connect(address).is_err() {
        ensure!(
            Instant::now() < deadline,
            "Erlang's port mapper does not listen on {address}"
        );
        pause(Duration::from_millis(20));
    }
    Ok(address)
}

fn configure(command: &mut Command, dir: &Path, amqp: SocketAddr, epmd: SocketAddr) -> Result<()> {
    let settings = format!(
        "listeners.tcp.1 = {amqp}\n\
         disk_free_limit.absolute = 200MB\n\
         vm_memory_high_watermark.absolute = 1GB\n\
         raft.wal_max_size_bytes = 67108864\n\
         log.file = false\n\
         log.console = true\n\
         log.console.level = warning\n"
    );
    write(&dir.join("rabbitmq.conf"), &settings)?;
    // No plugin, above all no management: tests speak AMQP only.
    write(&dir.join("enabled_plugins"), "[].\n")?;
    let search_path = crate::workspace::variable("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", search_path)
        .env("LANG", "C.UTF-8")
        .env("HOME", dir)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", epmd.port().to_string())
        .env(
            "RABBITMQ_NODENAME",
            format!("paymesh-{}@localhost", amqp.port()),
        )
        .env("RABBITMQ_DIST_PORT", free_address()?.port().to_string())
        .env("RABBITMQ_CONF_ENV_FILE", dir.join("no-environment-file"))
        .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", dir.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", dir.join("log"))
        .env("RABBITMQ_PID_FILE", dir.join("pid"))
        // The script then becomes the node, instead of a shell in front of it.
        .env("RUNNING_UNDER_SYSTEMD", "true");
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
