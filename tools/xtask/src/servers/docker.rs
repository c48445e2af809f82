//! Servers in containers, when a Docker daemon answers. A command without a daemon behind it does
//! not count.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::guard::Resource;
use crate::servers::ground::Ground;
use crate::servers::{Kind, Started, ready};

pub(crate) fn is_available() -> bool {
    let answer = Command::new("docker")
        .arg("info")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    answer.is_ok_and(|status| status.success())
}

pub(crate) fn start(kind: Kind, ground: &mut Ground<'_>) -> Result<Started> {
    let (image, port) = image(kind);
    let mut arguments = vec!["run", "--detach", "--publish", port];
    match kind {
        Kind::Postgres => {
            arguments.extend(["--env", "POSTGRES_HOST_AUTH_METHOD=trust", image]);
            arguments.extend([
                "-c",
                "max_connections=300",
                "-c",
                "shared_buffers=256MB",
                "-c",
                "max_wal_size=2GB",
                "-c",
                "jit=off",
            ]);
        }
        Kind::Rabbitmq | Kind::Redis => arguments.push(image),
    }
    let id = docker(&arguments)?;
    ground.own(Resource::Container(id.clone()))?;
    let container_port = port.rsplit_once(':').map_or(port, |(_, port)| port);
    let published = docker(&["port", &id, container_port])?;
    let address: SocketAddr = published
        .lines()
        .next()
        .unwrap_or_default()
        .parse()
        .context("docker did not name the published port")?;
    ready::wait_for_foreign(kind, address)?;
    Ok(Started {
        pid_file: None,
        url: url(kind, address),
        about: format!("container {image} on {address}"),
    })
}

fn image(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Postgres => ("postgres:17", "127.0.0.1::5432"),
        // Within a container, strangers come from outside its loopback interface; so the default
        // user may, too, by the image's own setting.
        Kind::Rabbitmq => ("rabbitmq:4", "127.0.0.1::5672"),
        Kind::Redis => ("redis:7", "127.0.0.1::6379"),
    }
}

fn url(kind: Kind, address: SocketAddr) -> String {
    match kind {
        Kind::Postgres => format!("postgres://postgres@{address}/postgres"),
        Kind::Rabbitmq => format!("amqp://guest:guest@{address}/%2f"),
        Kind::Redis => format!("redis://{address}"),
    }
}

fn docker(arguments: &[&str]) -> Result<String> {
    let output = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("docker did not start")?;
    ensure!(
        output.status.success(),
        "docker {} failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
