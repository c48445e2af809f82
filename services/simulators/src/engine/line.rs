//! How a line of the journal is written and read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys::KeptAnswer;
use crate::timestamp::Timestamp;

/// The first line of a journal. The nonce keeps ids of two data folders with one seed apart.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) seq: u64,
    pub(super) nonce: u64,
    pub(super) at: Timestamp,
}

/// A line as it is written.
#[derive(Serialize)]
pub(super) struct LineOut<'a, F> {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) facts: &'a [F],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<&'a KeptAnswer>,
}

/// A line as it is read.
#[derive(Debug, Deserialize)]
#[serde(bound = "F: DeserializeOwned")]
pub(super) struct Line<F: DeserializeOwned> {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) facts: Vec<F>,
    pub(super) kept: Option<KeptAnswer>,
}

// === free functions ===

/// The nonce of a header of the expected format.
pub(super) fn read_header(bytes: &[u8], format: &str) -> Result<u64, String> {
    let header: Header = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if header.format == format {
        Ok(header.nonce)
    } else {
        Err(format!(
            "its format is {}, {format} was expected",
            header.format
        ))
    }
}

pub(super) fn to_line(line: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("facts are plain data");
    bytes.push(b'\n');
    bytes
}
