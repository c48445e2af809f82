//! What came of a suite: counts, what went wrong, and how the time compares with the budget.

use std::time::Duration;

use crate::harness::Tally;
use crate::process::Ended;
use crate::suites::minutes;
use crate::workspace::is_ci;

/// What came of one suite.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// One line for each thing that went wrong.
    pub(crate) problems: Vec<String>,
    pub(crate) took: Duration,
    pub(crate) budget: Duration,
}

// === impl Report ===

impl Report {
    pub(crate) fn fail(&mut self, problem: String) {
        self.failed += 1;
        self.problems.push(problem);
    }

    /// Counts a command as one check.
    pub(crate) fn count(&mut self, ended: Ended, what: &str) {
        match ended {
            Ended::Success => self.passed += 1,
            Ended::Failure(status) => self.fail(format!("{what} failed ({status})")),
            Ended::TimedOut => self.fail(format!("{what} was stopped")),
        }
    }

    /// Counts the tests of one binary.
    pub(crate) fn add(&mut self, name: &str, ended: Ended, tally: &Tally) {
        self.passed += tally.totals.passed;
        self.failed += tally.totals.failed;
        self.problems.extend(
            tally
                .failed
                .iter()
                .map(|test| format!("{name} {test} failed")),
        );
        match ended {
            Ended::Success if tally.totals.results == 0 && name != "doc" => {
                self.fail(format!("{name} ended without a result"))
            }
            Ended::Failure(status) if tally.totals.failed == 0 => {
                self.fail(format!("{name} ended without a result ({status})"))
            }
            Ended::TimedOut => self.fail(format!("{name} was stopped")),
            Ended::Success | Ended::Failure(_) => {}
        }
        if tally.unnamed() > 0 {
            println!(
                "{name}: {} tests ran whose names could not be read; does a test write to standard output?",
                tally.unnamed()
            );
        }
        for test in &tally.ignored {
            let problem = format!("{name} {test}");
            if is_ci() {
                self.fail(problem)
            } else {
                println!("skipped: {problem}")
            }
        }
    }

    pub(crate) fn line(&self) -> String {
        let late = if self.took > self.budget {
            "  OVER ITS BUDGET"
        } else {
            ""
        };
        let counts = format!("{:>5} passed, {:>3} failed", self.passed, self.failed);
        if self.budget.is_zero() {
            return format!("{:<10} {counts}", self.name);
        }
        format!(
            "{:<10} {counts} {:>9} of {:>8}{late}",
            self.name,
            minutes(self.took),
            minutes(self.budget)
        )
    }
}

/// Passed and failed, over all suites.
pub(crate) fn totals(reports: &[Report]) -> (usize, usize) {
    reports.iter().fold((0, 0), |(passed, failed), report| {
        (passed + report.passed, failed + report.failed)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.take(line));
        tally
    }

    #[test]
    fn a_binary_that_dies_without_a_result_is_a_failure() {
        let mut report = Report::default();
        report.add("a/it", Ended::Success, &tally(&["test one ... ok"]));
        report.add("b/it", Ended::TimedOut, &tally(&[]));
        assert_eq!((report.passed, report.failed), (0, 2));
    }

    #[test]
    fn a_failed_test_is_counted_once_and_named() {
        let mut report = Report::default();
        let lines = [
            "test one ... ok",
            "test two ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored",
        ];
        report.add(
            "a/it",
            Ended::Failure(ExitStatus::from_raw(101 << 8)),
            &tally(&lines),
        );
        assert_eq!((report.passed, report.failed), (1, 1));
        assert_eq!(report.problems, ["a/it two failed"]);
    }

    #[test]
    fn a_suite_over_its_budget_says_so() {
        let report = Report {
            name: "unit",
            budget: Duration::from_secs(60),
            took: Duration::from_secs(61),
            ..Report::default()
        };
        assert!(
            report.line().ends_with("OVER ITS BUDGET"),
            "{}",
            report.line()
        );
    }
}
