//! The test binaries that one build made, and the level at which each tests.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The crate of the system tests and of `tidy`.
const SYSTEM_PACKAGE: &str = "paymesh-e2e";
/// System tests that judge speed or survival and therefore run the optimized binary.
const RELEASE_TARGETS: [&str; 4] = ["bench", "crash", "demo", "kill"];

/// What a test binary is about. Every binary has exactly one level, so none can be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The rules of the tree, read from manifests and sources.
    Tidy,
    /// What a crate tests beside its code.
    Unit,
    /// The foundation's suites over every storage and broker.
    Contract,
    /// One component behind its real interface.
    Component,
    /// The platform as a whole.
    System,
    /// The platform as a whole, as it is delivered.
    Release,
}

/// A program that runs tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestBinary {
    pub(crate) level: Level,
    /// `paymesh-account/it`: the package and the test target, or `lib`, or `bin-<name>`.
    pub(crate) name: String,
    /// Tests expect to run in the folder of their package.
    pub(crate) package_dir: PathBuf,
    pub(crate) program: PathBuf,
}

/// What cargo reports of a build, one line of JSON at a time.
#[derive(Debug, Default)]
pub(crate) struct Build {
    pub(crate) tests: Vec<TestBinary>,
    /// The platform's own binary.
    pub(crate) paymesh: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Artifact {
    reason: String,
    manifest_path: PathBuf,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
    package_id: String,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

// === impl Build ===

impl Build {
    /// Takes one line; lines about other things are passed over.
    pub(crate) fn take(&mut self, line: &str) {
        let Ok(artifact) = serde_json::from_str::<Artifact>(line) else {
            return;
        };
        if artifact.reason != "compiler-artifact" {
            return;
        }
        let Some(program) = artifact.executable.clone() else {
            return;
        };
        if artifact.profile.test {
            self.tests.push(artifact.into_test(program));
            self.tests.sort();
        } else if artifact.target.name == "paymesh" {
            self.paymesh = Some(program);
        }
    }
}

// === impl Artifact ===

impl Artifact {
    fn into_test(self, program: PathBuf) -> TestBinary {
        let package = package_name(&self.package_id, &self.manifest_path);
        let is = |kind: &str| self.target.kind.iter().any(|own| own == kind);
        let target = if is("test") {
            self.target.name
        } else if is("bin") {
            format!("bin-{}", self.target.name)
        } else {
            "lib".to_owned()
        };
        let package_dir = self
            .manifest_path
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        TestBinary {
            level: level(&package, &target, &package_dir),
            name: format!("{package}/{target}"),
            package_dir,
            program,
        }
    }
}

fn level(package: &str, target: &str, package_dir: &Path) -> Level {
    if target == "lib" || target.starts_with("bin-") {
        Level::Unit
    } else if package == SYSTEM_PACKAGE {
        match target {
            "tidy" => Level::Tidy,
            name if RELEASE_TARGETS.contains(&name) => Level::Release,
            _ => Level::System,
        }
    } else if package_dir
        .parent()
        .is_some_and(|parent| parent.ends_with("services/foundation"))
    {
        Level::Contract
    } else {
        Level::Component
    }
}

/// Package ids look like `path+file:///…/services/account#paymesh-account@0.1.0`, or without a name
/// when the folder has the same one.
fn package_name(id: &str, manifest: &Path) -> String {
    let fragment = id.rsplit_once('#').map_or(id, |(_, fragment)| fragment);
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => manifest
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn artifact(folder: &str, package: &str, target: (&str, &str)) -> String {
        let (kind, name) = target;
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"path+file:///p/{folder}#{package}","manifest_path":"/p/{folder}/Cargo.toml",
            "target":{{"kind":["{kind}"],"name":"{name}"}},"profile":{{"test":true}},"executable":"/t/{name}"}}"#
        )
    }

    #[test]
    fn every_kind_of_binary_has_its_level() {
        let cases = [
            (
                "services/account",
                "paymesh-account@0.1.0",
                ("lib", "paymesh_account"),
                "paymesh-account/lib",
                Level::Unit,
            ),
            (
                "services/paymesh",
                "0.1.0",
                ("bin", "paymesh"),
                "paymesh/bin-paymesh",
                Level::Unit,
            ),
            (
                "services/account",
                "paymesh-account@0.1.0",
                ("test", "it"),
                "paymesh-account/it",
                Level::Component,
            ),
            (
                "services/foundation/bus",
                "paymesh-bus@0.1.0",
                ("test", "it"),
                "paymesh-bus/it",
                Level::Contract,
            ),
            (
                "services/e2e",
                "paymesh-e2e@0.1.0",
                ("test", "tidy"),
                "paymesh-e2e/tidy",
                Level::Tidy,
            ),
            (
                "services/e2e",
                "paymesh-e2e@0.1.0",
                ("test", "payment"),
                "paymesh-e2e/payment",
                Level::System,
            ),
            (
                "services/e2e",
                "paymesh-e2e@0.1.0",
                ("test", "demo"),
                "paymesh-e2e/demo",
                Level::Release,
            ),
        ];
        for (folder, package, target, name, level) in cases {
            let mut build = Build::default();
            build.take(&artifact(folder, package, target));
            let binary = build.tests.first().unwrap();
            assert_eq!((binary.name.as_str(), binary.level), (name, level));
        }
    }

    #[test]
    fn lines_about_other_things_are_passed_over() {
        let mut build = Build::default();
        build.take(r#"{"reason":"build-finished","success":true}"#);
        build.take("not json at all");
        assert!(build.tests.is_empty() && build.paymesh.is_none());
    }
}
