//! The checked-in list of tests: one that stops running is a failure, not a silence.
//!
//! A line is `<binary> <test>`. Only binaries that ran are compared, so that a part of the suites
//! can be run and updated alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Where the list is, from the root of the workspace.
pub(crate) const PATH: &str = "services/e2e/tests/executed.txt";

/// Names of tests by the binary that has them.
pub(crate) type Executed = BTreeMap<String, BTreeSet<String>>;

/// How complete a run was, which decides what may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every suite ran: a listed binary that did not run is missing.
    Whole,
    /// Some suites ran: the others' lines are taken as they are.
    Part,
}

/// Compares with the checked-in list: one line per difference.
pub(crate) fn compare(
    workspace: &Workspace,
    executed: &Executed,
    scope: Scope,
) -> Result<Vec<String>> {
    let listed = parse(&std::fs::read_to_string(path(workspace)).unwrap_or_default());
    Ok(difference(&listed, executed, scope))
}

/// Rewrites the checked-in list.
pub(crate) fn update(workspace: &Workspace, executed: &Executed, scope: Scope) -> Result<()> {
    let path = path(workspace);
    let mut list = match scope {
        Scope::Whole => Executed::new(),
        Scope::Part => parse(&std::fs::read_to_string(&path).unwrap_or_default()),
    };
    list.extend(executed.clone());
    std::fs::write(&path, render(&list))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.root.join(PATH)
}

fn parse(text: &str) -> Executed {
    let mut list = Executed::new();
    for (binary, test) in text.lines().filter_map(|line| line.split_once(' ')) {
        list.entry(binary.to_owned())
            .or_default()
            .insert(test.to_owned());
    }
    list
}

fn render(list: &Executed) -> String {
    list.iter()
        .flat_map(|(binary, tests)| tests.iter().map(move |test| format!("{binary} {test}\n")))
        .collect()
}

fn difference(listed: &Executed, executed: &Executed, scope: Scope) -> Vec<String> {
    let none = BTreeSet::new();
    let mut lines = Vec::new();
    for (binary, tests) in listed {
        if scope == Scope::Part && !executed.contains_key(binary) {
            continue;
        }
        let ran = executed.get(binary).unwrap_or(&none);
        lines.extend(
            tests
                .difference(ran)
                .map(|test| format!("- {binary} {test}   (listed, did not run)")),
        );
    }
    for (binary, tests) in executed {
        let known = listed.get(binary).unwrap_or(&none);
        lines.extend(
            tests
                .difference(known)
                .map(|test| format!("+ {binary} {test}   (ran, is not listed)")),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_a_new_test_are_both_named() {
        let listed = parse("a/it one\na/it two\n");
        let executed = parse("a/it two\na/it three with spaces\n");
        let expected = [
            "- a/it one   (listed, did not run)",
            "+ a/it three with spaces   (ran, is not listed)",
        ];
        assert_eq!(difference(&listed, &executed, Scope::Part), expected);
        assert!(difference(&listed, &listed, Scope::Whole).is_empty());
    }

    #[test]
    fn a_binary_that_did_not_run_is_missing_only_from_a_whole_run() {
        let listed = parse("a/it one\nb/it two\n");
        let executed = parse("a/it one\n");
        assert!(difference(&listed, &executed, Scope::Part).is_empty());
        assert_eq!(
            difference(&listed, &executed, Scope::Whole),
            ["- b/it two   (listed, did not run)"]
        );
    }

    #[test]
    fn a_list_survives_being_written_and_read() {
        let text = "a/it one\na/it two\nb/lib src/x.rs - three\n";
        assert_eq!(render(&parse(text)), text);
    }
}
