//! The suites of `cargo xtask test`, in the order in which they run.
//!
//! Lints and tests compile the workspace in different ways and share nothing; so each does it once,
//! and no suite builds again.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::binaries::Level;

/// One part of a test run.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// What it may take from nothing on two cores, in minutes. A suite that runs over is reported,
    /// and stopped at [`HARD_LIMIT`] times as much.
    budget_min: u32,
    pub(crate) work: Work,
    pub(crate) servers: Servers,
}

/// What a suite does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// One cargo command that passes or fails.
    Cargo(&'static [&'static str]),
    /// Builds the test binaries and the platform's own; runs for every suite behind it.
    Build,
    /// The test binaries of one level.
    Tests(Level),
    /// The examples in documentation.
    Doc,
}

/// Whether a suite talks to PostgreSQL, RabbitMQ and Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Servers {
    Needed,
    NotNeeded,
}

/// How many times its budget a suite may take before it is stopped.
const HARD_LIMIT: u32 = 3;

pub(crate) const BUILD: &[&str] = &[
    "build",
    "--workspace",
    "--bins",
    "--tests",
    "--message-format=json-render-diagnostics",
];
pub(crate) const BUILD_RELEASE: &[&str] = &[
    "build",
    "--release",
    "--package=paymesh",
    "--bin=paymesh",
    "--message-format=json-render-diagnostics",
];

pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "format",
        about: "the sources are formatted",
        budget_min: 1,
        work: Work::Cargo(&["fmt", "--all", "--check"]),
        servers: Servers::NotNeeded,
    },
    Suite {
        name: "clippy",
        about: "no lint warns, in any target",
        budget_min: 10,
        work: Work::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny=warnings",
        ]),
        servers: Servers::NotNeeded,
    },
    Suite {
        name: "build",
        about: "every test and the binary compile",
        budget_min: 12,
        work: Work::Build,
        servers: Servers::NotNeeded,
    },
    Suite {
        name: "tidy",
        about: "the rules of the tree are kept, and what is generated is up to date",
        budget_min: 1,
        work: Work::Tests(Level::Tidy),
        servers: Servers::NotNeeded,
    },
    Suite {
        name: "unit",
        about: "domain rules and properties, beside the code",
        budget_min: 3,
        work: Work::Tests(Level::Unit),
        servers: Servers::Needed,
    },
    Suite {
        name: "doc",
        about: "the examples in documentation",
        budget_min: 2,
        work: Work::Doc,
        servers: Servers::NotNeeded,
    },
    Suite {
        name: "contract",
        about: "the foundation's promises on every storage and broker",
        budget_min: 5,
        work: Work::Tests(Level::Contract),
        servers: Servers::Needed,
    },
    Suite {
        name: "component",
        about: "each component behind its real interface",
        budget_min: 6,
        work: Work::Tests(Level::Component),
        servers: Servers::Needed,
    },
    Suite {
        name: "system",
        about: "the platform, all in one and split",
        budget_min: 8,
        work: Work::Tests(Level::System),
        servers: Servers::Needed,
    },
    Suite {
        name: "release",
        about: "the platform as delivered: optimized, killed, measured",
        budget_min: 12,
        work: Work::Tests(Level::Release),
        servers: Servers::Needed,
    },
];

// === impl Suite ===

impl Suite {
    pub(crate) fn budget(&self, factor: u32) -> Duration {
        Duration::from_secs(60)
            .saturating_mul(self.budget_min)
            .saturating_mul(factor)
    }

    pub(crate) fn hard_limit(&self, factor: u32) -> Duration {
        self.budget(factor).saturating_mul(HARD_LIMIT)
    }

    fn needs_build(&self) -> bool {
        match self.work {
            Work::Tests(_) => true,
            Work::Cargo(_) | Work::Build | Work::Doc => false,
        }
    }
}

/// The named suites in running order, with the build before those that need it; all of them when
/// none is named.
pub(crate) fn select(names: &[String]) -> Result<Vec<&'static Suite>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !SUITES.iter().any(|suite| suite.name == *name))
    {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!(
            "there is no suite `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    let is_named = |suite: &Suite| names.is_empty() || names.iter().any(|name| name == suite.name);
    let build = SUITES
        .iter()
        .any(|suite| is_named(suite) && suite.needs_build());
    Ok(SUITES
        .iter()
        .filter(|suite| is_named(suite) || (build && suite.work == Work::Build))
        .collect())
}

pub(crate) fn print_list(factor: u32) {
    for suite in SUITES {
        println!(
            "{:<10} {:>7}  {}",
            suite.name,
            minutes(suite.budget(factor)),
            suite.about
        );
    }
}

/// A duration as people say it: `45 s`, `3.5 min`.
pub(crate) fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 60.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn names(of: &[&str]) -> Vec<&'static str> {
        let of: Vec<String> = of.iter().map(|&name| name.to_owned()).collect();
        select(&of)
            .unwrap()
            .iter()
            .map(|suite| suite.name)
            .collect()
    }

    #[test]
    fn the_build_comes_before_the_tests_that_need_it_and_only_then() {
        assert_eq!(names(&["unit", "format"]), ["format", "build", "unit"]);
        assert_eq!(names(&["clippy"]), ["clippy"]);
        assert_eq!(names(&[]).len(), SUITES.len());
    }

    #[test]
    fn an_unknown_suite_is_answered_with_the_known_ones() {
        let error = select(&["unitt".to_owned()]).unwrap_err().to_string();
        assert!(
            error.contains("`unitt`") && error.contains("component"),
            "{error}"
        );
    }

    #[test]
    fn every_level_of_tests_has_a_suite() {
        let levels = [
            Level::Tidy,
            Level::Unit,
            Level::Contract,
            Level::Component,
            Level::System,
            Level::Release,
        ];
        for level in levels {
            assert!(
                SUITES.iter().any(|suite| suite.work == Work::Tests(level)),
                "{level:?}"
            );
        }
    }

    #[test]
    fn a_cold_run_fits_into_an_hour() {
        let total: Duration = SUITES.iter().map(|suite| suite.budget(1)).sum();
        assert!(total <= Duration::from_secs(60 * 60), "{}", minutes(total));
    }
}
