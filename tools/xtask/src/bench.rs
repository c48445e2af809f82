//! `cargo xtask bench`: the full bench of payments, all in one and split, written to docs/performance.md.

use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};
use clap::Args;

use crate::guard::Guard;
use crate::servers::{Kind, Servers};
use crate::workspace::Workspace;

/// Where the figures go.
const TABLE: &str = "docs/performance.md";

#[derive(Args, Debug)]
pub(crate) struct BenchArguments {
    /// Payments a second.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// How long, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only the modes whose test's name holds this: `split` or `all_in_one`.
    #[arg(long, default_value = "")]
    mode: String,
    /// Shows the figures and writes nothing.
    #[arg(long)]
    dry: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<ExitCode> {
    let mut guard = Guard::start()?;
    cargo(
        workspace,
        &["build", "--release", "--package=paymesh", "--bin=paymesh"],
    )?;
    cargo(
        workspace,
        &["test", "--package=paymesh-e2e", "--test=bench", "--no-run"],
    )?;
    let (servers, problems) = Servers::prepare(workspace, &Kind::ALL, &mut guard)?;
    ensure!(
        problems.is_empty(),
        "not all servers could be started\n{}",
        problems.join("\n")
    );
    let mut command = workspace.cargo(&[
        "test",
        "--package=paymesh-e2e",
        "--test=bench",
        "--",
        "--nocapture",
        "--test-threads=1",
    ]);
    if !arguments.mode.is_empty() {
        command.arg(&arguments.mode);
    }
    command
        .env("PAYMESH_BIN", workspace.target.join("release/paymesh"))
        .env("PAYMESH_BENCH_RATE", arguments.rate.to_string())
        .env("PAYMESH_BENCH_SECONDS", arguments.seconds.to_string())
        .envs(servers.environment());
    if !arguments.dry {
        command.env("PAYMESH_BENCH_WRITE", workspace.root.join(TABLE));
    }
    Ok(if command.status()?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let mut command: Command = workspace.cargo(arguments);
    ensure!(
        command.status()?.success(),
        "cargo {} failed",
        arguments.join(" ")
    );
    Ok(())
}
