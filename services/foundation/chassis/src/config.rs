//! Configuration: defaults, then a TOML file, then the environment; one typed tree, unknown fields refused.
//!
//! `PAYMESH__ACCOUNT__DATABASE__URL=…` sets `account.database.url`. A value from the environment is read as TOML when it can be
//! (`true`, `42`, `["a"]`), else as text.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use toml::{Table, Value};

/// Prefix of variables.
const PREFIX: &str = "PAYMESH__";
/// Largest configuration or secret file, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Why a configuration cannot be used. The process ends with exit code 64.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("the configuration file is not TOML: {message}")]
    Syntax {
        /// Line and cause.
        message: String,
    },
    /// A field is unknown or holds the wrong type.
    #[error("the configuration does not fit: {message}")]
    Shape {
        /// Path of the field, and what is expected.
        message: String,
    },
    /// A field breaks a rule.
    #[error("{field}: {rule}")]
    Rule {
        /// Path of the field.
        field: String,
        /// The rule, and what to write instead.
        rule: String,
    },
}

/// Reads a tree from its defaults, a file and variables.
///
/// # Errors
/// When the file cannot be read or anything in it or in the variables does not fit the tree.
pub fn load<T: Default + Serialize + DeserializeOwned>(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let shape = |message: String| ConfigError::Shape { message };
    let mut tree = match file {
        Some(path) => read_table(path)?,
        None => Table::new(),
    };
    for (name, text) in variables {
        if let Some(path) = name.strip_prefix(PREFIX) {
            let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            set(&mut tree, &keys, parse(&text))
                .map_err(|()| shape(format!("{name} lies inside a value that is no table")))?;
        }
    }
    Value::Table(tree)
        .try_into()
        .map_err(|error: toml::de::Error| shape(error.message().to_owned()))
}

/// The tree as TOML, secrets redacted, and what stands before the host of a URL too.
///
/// # Errors
/// When the tree cannot be written as TOML.
pub fn print<T: Serialize>(tree: &T) -> Result<String, ConfigError> {
    let text = toml::to_string_pretty(tree).map_err(|error| ConfigError::Shape {
        message: error.to_string(),
    })?;
    Ok(without_userinfo(&text))
}

/// Name and password of each URL become asterisks: a URL is no [`Secret`], but people write one into it.
fn without_userinfo(text: &str) -> String {
    const BEFORE: &str = "://";
    let ends_authority = |c: char| c.is_whitespace() || "/?#\"'".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEFORE) {
        let (head, url) = rest.split_at(at + BEFORE.len());
        shown.push_str(head);
        let authority = url.find(ends_authority).unwrap_or(url.len());
        let host = url[..authority].rfind('@').unwrap_or(0);
        if host > 0 {
            shown.push_str("***");
        }
        rest = &url[host..];
    }
    shown.push_str(rest);
    shown
}

fn read_table(path: &Path) -> Result<Table, ConfigError> {
    let text = read_limited(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    text.parse()
        .map_err(|error: toml::de::Error| ConfigError::Syntax {
            message: error.to_string(),
        })
}

fn read_limited(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > FILE_LIMIT {
        return Err(std::io::Error::other("the file is larger than one MiB"));
    }
    fs::read_to_string(path)
}

fn parse(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn set(table: &mut Table, keys: &[String], value: Value) -> Result<(), ()> {
    match keys {
        [] => Err(()),
        [last] => {
            table.insert(last.clone(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let inner = table
                .entry(first.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            set(inner.as_table_mut().ok_or(())?, rest, value)
        }
    }
}

/// A secret: text, or `{ file = "…" }`. Never shown, not by `Debug` and not when the configuration is printed.
#[derive(Clone)]
pub struct Secret(SecretString);

#[derive(Deserialize)]
#[serde(untagged)]
enum SecretForm {
    Text(String),
    File { file: PathBuf },
}

// === impl Secret ===

impl Secret {
    /// A secret from text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// True when nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new("")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "Secret(unset)"
        } else {
            "Secret(***)"
        })
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() { "" } else { "***" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match SecretForm::deserialize(deserializer)? {
            SecretForm::Text(text) => Ok(Self::new(text)),
            SecretForm::File { file } => read_limited(&file)
                .map(|text| Self::new(text.trim_end_matches(['\r', '\n'])))
                .map_err(|error| {
                    serde::de::Error::custom(format!(
                        "the secret file {} cannot be read: {error}",
                        file.display()
                    ))
                }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Tree {
        name: String,
        account: Account,
        password: Secret,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Account {
        limit: u32,
    }

    fn variable(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paymesh.toml");
        fs::write(&path, "name = \"file\"\n[account]\nlimit = 1").unwrap();
        let tree: Tree = load(Some(&path), variable("PAYMESH__ACCOUNT__LIMIT", "7")).unwrap();
        assert_eq!((tree.name.as_str(), tree.account.limit), ("file", 7));
    }

    #[test]
    fn name_and_password_of_a_url_are_not_printed() {
        for (written, printed) in [
            ("https://api.example/v1@2", "https://api.example/v1@2"),
            (
                "https://shop:s3cret@api.example:8443/v1",
                "https://***@api.example:8443/v1",
            ),
            ("http://t0ken@api.example", "http://***@api.example"),
            (
                "https://shop:p@ss@api.example?a=b@c",
                "https://***@api.example?a=b@c",
            ),
            (
                "https://a:b@one.example,https://c:d@two.example",
                "https://***@one.example,https://***@two.example",
            ),
            ("mail@shop.example", "mail@shop.example"),
        ] {
            let tree = Tree {
                name: written.to_owned(),
                ..Tree::default()
            };
            let text = print(&tree).unwrap();
            assert!(text.contains(&format!("\"{printed}\"")), "{text}");
            assert!(
                !text.contains("s3cret") && !text.contains("t0ken"),
                "{text}"
            );
        }
    }

    #[test]
    fn c1_an_unknown_field_is_an_error_that_names_it() {
        let error = load::<Tree>(None, variable("PAYMESH__ACCOUNT__LIMITS", "7")).unwrap_err();
        assert!(error.to_string().contains("limits"), "{error}");
        let error = load::<Tree>(None, variable("PAYMESH__ACCOUNT", "7")).unwrap_err();
        assert!(matches!(error, ConfigError::Shape { .. }));
    }

    #[test]
    fn a_secret_comes_from_a_file_and_never_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2\n").unwrap();
        let form = format!("{{ file = {path:?} }}");
        let tree: Tree = load(None, variable("PAYMESH__PASSWORD", &form)).unwrap();
        assert_eq!(tree.password.expose(), "hunter2");
        assert!(!format!("{tree:?}{}", print(&tree).unwrap()).contains("hunter2"));
    }
}
