//! Who may know of which technology.

use crate::components::of_file;
use crate::source::{code_of, words};
use crate::tree::{Tree, Violation};

const STORAGE: [&str; 4] = ["sea_orm", "sea_orm_migration", "sea_query", "sqlx"];
const TONIC: [&str; 5] = [
    "tonic",
    "tonic_health",
    "tonic_prost",
    "tonic_types",
    "tonic_reflection",
];
const AROUND: [&str; 4] = ["lapin", "kube", "kube_runtime", "k8s_openapi"];
/// Names that tell one mode from the other.
const MODES: [&str; 10] = [
    "AllInOne",
    "all_in_one",
    "is_all_in_one",
    "single_process",
    "is_single_process",
    "is_split",
    "RunMode",
    "run_mode",
    "DeploymentMode",
    "deployment_mode",
];

pub(crate) fn storage_stays_in_the_store(tree: &Tree) -> Vec<Violation> {
    let is_elsewhere = |_: &str, module: &str| !module.starts_with("store");
    component_words(
        tree,
        is_elsewhere,
        &STORAGE,
        "only `store*` names the database library; give it a function there",
    )
}

pub(crate) fn tonic_stays_at_the_edges(tree: &Tree) -> Vec<Violation> {
    let is_elsewhere = |component: &str, module: &str| {
        // The gateway turns what its callees answer into HTTP; that is its business, so its HTTP
        // modules know tonic.
        let is_http = component == "gateway" && module.starts_with("http");
        !(is_http || module.starts_with("grpc") || module.starts_with("clients"))
    };
    component_words(
        tree,
        is_elsewhere,
        &TONIC,
        "only `grpc*` and `clients*` name tonic; hand domain types over instead",
    )
}

pub(crate) fn components_are_at_home_anywhere(tree: &Tree) -> Vec<Violation> {
    let anywhere = |_: &str, _: &str| true;
    let mut violations = component_words(
        tree,
        anywhere,
        &AROUND,
        "a component reaches broker and cluster through the foundation only",
    );
    for (path, code) in component_sources(tree) {
        let lines = code.lines().enumerate();
        violations.extend(
            lines
                .filter(|(_, line)| reads_environment(line))
                .map(|(index, _)| {
                    Violation::new(
                        path,
                        index + 1,
                        "a component does not read the environment; add a field to its Config",
                    )
                }),
        );
    }
    violations
}

pub(crate) fn only_the_wiring_knows_the_mode(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in tree
        .rust()
        .filter(|(path, _)| is_delivered(path) && !is_wiring(path))
    {
        let code = code_of(text);
        for (line, word) in words(&code).filter(|(_, word)| MODES.contains(word)) {
            let advice = format!(
                "`{word}`: only paymesh/src/wiring.rs knows the mode; let it pass what differs"
            );
            violations.push(Violation::new(path, line, advice));
        }
    }
    violations
}

/// What is shipped; tests and the sandbox of the end-to-end tests compare the modes and so have to
/// name them.
fn is_delivered(path: &str) -> bool {
    path.starts_with("services/") && path.contains("/src/") && !path.starts_with("services/e2e/")
}

fn is_wiring(path: &str) -> bool {
    path == "services/paymesh/src/wiring.rs" || path.starts_with("services/paymesh/src/wiring/")
}

/// `std::env`, alone or in a list of imports; the macro `env!` is read when compiling and is fine.
fn reads_environment(line: &str) -> bool {
    let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let in_list = line.strip_prefix("usestd::{").is_some_and(|list| {
        list.split([',', '{', '}', ';'])
            .any(|item| item == "env" || item.starts_with("env::"))
    });
    in_list
        || line
            .match_indices("std::env")
            .any(|(at, found)| !line[at + found.len()..].starts_with(is_name))
}

fn is_name(next: char) -> bool {
    next.is_alphanumeric() || next == '_' || next == '!'
}

fn component_words(
    tree: &Tree,
    is_elsewhere: impl Fn(&str, &str) -> bool,
    forbidden: &[&str],
    advice: &str,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, code) in component_sources(tree) {
        let Some((component, inside)) = of_file(path) else {
            continue;
        };
        let module = inside.strip_prefix("src/").unwrap_or(inside);
        if !is_elsewhere(component, module) {
            continue;
        }
        for (line, word) in words(&code).filter(|(_, word)| forbidden.contains(word)) {
            violations.push(Violation::new(path, line, format!("`{word}`: {advice}")));
        }
    }
    violations
}

/// The code of components, tests in `tests/` aside.
fn component_sources(tree: &Tree) -> impl Iterator<Item = (&str, String)> {
    let sources = tree
        .rust()
        .filter(|(path, _)| of_file(path).is_some_and(|(_, inside)| inside.starts_with("src/")));
    sources.map(|(path, text)| (path, code_of(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    #[test]
    fn the_database_library_outside_of_the_store_is_found() {
        let text = "//! sea_orm in words\nuse sea_orm::EntityTrait;\n";
        let tree = Tree::of(&[
            ("services/account/src/app.rs", text),
            ("services/account/src/store.rs", text),
            ("services/account/src/store/entity/transfer.rs", text),
            ("services/account/tests/it/main.rs", text),
            ("services/foundation/bus/src/outbox.rs", text),
        ]);
        assert_eq!(
            places(&storage_stays_in_the_store(&tree)),
            ["services/account/src/app.rs:2"]
        );
    }

    #[test]
    fn tonic_inside_of_a_component_is_found() {
        let text = "fn f() -> tonic::Status {}\n";
        let tree = Tree::of(&[
            ("services/account/src/clients.rs", text),
            ("services/account/src/domain/transfer.rs", text),
            ("services/account/src/grpc/transfer.rs", text),
            ("services/gateway/src/http/problem.rs", text),
            ("services/gateway/src/session.rs", text),
            ("services/user/src/http.rs", text),
        ]);
        let expected = [
            "services/account/src/domain/transfer.rs:1",
            "services/gateway/src/session.rs:1",
            "services/user/src/http.rs:1",
        ];
        assert_eq!(places(&tonic_stays_at_the_edges(&tree)), expected);
    }

    #[test]
    fn broker_cluster_and_environment_in_a_component_are_found() {
        let lines = [
            "use lapin::Channel;",
            "let a = std::env::var(NAME);",
            "use std::{env, fmt};",
            "let b = env!(\"CARGO_PKG_NAME\");",
            "use std::{fmt, environment};",
            "let kube_config = 1;",
        ];
        let text = &lines.join("\n");
        let tree = Tree::of(&[
            ("services/account/src/store.rs", text),
            ("services/foundation/bus/src/broker.rs", text),
        ]);
        let expected = [
            "services/account/src/store.rs:1",
            "services/account/src/store.rs:2",
            "services/account/src/store.rs:3",
        ];
        assert_eq!(places(&components_are_at_home_anywhere(&tree)), expected);
    }

    #[test]
    fn a_mode_outside_of_the_wiring_is_found() {
        let text = "if config.is_all_in_one {}\n";
        let tree = Tree::of(&[
            ("services/account/src/app.rs", text),
            ("services/e2e/src/sandbox.rs", text),
            ("services/foundation/chassis/src/lib.rs", text),
            ("services/paymesh/src/wiring.rs", text),
            ("services/paymesh/src/wiring/embedded.rs", text),
            ("services/paymesh/tests/it/main.rs", text),
        ]);
        let expected = [
            "services/account/src/app.rs:1",
            "services/foundation/chassis/src/lib.rs:1",
        ];
        assert_eq!(places(&only_the_wiring_knows_the_mode(&tree)), expected);
    }
}
