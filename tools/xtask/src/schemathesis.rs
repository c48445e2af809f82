//! The fuzzing client of the system tests: a Python program in a virtual environment of its own, beside the build output. Its
//! versions, and those of all that it stands on, are pinned in `schemathesis.txt`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, variable};

/// The variable that names the program to tests, and by which one of one's own is named.
pub(crate) const VARIABLE: &str = "PAYMESH_TEST_SCHEMATHESIS";

const REQUIREMENTS: &str = include_str!("../schemathesis.txt");

/// Installs it unless it is there; the program.
pub(crate) fn prepare(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(program) = variable(VARIABLE) {
        return Ok(program.into());
    }
    let folder = workspace.own_dir()?.join("schemathesis");
    let program = folder.join("bin/schemathesis");
    // Written last, so that an interrupted installation is begun anew.
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(program);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    println!("installing schemathesis");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let wanted = folder.join("wanted.txt");
    fs::write(&wanted, REQUIREMENTS)?;
    run(Command::new(folder.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
        ])
        .args([
            "--disable-pip-version-check",
            "--timeout=30",
            "--retries=2",
            "--requirement",
        ])
        .arg(&wanted))?;
    fs::rename(wanted, installed)?;
    Ok(program)
}

fn run(command: &mut Command) -> Result<()> {
    let ended = command
        .output()
        .with_context(|| format!("{} does not start", command.get_program().display()))?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        let last = said.lines().last().unwrap_or_default();
        bail!("{}: {last}", command.get_program().display());
    }
    Ok(())
}
