//! `cargo xtask docs`: writes `docs/errors.md` from the tables of errors in the READMEs under `services`.
//!
//! A component says in its own README which reasons it gives and what to do about each; the document puts them side by
//! side. A table is known by its header, so a new README needs no entry here. `tidy` finds a reason in the code that no
//! table has.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use self::table::{Entry, KINDS, Key, Outcome, parse};
use crate::workspace::Workspace;

/// What is written, from the root of the workspace.
const ERRORS: &str = "docs/errors.md";
/// Where READMEs are, from the root of the workspace.
const FOLDERS: [&str; 2] = ["services", "services/foundation"];
const INTRODUCTION: &str = "# Errors

Every reason that an error can have, and what to do about it. This document is written by `cargo xtask docs` from the tables in the
READMEs under [services](../services/README.md): correct a line there, not here.

An error over REST is a problem document (RFC 9457). Over gRPC the same facts are in `google.rpc.ErrorInfo`, `BadRequest` and `RetryInfo`.

| field | what it says |
| --- | --- |
| `reason` | one of the words below; it never changes its meaning. `type` leads to its line here |
| `outcome` | `not_processed`: certainly nothing happened. `unknown`: it may have happened; send the same again with the same key, and the answer says what became of it |
| `detail` | what happened this time, for people; do not match on it |
| `errors` | the fields at fault, and the rule that each breaks |
| `retry_after_ms` | when a repeat makes sense; `Retry-After` says it in whole seconds |
| `request_id` | what to name when you ask for help |

A decline is not an error: the transaction is made, with the status `declined` and a reason of its own. Nor
is a transfer that the ledger rejects: [account](../services/account/README.md#what-becomes-of-a-transfer) lists those results.

An error of the kind Internal is told over REST with the reason `INTERNAL`, and so is what the mesh refuses a component: the reason
itself is in the log under the request id.
";

/// What `cargo xtask docs` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Writes the document.
    Write,
    /// Fails when the document is not as it would be written.
    Check,
}

pub(crate) fn run(workspace: &Workspace, mode: Mode) -> Result<ExitCode> {
    match mode {
        Mode::Write => {
            let path = workspace.root.join(ERRORS);
            std::fs::write(&path, document(&workspace.root)?)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            println!("{ERRORS} is written");
        }
        Mode::Check => {
            check(workspace)?;
            println!("{ERRORS} is as it should be");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails when the document is not what the READMEs say.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let written = std::fs::read_to_string(workspace.root.join(ERRORS)).unwrap_or_default();
    let wanted = document(&workspace.root)?;
    if let Some(difference) = first_difference(&written, &wanted) {
        bail!("{ERRORS} differs from the READMEs in {difference}; `cargo xtask docs` writes it");
    }
    Ok(())
}

fn document(root: &Path) -> Result<String> {
    let mut entries = Vec::new();
    for folder in FOLDERS {
        for (from, path) in readmes(&root.join(folder))? {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            let place = format!("{folder}/{from}/README.md");
            entries.extend(parse(&from, &text).with_context(|| place)?);
        }
    }
    Ok(render(&entries))
}

/// The READMEs of the crates in a folder, by the crates' folders.
fn readmes(folder: &Path) -> Result<BTreeMap<String, std::path::PathBuf>> {
    let mut found = BTreeMap::new();
    let listing = std::fs::read_dir(folder)
        .with_context(|| format!("{} cannot be listed", folder.display()))?;
    for crate_folder in listing {
        let crate_folder = crate_folder?;
        let path = crate_folder.path().join("README.md");
        if path.is_file() {
            found.insert(
                crate_folder.file_name().to_string_lossy().into_owned(),
                path,
            );
        }
    }
    Ok(found)
}

fn render(entries: &[Entry]) -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str(
        "\n## Kinds\n\n| kind | gRPC | HTTP | what it means |\n| --- | --- | --- | --- |\n",
    );
    for (name, code, status, meaning) in KINDS {
        line(
            &mut text,
            &format!("{name} | `{code}` | {status} | {meaning}"),
        );
    }
    text.push_str("\n## Reasons\n\n`kernel`, `chassis` and `mesh` stand in every component: any of them may give these reasons.\n");
    text.push_str(
        "\n| reason | from | HTTP | kind | what to do |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut lines: BTreeMap<&Key, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        lines.entry(&entry.key).or_default().push(entry);
    }
    let mut last = "";
    for (key, entries) in lines {
        let from: BTreeSet<&str> = entries.iter().map(|entry| entry.from.as_str()).collect();
        // The first line of a reason is where problems lead.
        let anchor = if last == key.reason {
            String::new()
        } else {
            format!("<a id=\"{}\"></a>", key.reason.to_lowercase())
        };
        last = &key.reason;
        let reason = &key.reason;
        let from = names(&from);
        let status = key
            .status
            .map_or("–".to_owned(), |status| status.to_string());
        let is_unknown = entries
            .iter()
            .any(|entry| entry.outcome == Outcome::Unknown);
        let outcome = if is_unknown {
            ", outcome `unknown`"
        } else {
            ""
        };
        let kind = &key.kind;
        let advice = advice(&entries);
        line(
            &mut text,
            &format!("`{reason}`{anchor} | {from} | {status} | {kind}{outcome} | {advice}"),
        );
    }
    text
}

fn line(text: &mut String, cells: &str) {
    writeln!(text, "| {cells} |").expect("a string takes all that is written");
}

/// One advice for all, or each with those who give it.
fn advice(entries: &[&Entry]) -> String {
    let mut by_advice: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in entries {
        by_advice
            .entry(&entry.advice)
            .or_default()
            .insert(&entry.from);
    }
    if by_advice.len() == 1 {
        return by_advice.into_keys().collect();
    }
    let mut parts: Vec<String> = by_advice
        .into_iter()
        .map(|(advice, from)| format!("{}: {advice}", names(&from)))
        .collect();
    parts.sort();
    parts.join("<br>")
}

fn names(of: &BTreeSet<&str>) -> String {
    of.iter().copied().collect::<Vec<_>>().join(", ")
}

/// The first line in which the texts differ.
fn first_difference(written: &str, wanted: &str) -> Option<String> {
    if written == wanted {
        return None;
    }
    let is_other = |(one, other): (&str, &str)| one != other;
    let place = written
        .lines()
        .zip(wanted.lines())
        .position(is_other)
        .unwrap_or_else(|| written.lines().count().min(wanted.lines().count()));
    let wanted = wanted.lines().nth(place).unwrap_or("the end");
    Some(format!("line {}: `{wanted}` is wanted", place + 1))
}

#[cfg(test)]
mod tests;
