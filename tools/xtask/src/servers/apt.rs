//! Debian packages of the servers, installed when root runs the tests on a machine that lacks them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::servers::Kind;
use crate::servers::user::is_root;

/// A script that is asked whether a package may start its service; exit code 101 forbids it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Forbids starts while it lives, unless the machine has a policy of its own.
struct NoStarts {
    is_ours: bool,
}

pub(crate) fn is_possible() -> bool {
    is_root() && Path::new("/usr/bin/apt-get").exists()
}

pub(crate) fn install(kinds: &[Kind]) -> Result<()> {
    let packages: Vec<&str> = kinds.iter().map(|kind| package(*kind)).collect();
    println!("installing {}", packages.join(", "));
    let _no_starts = NoStarts::begin()?;
    apt_get(&["update"])?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments)
}

fn package(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgresql",
        Kind::Rabbitmq => "rabbitmq-server",
        Kind::Redis => "redis-server",
    }
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(["--quiet=2", "-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("apt-get did not start")?;
    ensure!(
        status.success(),
        "apt-get {} failed ({status})",
        arguments.join(" ")
    );
    Ok(())
}

// === impl NoStarts ===

impl NoStarts {
    fn begin() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { is_ours: false });
        }
        std::fs::write(POLICY, "#!/bin/sh\nexit 101\n")
            .with_context(|| format!("{POLICY} cannot be written"))?;
        std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))?;
        Ok(Self { is_ours: true })
    }
}

impl Drop for NoStarts {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = std::fs::remove_file(POLICY)
        {
            eprintln!("warning: {POLICY} was not removed: {error}");
        }
    }
}
