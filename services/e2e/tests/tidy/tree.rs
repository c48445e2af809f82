//! What the rules look at: the text files of the repository and the packages of the workspace.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

/// Larger files are data, not text that somebody reads.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// The repository, or a small invented one.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Texts by path from the root.
    pub(crate) files: BTreeMap<String, String>,
    /// Everything else that links may lead to.
    pub(crate) other_files: Vec<String>,
    pub(crate) packages: Vec<Package>,
}

/// A crate of the workspace.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// From the root of the workspace.
    #[serde(rename = "manifest_path")]
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None, `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// A broken rule: where, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    advice: String,
}

// === impl Tree ===

impl Tree {
    /// The repository that this test was compiled in, as it is now: tracked files and those that
    /// could be added.
    pub(crate) fn read() -> Self {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .canonicalize()
            .unwrap();
        let mut tree = Self {
            packages: read_packages(&root),
            ..Self::default()
        };
        for path in list_files(&root) {
            let full = root.join(&path);
            let is_text = full
                .metadata()
                .is_ok_and(|data| data.is_file() && data.len() <= MAX_TEXT_BYTES);
            match std::fs::read_to_string(&full) {
                Ok(text) if is_text => {
                    tree.files.insert(path, text);
                }
                Ok(_) | Err(_) => tree.other_files.push(path),
            }
        }
        tree
    }

    /// An invented tree of files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Self {
            files,
            ..Self::default()
        }
    }

    /// Adds an invented package with its dependencies.
    pub(crate) fn with_package(
        mut self,
        name: &str,
        dir: &str,
        dependencies: &[(&str, Option<&str>)],
    ) -> Self {
        let dependencies = dependencies.iter().map(|(name, kind)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
        });
        let package = Package {
            name: name.to_owned(),
            manifest: format!("{dir}/Cargo.toml"),
            dependencies: dependencies.collect(),
        };
        self.packages.push(package);
        self
    }

    /// Rust sources, with their paths.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files_ending(".rs")
    }

    pub(crate) fn files_ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        let all = self
            .files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()));
        all.filter(move |(path, _)| path.ends_with(ending))
    }

    /// Whether there is such a file, or a folder with files.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let is_it = |file: &String| {
            file.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.files.contains_key(path)
            || self.files.keys().any(is_it)
            || self.other_files.iter().any(is_it)
    }

    /// The line of a manifest that names a dependency.
    pub(crate) fn line_of_dependency(&self, package: &Package, dependency: &str) -> usize {
        let text = self.files.get(&package.manifest).map_or("", String::as_str);
        let names_it = |line: &str| {
            let rest = line.trim_start().strip_prefix(dependency);
            rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
        };
        text.lines().position(names_it).map_or(1, |index| index + 1)
    }
}

// === impl Package ===

impl Package {
    pub(crate) fn dir(&self) -> &str {
        self.manifest.strip_suffix("/Cargo.toml").unwrap_or("")
    }
}

// === impl Violation ===

impl Violation {
    pub(crate) fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// The places of violations, for the tests of rules.
pub(crate) fn places(violations: &[Violation]) -> Vec<String> {
    violations
        .iter()
        .map(|violation| format!("{}:{}", violation.path, violation.line))
        .collect()
}

fn list_files(root: &Path) -> Vec<String> {
    let output = run(
        Command::new("git").args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]),
        root,
    );
    output
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

fn read_packages(root: &Path) -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = run(
        Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]),
        root,
    );
    let mut metadata: Metadata = serde_json::from_str(&output).unwrap();
    for package in &mut metadata.packages {
        let manifest = Path::new(&package.manifest).strip_prefix(root).unwrap();
        package.manifest = manifest.to_string_lossy().into_owned();
    }
    metadata.packages
}

fn run(command: &mut Command, root: &Path) -> String {
    let output = command
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_path_is_there_as_a_file_and_as_a_folder_but_not_as_a_beginning() {
    let tree = Tree::of(&[("docs/api/users.md", "")]);
    assert!(tree.has("docs/api/users.md") && tree.has("docs/api") && tree.has("docs/"));
    assert!(!tree.has("docs/ap") && !tree.has("docs/api/users"));
}

#[test]
fn the_line_of_a_dependency_is_not_that_of_a_longer_name() {
    let manifest = "[dependencies]\npaymesh-accounting = \"1\"\npaymesh-account.workspace = true\n";
    let tree = Tree::of(&[("a/Cargo.toml", manifest)]).with_package("a", "a", &[]);
    assert_eq!(
        tree.line_of_dependency(&tree.packages[0], "paymesh-account"),
        3
    );
}
