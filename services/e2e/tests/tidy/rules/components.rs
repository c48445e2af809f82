//! What makes a folder a component.

use crate::components::{COMPONENT_FILES, COMPONENTS, NOT_COMPONENTS};
use crate::tree::{Tree, Violation};

/// Where the list is, for advice.
const LIST: &str = "services/e2e/tests/tidy/components.rs";

pub(crate) fn listed(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &tree.packages {
        let folder = package
            .dir()
            .strip_prefix("services/")
            .filter(|folder| !folder.contains('/'));
        let Some(folder) = folder.filter(|folder| !NOT_COMPONENTS.contains(folder)) else {
            continue;
        };
        if !COMPONENTS.contains(&folder) {
            violations.push(Violation::new(
                &package.manifest,
                1,
                format!("{folder} is not in the list of components; add it to {LIST}"),
            ));
        } else if package.name != format!("paymesh-{folder}") {
            violations.push(Violation::new(
                &package.manifest,
                1,
                format!("the crate of {folder} is called paymesh-{folder}"),
            ));
        }
    }
    violations
}

pub(crate) fn files(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for component in written(tree) {
        for file in COMPONENT_FILES {
            // The gateway's own face is HTTP.
            let file = if component == "gateway" && file == "src/grpc.rs" {
                "src/http.rs"
            } else {
                file
            };
            let path = format!("services/{component}/{file}");
            if !tree.has(&path) && !tree.has(path.trim_end_matches(".rs")) {
                violations.push(Violation::new(
                    &path,
                    1,
                    "every component has this file; write it",
                ));
            }
        }
    }
    violations
}

/// One word in crate, proto package, wiring, map and chart; each place counts as soon as it exists.
pub(crate) fn one_word(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for component in written(tree) {
        let proto = format!("proto/paymesh/{component}/v1");
        if tree.has("proto/paymesh") && component != "gateway" && !tree.has(&proto) {
            violations.push(Violation::new(
                &proto,
                1,
                format!("the proto package of {component} is missing"),
            ));
        }
        let wired = tree
            .packages
            .iter()
            .find(|package| package.name == "paymesh");
        let name = format!("paymesh-{component}");
        if let Some(package) = wired.filter(|package| {
            !package
                .dependencies
                .iter()
                .any(|dependency| dependency.name == name)
        }) {
            violations.push(Violation::new(
                &package.manifest,
                1,
                format!("{component} is not part of the binary; depend on {name} and wire it"),
            ));
        }
        for (path, entry) in [
            ("services/README.md", format!("]({component}")),
            ("charts/paymesh/values.yaml", format!("  {component}:")),
        ] {
            if tree
                .files
                .get(path)
                .is_some_and(|text| !text.contains(&entry))
            {
                violations.push(Violation::new(
                    path,
                    1,
                    format!("{component} is missing here; `{entry}` is expected"),
                ));
            }
        }
    }
    violations
}

/// Components that are more than a name: whose `lib.rs` has begun.
fn written(tree: &Tree) -> impl Iterator<Item = &'static str> {
    let has_begun = |component: &&str| {
        let lib = tree.files.get(&format!("services/{component}/src/lib.rs"));
        lib.is_some_and(|text| text.lines().count() > 1)
    };
    COMPONENTS.into_iter().filter(has_begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::places;

    const LIB: (&str, &str) = ("services/account/src/lib.rs", "//! Accounts.\nmod app;\n");

    #[test]
    fn a_component_that_is_not_in_the_list_is_found() {
        let tree = Tree::default()
            .with_package("paymesh-account", "services/account", &[])
            .with_package("paymesh-bank", "services/bank", &[])
            .with_package("ledger", "services/risk", &[])
            .with_package("paymesh-bus", "services/foundation/bus", &[])
            .with_package("paymesh", "services/paymesh", &[]);
        assert_eq!(
            places(&listed(&tree)),
            ["services/bank/Cargo.toml:1", "services/risk/Cargo.toml:1"]
        );
    }

    #[test]
    fn a_component_without_one_of_its_files_is_found_once_it_has_begun() {
        let mut names: Vec<String> = COMPONENT_FILES
            .iter()
            .map(|file| format!("services/account/{file}"))
            .collect();
        names.retain(|name| {
            !name.ends_with("domain.rs")
                && !name.ends_with("README.md")
                && !name.ends_with("lib.rs")
        });
        names.push("services/account/src/domain/transfer.rs".to_owned());
        let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        files.push(LIB);
        files.push(("services/risk/src/lib.rs", "//! Risk.\n"));
        assert_eq!(
            places(&super::files(&Tree::of(&files))),
            ["services/account/README.md:1"]
        );
    }

    #[test]
    fn a_component_that_is_missing_where_the_others_are_is_found() {
        let tree = Tree::of(&[
            LIB,
            ("proto/paymesh/risk/v1/risk.proto", ""),
            ("services/README.md", "[risk](risk/)\n"),
            ("charts/paymesh/values.yaml", "components:\n  risk: {}\n"),
        ])
        .with_package("paymesh", "services/paymesh", &[("paymesh-risk", None)]);
        let expected = [
            "proto/paymesh/account/v1:1",
            "services/paymesh/Cargo.toml:1",
            "services/README.md:1",
            "charts/paymesh/values.yaml:1",
        ];
        assert_eq!(places(&one_word(&tree)), expected);
        assert!(
            one_word(&Tree::of(&[LIB])).is_empty(),
            "places that do not exist ask for nothing"
        );
    }
}
