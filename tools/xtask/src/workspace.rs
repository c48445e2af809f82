//! Where the workspace is, where its build output goes, and how cargo and the environment are
//! reached.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What `cargo run` tells a program about its own package. A cargo that this program calls must not see it: build
/// scripts that ask for it (ring's does) would run again, and all that stands on them be built anew, whenever cargo is
/// called now by hand and now from here.
const OWN_PACKAGE: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// The root of the workspace and the folder of its build output.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
}

// === impl Workspace ===

impl Workspace {
    /// Asks cargo, so that a moved target folder is honoured.
    pub(crate) fn find() -> Result<Self> {
        let output = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .stderr(Stdio::inherit())
            .output()
            .context("cargo metadata did not start")?;
        ensure!(output.status.success(), "cargo metadata failed");
        serde_json::from_slice(&output.stdout)
            .context("cargo metadata answered something else than expected")
    }

    /// A cargo command in the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root).args(arguments);
        for name in OWN_PACKAGE {
            command.env_remove(name);
        }
        if is_ci() {
            // Nobody builds here a second time, and the disk is not for that.
            command.env("CARGO_INCREMENTAL", "0");
        }
        // Cargo writes into a pipe here, and would not see that its words end on a terminal.
        if std::io::stdout().is_terminal()
            && variable("CARGO_TERM_COLOR").is_none()
            && variable("NO_COLOR").is_none()
        {
            command.env("CARGO_TERM_COLOR", "always");
        }
        command
    }

    /// The folder of logs and of the state that outlives a task; it exists when this returns.
    pub(crate) fn own_dir(&self) -> Result<PathBuf> {
        let dir = self.target.join("xtask");
        std::fs::create_dir_all(&dir)
            .with_context(|| format!("{} cannot be made", dir.display()))?;
        Ok(dir)
    }

    /// A path as it is written inside the workspace.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

/// Whether the run must prove everything: nothing may be skipped, and the list of tests must fit.
pub(crate) fn is_ci() -> bool {
    variable("CI").is_some_and(|value| value == "true" || value == "1")
}

/// An environment variable that is set and not empty.
#[allow(
    clippy::disallowed_methods,
    reason = "xtask is configured by the environment of the build, as cargo is"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn cargo() -> String {
    variable("CARGO").unwrap_or_else(|| "cargo".to_owned())
}
