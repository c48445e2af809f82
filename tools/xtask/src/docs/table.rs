//! The tables of errors as READMEs have them.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

/// The header of a table of errors.
const HEADER: [&str; 3] = ["reason", "kind", "what to do"];
/// What stands in the column of kinds when what may have happened is not known.
const UNKNOWN: &str = "unknown";
/// What stands there when a component passes on what another one said.
const PASSED_ON: &str = "as the callee said";

/// Every kind of error with its gRPC code, HTTP status and meaning, as `paymesh_kernel::ErrorKind` and the mesh have them.
pub(super) const KINDS: [(&str, &str, u16, &str); 11] = [
    (
        "InvalidArgument",
        "INVALID_ARGUMENT",
        400,
        "the request can never succeed as it is; change it",
    ),
    (
        "Unauthenticated",
        "UNAUTHENTICATED",
        401,
        "it is not known who asks; log in, or send a valid key",
    ),
    (
        "PermissionDenied",
        "PERMISSION_DENIED",
        403,
        "who asks may not do this; somebody else may",
    ),
    (
        "NotFound",
        "NOT_FOUND",
        404,
        "it does not exist, or not for who asks",
    ),
    (
        "AlreadyExists",
        "ALREADY_EXISTS",
        409,
        "it exists with other content; choose another id or name",
    ),
    (
        "FailedPrecondition",
        "FAILED_PRECONDITION",
        422,
        "its state does not allow it; read it and decide again",
    ),
    (
        "Aborted",
        "ABORTED",
        409,
        "somebody was faster; read and try again",
    ),
    (
        "ResourceExhausted",
        "RESOURCE_EXHAUSTED",
        429,
        "a limit is reached; wait as long as it says and try again",
    ),
    (
        "Unavailable",
        "UNAVAILABLE",
        503,
        "something that is needed is away; try again with the same key",
    ),
    (
        "DeadlineExceeded",
        "DEADLINE_EXCEEDED",
        504,
        "the time is over; try again with the same key",
    ),
    (
        "Internal",
        "INTERNAL",
        500,
        "a defect of ours, or damaged data; report it with the request id",
    ),
];

/// One reason as one README has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) outcome: Outcome,
    pub(super) advice: String,
    /// The component, or the crate of the foundation.
    pub(super) from: String,
}

/// What makes two entries one line of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) reason: String,
    pub(super) kind: String,
    pub(super) status: Option<u16>,
}

/// Whether it is known what became of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As the error says, which is `not_processed` as a rule.
    AsSaid,
    /// Always unknown.
    Unknown,
}

/// The errors of one README.
pub(super) fn parse(from: &str, text: &str) -> Result<Vec<Entry>> {
    let (mut entries, mut seen, mut is_inside) = (Vec::new(), BTreeSet::new(), false);
    for (index, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            is_inside = false;
            continue;
        };
        if cells == HEADER {
            is_inside = true;
        } else if is_inside && !is_rule(&cells) {
            let place = || format!("line {}", index + 1);
            for entry in row(from, &cells).with_context(place)? {
                ensure!(
                    seen.insert((entry.key.reason.clone(), entry.key.kind.clone())),
                    "line {}: {} is there already",
                    index + 1,
                    entry.key.reason
                );
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The line below a header.
fn is_rule(cells: &[&str]) -> bool {
    cells
        .iter()
        .all(|cell| cell.trim_matches(':').chars().all(|c| c == '-'))
}

/// One line may have several reasons, and then as many kinds or one.
fn row(from: &str, cells: &[&str]) -> Result<Vec<Entry>> {
    let [reasons, kinds, advice] = cells else {
        bail!("a line of this table has three cells");
    };
    let mut kinds: Vec<&str> = kinds.split(", ").collect();
    let outcome = if kinds.last() == Some(&UNKNOWN) {
        kinds.pop();
        Outcome::Unknown
    } else {
        Outcome::AsSaid
    };
    let reasons: Vec<&str> = reasons
        .split(", ")
        .map(|reason| reason.trim_matches('`'))
        .collect();
    ensure!(
        kinds.len() == 1 || kinds.len() == reasons.len(),
        "name one kind, or one for each reason"
    );
    let (advice, own_status) = own_status(advice);
    let entry = |(place, reason): (usize, &&str)| {
        ensure!(is_reason(reason), "`{reason}` is not a reason");
        let kind = kinds
            .get(place)
            .or(kinds.first())
            .copied()
            .unwrap_or_default();
        Ok(Entry {
            key: Key {
                reason: (*reason).to_owned(),
                kind: kind.to_owned(),
                status: own_status.or(status(kind)?),
            },
            outcome,
            advice: advice.to_owned(),
            from: from.to_owned(),
        })
    };
    reasons.iter().enumerate().map(entry).collect()
}

/// `send less; 413` says that HTTP has a better status than that of the kind.
fn own_status(advice: &str) -> (&str, Option<u16>) {
    match advice.rsplit_once("; ") {
        Some((rest, status)) if status.len() == 3 => match status.parse() {
            Ok(status) => (rest, Some(status)),
            Err(_) => (advice, None),
        },
        Some(_) | None => (advice, None),
    }
}

fn status(kind: &str) -> Result<Option<u16>> {
    if kind == PASSED_ON {
        return Ok(None);
    }
    match KINDS.iter().find(|(name, ..)| *name == kind) {
        Some((_, _, status, _)) => Ok(Some(*status)),
        None => bail!("there is no kind of error `{kind}`"),
    }
}

/// `ACCOUNT_NOT_FOUND`
fn is_reason(text: &str) -> bool {
    let is_fitting = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.len() > 2 && text.chars().all(is_fitting)
}
