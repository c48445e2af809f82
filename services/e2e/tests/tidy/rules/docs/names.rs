//! Documents that lead through the sources: every path exists, and every name that is said to be in a file is in it.
//!
//! A name and its file are written `path::name`, or as names that are followed by "in" and the path. Paths are from the root,
//! from `services`, or from a component's crate, for which one stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{code_of, strings, words};
use crate::tree::{Tree, Violation};

/// The documents that are held to it.
const DOCUMENTS: [&str; 3] = [
    "docs/ARCHITECTURE.md",
    "docs/adding-a-component.md",
    "docs/running.md",
];
/// Endings of files that documents name.
const ENDINGS: [&str; 6] = [".rs", ".proto", ".md", ".toml", ".txt", ".csv"];
/// Folders at the root that documents name.
const ROOTS: [&str; 4] = ["docs/", "proto/", "services/", "tools/"];

/// The folders that paths are from. The last is a component that has all that components have.
const FROM: [&str; 3] = ["", "services/", "services/merchant/"];

/// A back-quoted span.
#[derive(Clone, Copy, Debug)]
struct Span<'a> {
    line: usize,
    /// What stands between the span before and this one.
    before: &'a str,
    text: &'a str,
}

/// Sources that documents name, each read once.
struct Sources<'a> {
    tree: &'a Tree,
    read: BTreeMap<String, Source<'a>>,
}

/// A file without its comments.
struct Source<'a> {
    words: BTreeSet<String>,
    literals: Vec<(usize, &'a str)>,
}

pub(crate) fn names(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for document in DOCUMENTS {
        if let Some(text) = tree.files.get(document) {
            let wrong = wrong_names(tree, text).into_iter();
            violations.extend(wrong.map(|(line, advice)| Violation::new(document, line, advice)));
        }
    }
    violations
}

fn wrong_names(tree: &Tree, document: &str) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    let mut sources = Sources {
        tree,
        read: BTreeMap::new(),
    };
    let mut pending: Vec<Span<'_>> = Vec::new();
    for span in spans(document) {
        let words: Vec<&str> = span.before.split_whitespace().collect();
        let is_place = words == ["in"];
        if !is_place && !matches!(words.as_slice(), [","] | ["and"] | [",", "and"] | ["or"]) {
            pending.clear();
        }
        let (path, name) = match span.text.split_once("::") {
            Some((path, name)) if is_path(path) => (path, Some(name)),
            Some(_) | None => (span.text, None),
        };
        if !is_path(path) {
            pending.push(span);
            continue;
        }
        let Some(file) = resolve(tree, path) else {
            let advice = format!("there is no `{path}`; correct the path");
            wrong.push((span.line, advice));
            continue;
        };
        let before = pending.drain(..).filter(|_| is_place);
        let before = before.map(|before| (before.line, before.text));
        for (line, name) in before.chain(name.map(|name| (span.line, name))) {
            if !sources.have(&file, name) {
                wrong.push((
                    line,
                    format!("`{name}` is not in {file}; correct one of them"),
                ));
            }
        }
    }
    wrong
}

/// Back-quoted spans outside of blocks of code.
fn spans(document: &str) -> Vec<Span<'_>> {
    let (mut spans, mut is_block, mut offset, mut end) = (Vec::new(), false, 0, 0);
    for (index, line) in document.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        }
        if is_block || line.trim_start().starts_with("```") {
            continue;
        }
        let ticks: Vec<usize> = line.match_indices('`').map(|(at, _)| start + at).collect();
        for pair in ticks.chunks_exact(2) {
            spans.push(Span {
                line: index + 1,
                before: &document[end..pair[0]],
                text: &document[pair[0] + 1..pair[1]],
            });
            end = pair[1] + 1;
        }
    }
    spans
}

fn is_path(text: &str) -> bool {
    let is_one =
        text.contains('/') && !text.starts_with('/') && !text.contains([' ', '<', '*', '…']);
    let is_ours = ENDINGS.iter().any(|ending| text.ends_with(ending))
        || ROOTS.iter().any(|root| text.starts_with(root));
    is_one && is_ours && !text.contains("://")
}

fn resolve(tree: &Tree, path: &str) -> Option<String> {
    let mut places = FROM.iter().map(|from| format!("{from}{path}"));
    places.find(|path| tree.has(path))
}

// === impl Sources ===

impl<'a> Sources<'a> {
    /// Whether the file has each part of `Type::method` outside of its comments.
    fn have(&mut self, file: &str, name: &str) -> bool {
        let Some(text) = self.tree.files.get(file) else {
            return false;
        };
        if !file.ends_with(".rs") {
            return name.split("::").all(|part| text.contains(part));
        }
        let source = self.read.entry(file.to_owned()).or_insert_with(|| {
            let code = code_of(text);
            Source {
                words: words(&code).map(|(_, word)| word.to_owned()).collect(),
                literals: strings(text),
            }
        });
        name.trim_end_matches(['(', ')', '!'])
            .split("::")
            .all(|part| {
                let mut literals = source.literals.iter();
                source.words.contains(part) || literals.any(|(_, literal)| literal.contains(part))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    const SOURCE: &str =
        "//! No `ghost` here.\nstruct Desk;\nimpl Desk { fn open() { say(\"open wide\") } }\n";

    fn checked(document: &str) -> Vec<String> {
        places(&names(&Tree::of(&[
            ("services/user/src/desk.rs", SOURCE),
            (DOCUMENTS[0], document),
        ])))
    }

    #[test]
    fn paths_and_names_that_are_there_pass() {
        let lines = [
            "`services/user/src/desk.rs`, `user/src/desk.rs::open` and `services/user`",
            "`Desk::open`, `say!` and `open wide` in",
            "`user/src/desk.rs`; `POST /v1/desks`, `application/json`, `paymesh serve`",
            "```\n`services/gone.rs`\n```",
        ];
        assert_eq!(checked(&lines.join("\n")), [""; 0]);
    }

    #[test]
    fn a_path_that_is_not_there_is_found() {
        let lines = [
            "",
            "`services/user/src/gone.rs`",
            "`services/users`",
            "`user/src/gone.rs::open`",
        ];
        assert_eq!(
            checked(&lines.join("\n")),
            [2, 3, 4].map(|line| format!("docs/ARCHITECTURE.md:{line}"))
        );
    }

    #[test]
    fn a_name_that_is_not_in_its_file_is_found() {
        let lines = [
            "`user/src/desk.rs::ghost`",
            "`open`, `ghost` and `Desk` in `user/src/desk.rs`",
            "`Desk::shut` in",
            "`user/src/desk.rs`",
            "`ghost` is not said to be in `user/src/desk.rs`",
        ];
        assert_eq!(
            checked(&lines.join("\n")),
            [1, 2, 3].map(|line| format!("docs/ARCHITECTURE.md:{line}"))
        );
    }
}
