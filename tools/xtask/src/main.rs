//! The project's own tasks, run as `cargo xtask <task>`.
//!
//! `test` checks everything there is to check, `servers` prepares the PostgreSQL, RabbitMQ and
//! Redis that the tests talk to, `docs` writes the documents that are made from others. What a task
//! starts ends with the task, however the task ends: see [`guard`].

#![allow(
    clippy::print_stdout,
    reason = "a task talks to the person who runs it"
)]

mod bench;
mod binaries;
mod docs;
mod executed;
mod guard;
mod harness;
mod process;
mod report;
mod schemathesis;
mod servers;
mod suites;
mod test_run;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::servers::Kind;
use crate::workspace::Workspace;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Checks everything: format, lints, and the tests of every level.
    Test(TestArguments),
    /// Prepares PostgreSQL, RabbitMQ and Redis for tests run by hand.
    Servers {
        #[command(subcommand)]
        task: ServersTask,
    },
    /// Measures payments at full length and writes docs/performance.md.
    Bench(bench::BenchArguments),
    /// Writes docs/errors.md from the READMEs under services.
    Docs {
        /// Writes nothing, and fails when the document is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Waits for the end of the task that started it, and stops what that task left.
    #[command(hide = true)]
    Guard,
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// The suites to run; without one, all of them.
    suites: Vec<String>,
    /// Lists the suites and their time budgets, and runs nothing.
    #[arg(long)]
    list: bool,
    /// Writes the names of the executed tests to the checked-in list instead of comparing them with
    /// it.
    #[arg(long)]
    update_list: bool,
    /// Multiplies the time budgets, for a slow or busy machine.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    budget_factor: u32,
}

#[derive(Debug, Subcommand)]
enum ServersTask {
    /// Starts the servers and leaves them running; later test runs use them.
    Up {
        /// The servers to start; without one, all of them.
        servers: Vec<Kind>,
    },
    /// Stops what `up` has started.
    Down,
    /// Prints the environment of the running servers, for `eval "$(cargo xtask servers env)"`.
    Env,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.task {
        Task::Test(arguments) if arguments.list => {
            suites::print_list(arguments.budget_factor);
            Ok(ExitCode::SUCCESS)
        }
        Task::Test(arguments) => test_run::run(&Workspace::find()?, &arguments),
        Task::Servers { task } => {
            let workspace = Workspace::find()?;
            match task {
                ServersTask::Up { servers } => servers::up(&workspace, &servers)?,
                ServersTask::Down => servers::down(&workspace)?,
                ServersTask::Env => servers::print_env(&workspace)?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Task::Bench(arguments) => bench::run(&Workspace::find()?, &arguments),
        Task::Docs { check } => {
            let mode = if check {
                docs::Mode::Check
            } else {
                docs::Mode::Write
            };
            docs::run(&Workspace::find()?, mode)
        }
        Task::Guard => {
            guard::watch(std::io::stdin().lock());
            Ok(ExitCode::SUCCESS)
        }
    }
}
