//! What documents promise: links that lead somewhere, names that exist, and a line for every reason of an error.

mod names;

use std::collections::BTreeSet;

use crate::source::{code_of, strings};
use crate::tree::{Tree, Violation};

pub(crate) use names::names;

const ERRORS: &str = "docs/errors.md";

pub(crate) fn links(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in tree.files_ending(".md") {
        for (line, target) in link_targets(text) {
            violations.extend(
                broken(tree, path, target).map(|advice| Violation::new(path, line, advice)),
            );
        }
    }
    violations
}

/// In force from the moment the document exists.
pub(crate) fn reasons(tree: &Tree) -> Vec<Violation> {
    let Some(document) = tree.files.get(ERRORS) else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    let mut known = BTreeSet::new();
    for (path, text) in tree.rust().filter(|(path, _)| is_delivered(path)) {
        for (line, reason) in reasons_in(text) {
            if known.insert(reason) && !document.contains(&format!("`{reason}`")) {
                let advice = format!(
                    "`{reason}` is not in {ERRORS}; say there what it means and what to do"
                );
                violations.push(Violation::new(path, line, advice));
            }
        }
    }
    for (index, line) in document.lines().enumerate() {
        let first = line
            .trim_start_matches(['|', ' ', '-', '*', '#'])
            .strip_prefix('`')
            .and_then(|rest| rest.split('`').next());
        if let Some(reason) = first.filter(|reason| is_reason(reason) && !known.contains(reason)) {
            violations.push(Violation::new(
                ERRORS,
                index + 1,
                format!("no error has the reason `{reason}`; take the line away"),
            ));
        }
    }
    violations
}

/// What is wrong with a link's target.
fn broken(tree: &Tree, document: &str, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    if file.contains("://") || file.starts_with("mailto:") {
        return None;
    }
    let file = if file.is_empty() {
        Some(document.to_owned())
    } else {
        resolve(document, file)
    };
    let Some(file) = file.filter(|file| file.is_empty() || tree.has(file)) else {
        return Some(format!(
            "`{target}` is not there; correct the link or write the file"
        ));
    };
    let text = tree
        .files
        .get(&file)
        .filter(|_| file.ends_with(".md") && !anchor.is_empty());
    let is_lost = text.is_some_and(|text| !has_anchor(text, anchor));
    is_lost.then(|| format!("`{target}`: {file} has no such heading"))
}

/// Where links and images lead, outside of code.
fn link_targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            is_code = !is_code;
        } else if !is_code {
            let in_line = line
                .match_indices("](")
                .filter(|(at, _)| !is_inline_code(line, *at));
            let in_line = in_line.filter_map(|(at, _)| line[at + 2..].split(')').next());
            let defined = trimmed
                .strip_prefix('[')
                .filter(|rest| !rest.starts_with('^'))
                .and_then(|rest| rest.split_once("]: "));
            let all = in_line.chain(defined.map(|(_, target)| target));
            // A target may be followed by a title.
            let all = all.map(|target| {
                target
                    .split_whitespace()
                    .next()
                    .unwrap_or("")
                    .trim_matches(['<', '>'])
            });
            targets.extend(
                all.filter(|target| !target.is_empty())
                    .map(|target| (index + 1, target)),
            );
        }
    }
    targets
}

fn is_inline_code(line: &str, at: usize) -> bool {
    line[..at].matches('`').count() % 2 == 1
}

/// A link's target from the root; none when it leads out of the repository.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => document.split('/').collect(),
    };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn has_anchor(text: &str, anchor: &str) -> bool {
    let headings = text
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|rest| slug(rest.trim_start_matches('#').trim()));
    let is_it = |slug: &str| {
        // A heading that occurs again gets a number.
        let rest = anchor.strip_prefix(slug);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('-')
                    .is_some_and(|n| n.parse::<u32>().is_ok())
        })
    };
    headings.into_iter().any(|slug| is_it(&slug)) || text.contains(&format!("id=\"{anchor}\""))
}

/// A heading as an anchor, the way code forges make it.
fn slug(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// What is shipped; the simulators' errors are those of a foreign provider.
fn is_delivered(path: &str) -> bool {
    let is_source = path.starts_with("services/") && path.contains("/src/");
    let is_other = path.starts_with("services/simulators/")
        || path.ends_with("/tests.rs")
        || path.contains("/tests/");
    is_source && !is_other
}

/// Literals in the body of a function that says reasons, in a constant that is named after them, and beside an HTTP
/// status, in a file's code before its tests.
fn reasons_in(text: &str) -> Vec<(usize, &str)> {
    let code = code_of(text);
    let end = tests_of(&code).unwrap_or(code.len());
    let lines: Vec<&str> = code[..end].lines().collect();
    let mut wanted = vec![false; lines.len() + 1];
    let (mut depth, mut is_inside) = (0_usize, false);
    for (index, line) in lines.iter().enumerate() {
        let begins = says_reasons(line);
        is_inside = is_inside || begins;
        wanted[index] = is_inside
            || line.contains("(StatusCode::")
            || (line.contains("const ") && line.contains("REASON"));
        if is_inside {
            depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
            is_inside = depth > 0 || (begins && !line.contains(['{', ';']));
        }
    }
    strings(text)
        .into_iter()
        .filter(|(line, literal)| wanted.get(line - 1) == Some(&true) && is_reason(literal))
        .collect()
}

/// Where a file's tests begin, whatever else is allowed to them.
fn tests_of(code: &str) -> Option<usize> {
    let is_module = |at: &usize| {
        let mut rest = code[*at..].lines().skip(1);
        let item = rest.find(|line| !line.starts_with(['#', ' ', ')', ']']));
        item.is_some_and(|line| line.starts_with("mod "))
    };
    let mut marks = code.match_indices("#[cfg(test)]\n").map(|(at, _)| at);
    marks.find(is_module)
}

/// `fn reason(`, `fn rejection_reason(`, and `fn facts(`, which has the kind and the outcome as well.
fn says_reasons(line: &str) -> bool {
    let name = line
        .split_once("fn ")
        .and_then(|(_, rest)| rest.split_once('('))
        .map(|(name, _)| name);
    name.is_some_and(|name| name == "facts" || name == "reason" || name.ends_with("_reason"))
}

/// `ACCOUNT_NOT_FOUND`
fn is_reason(text: &str) -> bool {
    let is_fitting = text
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    is_fitting && text.len() > 2 && text.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    #[test]
    fn a_link_to_nowhere_is_found() {
        let lines = [
            "[a](../README.md#how-to-run) [b](gone.md \"title\")",
            "```\n[c](gone.md)\n```",
            "`[d](gone.md)`",
            "[e](https://example.org) [f](#here) [g](#there)",
            "[h]: missing/",
            "![i](/docs/i.png)",
            "[j](../README.md#nope)",
            "# Here",
        ];
        let text = lines.join("\n");
        let mut tree = Tree::of(&[("docs/a.md", &text), ("README.md", "## How to run?\n")]);
        tree.other_files.push("docs/i.png".to_owned());
        assert_eq!(
            places(&links(&tree)),
            ["docs/a.md:1", "docs/a.md:6", "docs/a.md:7", "docs/a.md:9"]
        );
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        assert_eq!(
            places(&links(&Tree::of(&[("a.md", "[x](../other/b.md)\n")]))),
            ["a.md:1"]
        );
    }

    const ERROR: &str = r#"impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Self::Gone => "ACCOUNT_GONE",
            Self::Full => "BOOK_FULL",
        }
    }
    fn other(&self) -> &str { "NOT_A_REASON" }
}
fn fields() { Self::new(StatusCode::BAD_REQUEST, "FIELDS_BROKEN") }
fn facts(&self) -> Facts {
    (Kind::Aborted, "BOOK_BUSY")
}
#[cfg(test)]
#[allow(
    clippy::panic,
    reason = "a test"
)]
mod tests {
    fn reason() { "ONLY_A_TEST" }
}
"#;

    #[test]
    fn a_reason_without_a_line_and_a_line_without_a_reason_are_found() {
        let rows = [
            "| reason | meaning |",
            "| `ACCOUNT_GONE` | … |",
            "| `ACCOUNT_LOST` | … |",
            "see `OTHER`",
        ];
        let tree = Tree::of(&[
            ("services/account/src/error.rs", ERROR),
            (ERRORS, &rows.join("\n")),
        ]);
        assert_eq!(
            places(&reasons(&tree)),
            [
                "services/account/src/error.rs:5",
                "services/account/src/error.rs:10",
                "services/account/src/error.rs:12",
                "docs/errors.md:3"
            ]
        );
    }

    #[test]
    fn reasons_wait_for_the_document() {
        assert!(reasons(&Tree::of(&[("services/account/src/error.rs", ERROR)])).is_empty());
    }
}
