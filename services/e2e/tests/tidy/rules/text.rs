//! What no file says.

use crate::source::{code_of, words};
use crate::tree::{Tree, Violation};

/// Written apart, so that this file keeps its own rule.
const LEFT_OVER: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
/// Also the code of ISO 4217 for no currency, so it counts at the beginning of a comment only.
const MARKER: &str = concat!("X", "XX");
const PLACES: [&str; 3] = [
    concat!("/wo", "rk"),
    concat!("/ro", "ot"),
    concat!("/ho", "me"),
];
/// Third-party texts and lists that are not ours to word.
const NOT_OURS: [&str; 2] = ["Cargo.lock", "LICENSE"];

pub(crate) fn nothing_left_over(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in our_texts(tree) {
        for (line, word) in words(text).filter(|(_, word)| LEFT_OVER.contains(word)) {
            let advice = format!("`{word}`: do it, or write down why it is as it is");
            violations.push(Violation::new(path, line, advice));
        }
        let lines = text.lines().enumerate();
        violations.extend(
            lines
                .filter(|(_, line)| begins_with_marker(line))
                .map(|(index, _)| {
                    let advice = format!("`{MARKER}`: solve it, or write down why it is as it is");
                    Violation::new(path, index + 1, advice)
                }),
        );
    }
    violations
}

pub(crate) fn ignored_tests_say_why(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in tree.rust() {
        for (index, line) in code_of(text).lines().enumerate() {
            let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
            if line.contains("#[ignore]") {
                violations.push(Violation::new(
                    path,
                    index + 1,
                    "say why: `#[ignore = \"…\"]`",
                ));
            }
        }
    }
    violations
}

pub(crate) fn no_place_on_one_machine(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in our_texts(tree) {
        for (index, line) in text.lines().enumerate() {
            if let Some(place) = PLACES.iter().find(|place| names_place(line, place)) {
                let advice =
                    format!("`{place}` is on one machine only; start from the repository's root");
                violations.push(Violation::new(path, index + 1, advice));
            }
        }
    }
    violations
}

/// A comment on a line of its own may go on without punctuation, one behind code may speak of the
/// code.
fn begins_with_marker(line: &str) -> bool {
    let is_own_line = line.trim_start().starts_with(['/', '#', '-']);
    let comment = ["//", "#", "/*", "--"]
        .iter()
        .find_map(|begin| line.split_once(begin));
    let text = comment.map(|(_, text)| text.trim_start_matches(['/', '!', '*', '-', '#', ' ']));
    let rest = text.and_then(|text| text.strip_prefix(MARKER));
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with([':', '(', '!'])
            || (is_own_line && rest.starts_with(' '))
    })
}

/// A place begins a path; inside of a longer path or of an address it is something else.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + place.len()..].chars().next();
        let is_inside = before.is_some_and(|c| c.is_alphanumeric() || "_-.~/})>*".contains(c));
        let goes_on = after.is_some_and(|c| c.is_alphanumeric() || "_-.".contains(c));
        !is_inside && !goes_on
    })
}

fn our_texts(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    let all = tree
        .files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    all.filter(|(path, _)| !NOT_OURS.contains(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    #[test]
    fn what_is_left_to_be_done_is_found_as_a_whole_word() {
        let texts = [
            format!("a\n# {}: later", LEFT_OVER[0]),
            format!("{}S and {MARKER}X", LEFT_OVER[0]),
            format!("let none = \"{MARKER}\"; // {MARKER} is no currency\n  // {MARKER} why?\n"),
        ];
        let tree = Tree::of(&[
            ("LICENSE", &texts[0]),
            ("charts/values.yaml", &texts[0]),
            ("docs/a.md", &texts[1]),
            ("src/a.rs", &texts[2]),
        ]);
        let expected = ["charts/values.yaml:2", "src/a.rs:2"];
        assert_eq!(places(&nothing_left_over(&tree)), expected);
    }

    #[test]
    fn an_ignored_test_without_a_reason_is_found() {
        let text = "// #[ignore]\n#[ignore = \"needs a printer\"]\n#[ ignore ]\n";
        assert_eq!(
            places(&ignored_tests_say_why(&Tree::of(&[("a.rs", text)]))),
            ["a.rs:3"]
        );
    }

    #[test]
    fn a_place_on_one_machine_is_found() {
        let here = format!("cd {0}/main\nrm {0}ing\n", PLACES[0]);
        let not_here = format!(
            "https://example.org{0}/x and ./a{0}/x and $HOME{0}/x\n",
            PLACES[1]
        );
        let tree = Tree::of(&[("a.sh", &here), ("b.md", &not_here)]);
        assert_eq!(places(&no_place_on_one_machine(&tree)), ["a.sh:1"]);
    }
}
