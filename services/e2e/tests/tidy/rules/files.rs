//! Names, lengths and places of files.

use crate::tree::{Tree, Violation};

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 5] = ["common", "helpers", "misc", "util", "utils"];
/// No file is longer.
const MAX_LINES: usize = 600;
/// Nine in ten files are not longer.
const USUAL_LINES: usize = 400;

pub(crate) fn names_say_something(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for path in tree.files.keys() {
        let parts = path
            .split('/')
            .map(|part| part.strip_suffix(".rs").unwrap_or(part));
        if let Some(part) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
            violations.push(Violation::new(
                path,
                1,
                format!("`{part}` says nothing; name it after what it is about"),
            ));
        }
    }
    for package in &tree.packages {
        if let Some(name) = package
            .name
            .split('-')
            .find(|part| EMPTY_NAMES.contains(part))
        {
            violations.push(Violation::new(
                &package.manifest,
                1,
                format!("a crate named `{name}` says nothing; name what it is about"),
            ));
        }
    }
    for (path, text) in tree.rust() {
        for (index, line) in text.lines().enumerate() {
            let module = line
                .trim()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ")
                .strip_prefix("mod ");
            let name = module.map(|rest| rest.trim_end_matches([';', '{', ' ']));
            if name.is_some_and(|name| EMPTY_NAMES.contains(&name)) {
                violations.push(Violation::new(
                    path,
                    index + 1,
                    "a module of this name says nothing; name what it is about",
                ));
            }
        }
    }
    violations
}

pub(crate) fn no_mod_rs(tree: &Tree) -> Vec<Violation> {
    let found = tree.rust().filter(|(path, _)| path.ends_with("/mod.rs"));
    found
        .map(|(path, _)| {
            Violation::new(
                path,
                1,
                "name the file after the module, beside the module's folder",
            )
        })
        .collect()
}

pub(crate) fn lengths(tree: &Tree) -> Vec<Violation> {
    let lines: Vec<(&str, usize)> = tree
        .rust()
        .map(|(path, text)| (path, text.lines().count()))
        .collect();
    let mut violations: Vec<Violation> = lines
        .iter()
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| {
            Violation::new(
                path,
                MAX_LINES,
                format!("{lines} lines; split it, no file has more than {MAX_LINES}"),
            )
        })
        .collect();
    let mut long: Vec<(&str, usize)> = lines
        .iter()
        .copied()
        .filter(|(_, lines)| *lines > USUAL_LINES)
        .collect();
    if long.len() * 10 > lines.len() && long.len() > 1 {
        long.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
        violations.extend(long.iter().map(|(path, lines)| {
            let advice = format!(
                "{lines} lines; {} of {} files have more than {USUAL_LINES}; one in ten may",
                long.len(),
                tree.rust().count()
            );
            Violation::new(path, USUAL_LINES, advice)
        }));
    }
    violations
}

/// A module's tests need no introduction.
pub(crate) fn headers(tree: &Tree) -> Vec<Violation> {
    let sources = tree.rust().filter(|(path, _)| {
        (path.contains("/src/") || path.ends_with("main.rs")) && !path.ends_with("/tests.rs")
    });
    sources
        .filter(|(_, text)| !text.starts_with("//!") && text.lines().count() > 1)
        .map(|(path, _)| {
            Violation::new(
                path,
                1,
                "begin with `//!`: what the file is for, its invariants, its limits",
            )
        })
        .collect()
}

/// Each integration binary is linked on its own, so a crate has one; the system tests aside, whose
/// suites differ in what they need.
pub(crate) fn one_integration_binary(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in tree
        .packages
        .iter()
        .filter(|package| package.name != "paymesh-e2e")
    {
        let tests = format!("{}/tests/", package.dir());
        for (path, _) in tree.rust() {
            let Some(inside) = path.strip_prefix(&tests) else {
                continue;
            };
            let is_binary = !inside.contains('/')
                || inside
                    .split_once('/')
                    .is_some_and(|(_, file)| file == "main.rs");
            if is_binary && inside != "it/main.rs" {
                violations.push(Violation::new(
                    path,
                    1,
                    format!("make it a module of {tests}it/main.rs"),
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    #[test]
    fn a_folder_a_crate_and_a_module_without_a_name_are_found() {
        let tree = Tree::of(&[
            ("services/account/src/utils.rs", ""),
            ("services/common/src/lib.rs", ""),
            (
                "services/user/src/app.rs",
                "mod clock;\npub(crate) mod helpers {\n",
            ),
            ("services/user/src/commonality.rs", ""),
        ])
        .with_package("paymesh-util", "services/x", &[]);
        let expected = [
            "services/account/src/utils.rs:1",
            "services/common/src/lib.rs:1",
            "services/x/Cargo.toml:1",
            "services/user/src/app.rs:2",
        ];
        assert_eq!(places(&names_say_something(&tree)), expected);
    }

    #[test]
    fn a_mod_rs_is_found() {
        let tree = Tree::of(&[("a/src/b/mod.rs", ""), ("a/src/c.rs", "")]);
        assert_eq!(places(&no_mod_rs(&tree)), ["a/src/b/mod.rs:1"]);
    }

    #[test]
    fn a_file_of_more_than_600_lines_is_found() {
        let tree = Tree::of(&[("a.rs", &"\n".repeat(601)), ("b.rs", &"\n".repeat(600))]);
        assert!(places(&lengths(&tree)).contains(&"a.rs:600".to_owned()));
        assert!(!places(&lengths(&tree)).contains(&"b.rs:600".to_owned()));
    }

    #[test]
    fn more_than_one_long_file_in_ten_is_found() {
        let long = "\n".repeat(401);
        let mut files = vec![("a.rs", long.as_str()), ("b.rs", long.as_str())];
        let names: Vec<String> = (0..18).map(|n| format!("short-{n}.rs")).collect();
        files.extend(names.iter().map(|name| (name.as_str(), "")));
        assert!(
            lengths(&Tree::of(&files)).is_empty(),
            "two in twenty are fine"
        );
        files.pop();
        assert_eq!(
            places(&lengths(&Tree::of(&files))),
            ["a.rs:400", "b.rs:400"]
        );
    }

    #[test]
    fn a_source_that_does_not_say_what_it_is_for_is_found() {
        let tree = Tree::of(&[
            ("a/src/lib.rs", "//! For this.\nfn f() {}\n"),
            ("a/src/b.rs", "use x;\nfn f() {}\n"),
            ("a/src/b/tests.rs", "use x;\nfn f() {}\n"),
            ("a/tests/it/main.rs", "mod b;\nmod c;\n"),
            ("a/tests/it/b.rs", "use x;\nfn f() {}\n"),
        ]);
        assert_eq!(
            places(&headers(&tree)),
            ["a/src/b.rs:1", "a/tests/it/main.rs:1"]
        );
    }

    #[test]
    fn a_second_integration_binary_is_found() {
        let tree = Tree::of(&[
            ("a/tests/it/main.rs", ""),
            ("a/tests/it/b.rs", ""),
            ("a/tests/other.rs", ""),
            ("a/tests/third/main.rs", ""),
            ("e2e/tests/tidy/main.rs", ""),
        ])
        .with_package("a", "a", &[])
        .with_package("paymesh-e2e", "e2e", &[]);
        assert_eq!(
            places(&one_integration_binary(&tree)),
            ["a/tests/other.rs:1", "a/tests/third/main.rs:1"]
        );
    }
}
