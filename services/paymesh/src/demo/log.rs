//! The player's own log: every answer, as one line of JSON in a file. It never holds a key of access or a person's data.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::rest::Answer;

/// The file.
#[derive(Debug)]
pub(super) struct Log {
    out: BufWriter<File>,
    path: PathBuf,
}

/// One answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    key: String,
    path: String,
    http_status: u16,
    tries: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    transaction_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<serde_json::Value>,
}

// === impl Log ===

impl Log {
    /// Begins a log.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn create(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        let file = File::create(path)
            .with_context(|| format!("the log {} cannot be written", path.display()))?;
        Ok(Self {
            out: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Adds lines.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&mut self, lines: &[Line]) -> Result<()> {
        for line in lines {
            serde_json::to_writer(&mut self.out, line)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Ends it and says where it is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn close(mut self) -> Result<PathBuf> {
        self.out.flush()?;
        Ok(self.path)
    }
}

// === impl Line ===

impl Line {
    /// An answer to a request.
    pub(super) fn of(key: &str, path: &str, answer: &Answer) -> Self {
        let first = |pointers: [&str; 2]| {
            let [one, other] = pointers.map(|pointer| answer.text_at(pointer));
            if one.is_empty() { other } else { one }.to_owned()
        };
        let amount = answer
            .body
            .pointer("/operation/amount")
            .or_else(|| answer.body.get("amount"));
        Self {
            key: key.to_owned(),
            path: path.to_owned(),
            http_status: answer.status,
            tries: answer.tries,
            transaction_id: if answer.is_good() {
                first(["/transaction/id", "/id"])
            } else {
                String::new()
            },
            status: if answer.is_good() {
                first(["/operation/state", "/status"])
            } else {
                String::new()
            },
            reason: first(["/reason", "/decline_reason"]),
            amount: amount.cloned(),
        }
    }
}
