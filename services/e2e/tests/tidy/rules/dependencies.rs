//! Which crate may stand on which.

use crate::components::{ASSEMBLIES, COMPONENTS, of_package};
use crate::source::{code_of, words};
use crate::tree::{Dependency, Package, Tree, Violation};

/// All that `money` may use outside of its tests.
const PURE: [&str; 2] = ["serde", "thiserror"];
/// Words of code that reaches out of itself.
const IMPURE: [&str; 9] = [
    "async",
    "await",
    "env",
    "fs",
    "net",
    "process",
    "thread",
    "Instant",
    "SystemTime",
];

pub(crate) fn components_stand_alone(tree: &Tree) -> Vec<Violation> {
    let judge = |package: &Package, dependency: &Dependency| {
        let other = of_package(&dependency.name)
            .filter(|_| !ASSEMBLIES.contains(&package.name.as_str()))?;
        let is_component = of_package(&package.name).is_some();
        let is_outsider = !is_foundation(package) && !is_component;
        (is_component || is_outsider).then(|| {
            format!(
                "{} depends on the component {other}; call it through its proto; only {} may",
                package.name,
                ASSEMBLIES.join(" and ")
            )
        })
    };
    each_dependency(tree, judge)
}

pub(crate) fn foundation_is_below(tree: &Tree) -> Vec<Violation> {
    let above: Vec<String> = COMPONENTS
        .iter()
        .map(|name| format!("paymesh-{name}"))
        .collect();
    let assembled = [ASSEMBLIES[0], ASSEMBLIES[1], "paymesh-simulators"];
    each_dependency(tree, |package, dependency| {
        let is_above =
            above.contains(&dependency.name) || assembled.contains(&dependency.name.as_str());
        (is_foundation(package) && is_above).then(|| {
            format!(
                "{} is foundation and depends on {}; move what it needs down, or into the proto",
                package.name, dependency.name
            )
        })
    })
}

pub(crate) fn money_is_pure(tree: &Tree) -> Vec<Violation> {
    let mut violations = each_dependency(tree, |package, dependency| {
        let is_for_tests = dependency.kind.as_deref() == Some("dev");
        let is_strange = !PURE.contains(&dependency.name.as_str()) && !is_for_tests;
        (package.name == "paymesh-money" && is_strange).then(|| {
            format!(
                "money is pure: besides {} it uses nothing, not {}",
                PURE.join(" and "),
                dependency.name
            )
        })
    });
    for (path, text) in tree
        .rust()
        .filter(|(path, _)| path.starts_with("services/foundation/money/src/"))
    {
        let code = code_of(text);
        for (line, word) in words(&code).filter(|(_, word)| IMPURE.contains(word)) {
            violations.push(Violation::new(
                path,
                line,
                format!("money is pure: no `{word}`; let the caller do it and pass the result"),
            ));
        }
    }
    violations
}

pub(crate) fn lints_are_inherited(tree: &Tree) -> Vec<Violation> {
    let inherits = |text: &str| {
        let manifest: Option<toml::Table> = text.parse().ok();
        let lints = manifest.and_then(|table| table.get("lints")?.get("workspace")?.as_bool());
        lints == Some(true)
    };
    let manifests = tree
        .packages
        .iter()
        .filter_map(|package| tree.files.get_key_value(&package.manifest));
    manifests
        .filter(|(_, text)| !inherits(text))
        .map(|(path, _)| {
            Violation::new(
                path,
                1,
                "the workspace's lints do not hold here; add `[lints] workspace = true`",
            )
        })
        .collect()
}

fn is_foundation(package: &Package) -> bool {
    package.dir().starts_with("services/foundation/") || package.dir() == "proto"
}

fn each_dependency(
    tree: &Tree,
    judge: impl Fn(&Package, &Dependency) -> Option<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &tree.packages {
        for dependency in &package.dependencies {
            if let Some(advice) = judge(package, dependency) {
                let line = tree.line_of_dependency(package, &dependency.name);
                violations.push(Violation::new(&package.manifest, line, advice));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    const ACCOUNT: (&str, Option<&str>) = ("paymesh-account", None);

    #[test]
    fn a_component_on_a_component_is_found_also_among_what_only_tests_use() {
        let manifest = "[dependencies]\nserde = \"1\"\npaymesh-account.workspace = true\n";
        let tree = Tree::of(&[("services/risk/Cargo.toml", manifest)])
            .with_package("paymesh-risk", "services/risk", &[("serde", None), ACCOUNT])
            .with_package(
                "paymesh-user",
                "services/user",
                &[("paymesh-account", Some("dev"))],
            )
            .with_package("paymesh-simulators", "services/simulators", &[ACCOUNT])
            .with_package("paymesh", "services/paymesh", &[ACCOUNT])
            .with_package("paymesh-e2e", "services/e2e", &[ACCOUNT]);
        let expected = [
            "services/risk/Cargo.toml:3",
            "services/user/Cargo.toml:1",
            "services/simulators/Cargo.toml:1",
        ];
        assert_eq!(places(&components_stand_alone(&tree)), expected);
    }

    #[test]
    fn a_foundation_crate_on_a_component_is_found() {
        let tree = Tree::default()
            .with_package(
                "paymesh-bus",
                "services/foundation/bus",
                &[ACCOUNT, ("paymesh-kernel", None)],
            )
            .with_package("paymesh-proto", "proto", &[("paymesh", Some("dev"))]);
        assert_eq!(
            places(&foundation_is_below(&tree)),
            ["services/foundation/bus/Cargo.toml:1", "proto/Cargo.toml:1"]
        );
    }

    #[test]
    fn money_with_a_runtime_or_a_clock_is_found() {
        let text =
            "//! async as a word\nuse std::fmt;\nasync fn f() {}\nuse std::time::SystemTime;\n";
        let dependencies = [("serde", None), ("tokio", None), ("proptest", Some("dev"))];
        let tree = Tree::of(&[("services/foundation/money/src/a.rs", text)]).with_package(
            "paymesh-money",
            "services/foundation/money",
            &dependencies,
        );
        let expected = [
            "services/foundation/money/Cargo.toml:1",
            "services/foundation/money/src/a.rs:3",
            "services/foundation/money/src/a.rs:4",
        ];
        assert_eq!(places(&money_is_pure(&tree)), expected);
    }

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[lints]\nworkspace = true\n"),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("c/Cargo.toml", "[lints.rust]\nunused = \"allow\"\n"),
        ])
        .with_package("a", "a", &[])
        .with_package("b", "b", &[])
        .with_package("c", "c", &[]);
        assert_eq!(
            places(&lints_are_inherited(&tree)),
            ["b/Cargo.toml:1", "c/Cargo.toml:1"]
        );
    }
}
