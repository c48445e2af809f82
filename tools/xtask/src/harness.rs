//! Reads what a test binary says: the name and the outcome of each test, and the totals.
//!
//! Limits: names are read from the harness' own lines on standard output. A test whose child
//! process writes there in the middle of such a line hides a name; the totals then show it, and the
//! list of executed tests misses it.

use std::collections::BTreeSet;

/// Tests of one binary, or of all documentation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// What ran, whether it passed or failed.
    pub(crate) executed: BTreeSet<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) ignored: Vec<String>,
    pub(crate) totals: Totals,
}

/// Sums of the harness' own result lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) results: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

// === impl Tally ===

impl Tally {
    /// Takes one line of standard output.
    pub(crate) fn take(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.totals.add(rest);
        } else if let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        {
            let name = stable_name(name);
            if outcome == "ok" {
                self.executed.insert(name);
            } else if outcome == "FAILED" {
                self.failed.push(name.clone());
                self.executed.insert(name);
            } else if outcome.starts_with("ignored") {
                self.ignored.push(format!("{name} ({outcome})"));
            }
        }
    }

    /// How many of the counted tests were not read by name.
    pub(crate) fn unnamed(&self) -> usize {
        (self.totals.passed.saturating_add(self.totals.failed)).saturating_sub(self.executed.len())
    }
}

// === impl Totals ===

impl Totals {
    /// Adds a line like `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in
    /// 0.01s`.
    fn add(&mut self, line: &str) {
        self.results = self.results.saturating_add(1);
        let counts = line.split_once(". ").map_or(line, |(_, counts)| counts);
        for count in counts.split("; ") {
            let Some((number, what)) = count.split_once(' ') else {
                continue;
            };
            let number: usize = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed = self.passed.saturating_add(number),
                "failed" => self.failed = self.failed.saturating_add(number),
                _ => {}
            }
        }
    }
}

/// A test's name without what changes when something else in the file does.
fn stable_name(name: &str) -> String {
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    match name.split_once(" (line ") {
        // Documentation: `src/lib.rs - Money::add (line 12) - compile fail`.
        Some((place, _)) => place.to_owned(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.take(line));
        tally
    }

    #[test]
    fn outcomes_are_read_by_name() {
        let tally = tally(&[
            "running 4 tests",
            "test a::passes ... ok",
            "test a::must_panic - should panic ... ok",
            "test b::fails ... FAILED",
            "test c::waits ... ignored, needs a printer",
            "test d::is_slow has been running for over 60 seconds",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ]);
        assert_eq!(
            tally.executed.iter().collect::<Vec<_>>(),
            ["a::must_panic", "a::passes", "b::fails"]
        );
        assert_eq!(tally.failed, ["b::fails"]);
        assert_eq!(tally.ignored, ["c::waits (ignored, needs a printer)"]);
        assert_eq!(
            tally.totals,
            Totals {
                results: 1,
                passed: 2,
                failed: 1
            }
        );
        assert_eq!(tally.unnamed(), 0);
    }

    #[test]
    fn a_test_hidden_by_other_output_is_counted_as_unnamed() {
        let tally = tally(&[
            "noisetest a::passes ... ok",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured",
        ]);
        assert_eq!(tally.unnamed(), 1);
    }

    #[test]
    fn documentation_keeps_its_name_when_lines_move() {
        let tally = tally(&[
            "test src/lib.rs - Money::add (line 12) - compile fail ... ok",
            "test src/lib.rs - (line 3) ... ok",
        ]);
        assert_eq!(
            tally.executed.iter().collect::<Vec<_>>(),
            ["src/lib.rs -", "src/lib.rs - Money::add"]
        );
    }
}
