//! `cargo xtask test`: runs suites one after the other, goes on after a failure, and says at the
//! end what passed.
//!
//! With `CI=true` the run has to prove everything: an ignored test, a server that cannot be had,
//! and a difference between the tests that ran and the checked-in list are failures.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::TestArguments;
use crate::binaries::{Build, Level, TestBinary};
use crate::docs;
use crate::executed::{self, Executed, Scope};
use crate::guard::Guard;
use crate::harness::Tally;
use crate::process::{Ended, Runner, Show, Stream};
use crate::report::{Report, totals};
use crate::schemathesis;
use crate::servers::{Kind, Servers};
use crate::suites::{self, BUILD, BUILD_RELEASE, Suite, Work, minutes};
use crate::workspace::{Workspace, is_ci};

/// A run in progress.
struct Run<'a> {
    workspace: &'a Workspace,
    factor: u32,
    guard: Guard,
    servers: Option<Servers>,
    /// None before it was prepared, and when it cannot be had.
    schemathesis: Option<PathBuf>,
    build: Option<Build>,
    executed: Executed,
    reports: Vec<Report>,
}

/// One suite of the run, while it runs.
struct Turn {
    runner: Runner,
    report: Report,
}

pub(crate) fn run(workspace: &Workspace, arguments: &TestArguments) -> Result<ExitCode> {
    let suites = suites::select(&arguments.suites)?;
    let mut run = Run {
        workspace,
        factor: arguments.budget_factor,
        guard: Guard::start()?,
        servers: None,
        schemathesis: None,
        build: None,
        executed: Executed::new(),
        reports: Vec::new(),
    };
    for suite in suites {
        run.suite(suite)?;
    }
    run.check_list(arguments)?;
    let succeeded = run.summarize();
    println!("stopping what was started");
    drop(run.guard);
    let (passed, failed) = totals(&run.reports);
    println!("{passed} passed, {failed} failed");
    Ok(if succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

// === impl Run ===

impl Run<'_> {
    fn suite(&mut self, suite: &Suite) -> Result<()> {
        let mut report = Report {
            name: suite.name,
            budget: suite.budget(self.factor),
            ..Report::default()
        };
        println!(
            "\n=== {}: {} (budget {})",
            suite.name,
            suite.about,
            minutes(report.budget)
        );
        if suite.servers == suites::Servers::Needed && self.has_tests(suite) {
            self.prepare_servers(&mut report)?;
            if suite.work == Work::Tests(Level::System) {
                self.prepare_schemathesis(&mut report);
            }
        }
        let log_path = self
            .workspace
            .own_dir()?
            .join(format!("{}.log", suite.name));
        let log = File::create(&log_path)
            .with_context(|| format!("{} cannot be made", log_path.display()))?;
        let begun = Instant::now();
        let runner = Runner {
            log,
            deadline: begun + suite.hard_limit(self.factor),
        };
        let mut turn = Turn { runner, report };
        match suite.work {
            Work::Cargo(arguments) => {
                let mut command = self.workspace.cargo(arguments);
                let ended = turn
                    .runner
                    .run(&mut self.guard, &mut command, |_, _| Show::Yes)?;
                turn.report
                    .count(ended, &format!("cargo {}", arguments.join(" ")));
            }
            Work::Build => self.build = self.build(BUILD, &mut turn)?,
            Work::Tests(level) => {
                self.tests(level, &mut turn)?;
                if level == Level::Tidy {
                    self.documents(&mut turn.report);
                }
            }
            Work::Doc => {
                let command =
                    self.workspace
                        .cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]);
                self.harness("doc", command, &mut turn)?;
            }
        }
        turn.report.took = begun.elapsed();
        println!(
            "{}; log: {}",
            turn.report.line(),
            self.workspace.relative(&log_path).display()
        );
        self.reports.push(turn.report);
        Ok(())
    }

    /// Builds and counts the build as one check; none when it failed.
    fn build(&mut self, arguments: &[&str], turn: &mut Turn) -> Result<Option<Build>> {
        let mut build = Build::default();
        let mut command = self.workspace.cargo(arguments);
        let ended =
            turn.runner
                .run(&mut self.guard, &mut command, |stream, line| match stream {
                    Stream::Out => {
                        build.take(line);
                        Show::No
                    }
                    Stream::Err => Show::Yes,
                })?;
        turn.report
            .count(ended, &format!("cargo {}", arguments.join(" ")));
        Ok((ended == Ended::Success).then_some(build))
    }

    fn tests(&mut self, level: Level, turn: &mut Turn) -> Result<()> {
        let Some(build) = &self.build else {
            turn.report
                .fail("not run, because the build failed".to_owned());
            return Ok(());
        };
        let binaries: Vec<TestBinary> = build
            .tests
            .iter()
            .filter(|binary| binary.level == level)
            .cloned()
            .collect();
        let mut paymesh = build.paymesh.clone();
        if level == Level::Release && !binaries.is_empty() {
            // Built once, for the one suite that needs it.
            let Some(release) = self.build(BUILD_RELEASE, turn)? else {
                return Ok(());
            };
            paymesh = release.paymesh;
        }
        for binary in binaries {
            turn.runner.say(&format!("--- {}", binary.name))?;
            let command = self.test_command(&binary, paymesh.as_ref());
            self.harness(&binary.name, command, turn)?;
        }
        Ok(())
    }

    /// What is made from other documents is as it would be made now.
    fn documents(&self, report: &mut Report) {
        match docs::check(self.workspace) {
            Ok(()) => report.passed += 1,
            Err(error) => report.fail(format!("{error:#}")),
        }
    }

    fn test_command(&self, binary: &TestBinary, paymesh: Option<&PathBuf>) -> Command {
        let mut command = Command::new(&binary.program);
        command
            .current_dir(&binary.package_dir)
            .env("CARGO_MANIFEST_DIR", &binary.package_dir);
        if let Some(paymesh) = paymesh {
            command.env("PAYMESH_BIN", paymesh);
        }
        if let Some(servers) = &self.servers {
            command.envs(servers.environment());
        }
        if let Some(program) = &self.schemathesis {
            command.env(schemathesis::VARIABLE, program);
        }
        command
    }

    /// Runs something that speaks as Rust's test harness does.
    fn harness(&mut self, name: &str, mut command: Command, turn: &mut Turn) -> Result<()> {
        let mut tally = Tally::default();
        let ended = turn
            .runner
            .run(&mut self.guard, &mut command, |stream, line| {
                if stream == Stream::Out {
                    tally.take(line);
                }
                Show::Yes
            })?;
        turn.report.add(name, ended, &tally);
        if !tally.executed.is_empty() {
            self.executed
                .entry(name.to_owned())
                .or_default()
                .extend(tally.executed);
        }
        Ok(())
    }

    /// Servers are started for the first suite that needs them, after everything is built.
    fn prepare_servers(&mut self, report: &mut Report) -> Result<()> {
        if self.servers.is_some() {
            return Ok(());
        }
        let (servers, problems) = Servers::prepare(self.workspace, &Kind::ALL, &mut self.guard)?;
        for problem in problems {
            println!("missing {problem}");
            if is_ci() {
                report.fail(problem);
            }
        }
        self.servers = Some(servers);
        Ok(())
    }

    fn prepare_schemathesis(&mut self, report: &mut Report) {
        let prepared = schemathesis::prepare(self.workspace).map_err(|error| {
            let problem = format!("schemathesis: {error:#}");
            println!("missing {problem}");
            if is_ci() {
                report.fail(problem);
            }
        });
        self.schemathesis = prepared.ok();
    }

    fn has_tests(&self, suite: &Suite) -> bool {
        let Some(build) = &self.build else {
            return false;
        };
        build
            .tests
            .iter()
            .any(|binary| suite.work == Work::Tests(binary.level))
    }

    /// Compares the tests that ran with the checked-in list, or rewrites it.
    fn check_list(&mut self, arguments: &TestArguments) -> Result<()> {
        if self.executed.is_empty() {
            return Ok(());
        }
        let scope = if arguments.suites.is_empty() && self.build.is_some() {
            Scope::Whole
        } else {
            Scope::Part
        };
        if arguments.update_list {
            executed::update(self.workspace, &self.executed, scope)?;
            println!("\n{} is written", executed::PATH);
            return Ok(());
        }
        let differences = executed::compare(self.workspace, &self.executed, scope)?;
        if !is_ci() {
            if !differences.is_empty() {
                println!(
                    "\n{} differs from what ran in {} lines; `cargo xtask test --update-list` writes it",
                    executed::PATH,
                    differences.len()
                );
            }
            return Ok(());
        }
        let mut report = Report {
            name: "list",
            ..Report::default()
        };
        if differences.is_empty() {
            report.passed = 1;
        } else {
            println!(
                "\n{} differs from what ran:\n{}",
                executed::PATH,
                differences.join("\n")
            );
            report.fail(format!(
                "{} tests differ from {}; `cargo xtask test --update-list` writes it",
                differences.len(),
                executed::PATH
            ));
        }
        self.reports.push(report);
        Ok(())
    }

    /// Prints the table; whether all is well.
    fn summarize(&self) -> bool {
        println!("\n=== summary");
        for report in &self.reports {
            println!("{}", report.line());
        }
        for report in &self.reports {
            for problem in &report.problems {
                println!("{}: {problem}", report.name);
            }
        }
        totals(&self.reports).1 == 0
    }
}
