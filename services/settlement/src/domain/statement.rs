//! Statements of providers and banks: CSV in, typed lines out, or the line that is wrong (I1–I3).
//!
//! Columns are found by their names, in any order; further columns are passed over. The README lists them.

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::{Currency, Money};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    ids::{LineId, PayoutId, StatementId, TransactionId, TransferId},
    words::words,
};

/// Longest field, in bytes.
const FIELD_LIMIT: usize = 256;
/// Largest amount of a line, in minor units: sums of a statement's lines stay within 64 bits.
const AMOUNT_LIMIT: i64 = 1_000_000_000_000_000;

words! {
    /// Whose statement it is.
    StatementKind {
        /// A connector's report.
        Provider = "provider",
        /// The bank's.
        Bank = "bank",
    }
}

words! {
    /// What a line says.
    LineKind {
        /// Taken from a payer.
        Capture = "capture",
        /// Given back to a payer, or a refund that failed later.
        Refund = "refund",
        /// Taken by the scheme, or given back by it.
        Chargeback = "chargeback",
        /// Charged by itself.
        Fee = "fee",
        /// The connector's payment to the bank.
        Transfer = "transfer",
        /// To a payee.
        Payout = "payout",
        /// From a payee's bank.
        PayoutReturn = "payout_return",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// Whether a line has found its counterpart.
    MatchState {
        /// Not yet looked for.
        Unmatched = "unmatched",
        /// Found.
        Matched = "matched",
        /// A break is open on it.
        Broken = "broken",
        /// The break is written off.
        WrittenOff = "written_off",
    }
}

words! {
    /// How often what a line tells of was told before.
    Telling {
        /// Never.
        First = "first",
        /// By another statement of the same source: days are fetched again as they grow.
        Again = "again",
        /// By another line of the same statement.
        Twice = "twice",
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Names it.
    pub(crate) id: StatementId,
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// Provider or bank.
    pub(crate) kind: StatementKind,
    /// Connector's name, or the bank's.
    pub(crate) source: String,
    /// Hex.
    pub(crate) content_sha256: String,
    /// Lines.
    pub(crate) line_count: i64,
    /// The earliest line.
    pub(crate) from_at: Timestamp,
    /// After the latest line.
    pub(crate) until_at: Timestamp,
    /// When somebody has to look after it; None when all lines are booked.
    pub(crate) next_wake_at: Option<Timestamp>,
    /// Rises with each failure.
    pub(crate) attempts: i32,
    /// When.
    pub(crate) imported_at: Timestamp,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Names it.
    pub(crate) id: LineId,
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// Of which statement.
    pub(crate) statement: StatementId,
    /// Provider or bank.
    pub(crate) side: StatementKind,
    /// Connector's name, or the bank's.
    pub(crate) source: String,
    /// What it says.
    pub(crate) read: ReadLine,
    /// Whether it was told before.
    pub(crate) telling: Telling,
    /// Whether it has found its counterpart.
    pub(crate) match_state: MatchState,
    /// Base of its transfers.
    pub(crate) transfers: TransferId,
    /// What it means in the ledger is booked, or it means nothing there.
    pub(crate) is_booked: bool,
    /// It is booked against suspense, because nobody knew what it was.
    pub(crate) is_suspended: bool,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadLine {
    /// From 1.
    pub(crate) number: i64,
    /// What it is about.
    pub(crate) kind: LineKind,
    /// Ours, a connector's, or an end-to-end id.
    pub(crate) reference: String,
    /// The connector's payment to the bank that it is part of, or empty.
    pub(crate) settlement: String,
    /// Positive: credited to us.
    pub(crate) amount: Money,
    /// Charged on the line, in minor units; zero when none.
    pub(crate) fee_minor: i64,
    /// Business time.
    pub(crate) booked_at: Timestamp,
    /// The same for each telling of the same movement.
    pub(crate) identity: Uuid,
}

/// Which line is wrong, and what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {rule}")]
pub(crate) struct LineError {
    /// Line of the file, from 1; the first has the names of the columns.
    pub(crate) line: u64,
    /// The rule.
    pub(crate) rule: String,
}

/// Places of the columns.
struct Columns {
    kind: usize,
    currency: usize,
    booked_at: usize,
    reference: usize,
    amount: usize,
    fee: Option<usize>,
    net: Option<usize>,
    settlement: Option<usize>,
    identity: Vec<usize>,
}

// === impl ReadLine ===

impl ReadLine {
    /// What the line does to what the connector owes, beside what its fee does when that is booked from the statement: of a
    /// chargeback the transaction has booked the fee already.
    pub(crate) fn effect_minor(&self) -> i64 {
        match self.kind {
            LineKind::Chargeback => self.amount.minor().saturating_sub(self.fee_minor),
            LineKind::Capture
            | LineKind::Refund
            | LineKind::Fee
            | LineKind::Transfer
            | LineKind::Payout
            | LineKind::PayoutReturn
            | LineKind::Other => self.amount.minor(),
        }
    }

    /// What the connector charges with this line and nobody else books.
    pub(crate) fn charged_minor(&self) -> i64 {
        match self.kind {
            LineKind::Capture | LineKind::Refund => self.fee_minor,
            // A line of its own takes the fee as its amount.
            LineKind::Fee => self.fee_minor.saturating_sub(self.amount.minor()),
            LineKind::Chargeback
            | LineKind::Transfer
            | LineKind::Payout
            | LineKind::PayoutReturn
            | LineKind::Other => 0,
        }
    }

    /// What remains for us of the line.
    pub(crate) fn net_minor(&self) -> i64 {
        self.amount.minor().saturating_sub(self.fee_minor)
    }

    /// The transaction that our reference names: references are keys of steps, `txn_…:authorize:forward`.
    pub(crate) fn transaction(&self) -> Option<TransactionId> {
        self.reference.split(':').next()?.parse().ok()
    }

    /// The payout that an end-to-end id names.
    pub(crate) fn payout(&self) -> Option<PayoutId> {
        self.reference.parse().ok()
    }
}

// === free functions ===

/// Hex of the hash by which the same file is known again (I1).
pub(crate) fn fingerprint(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Reads a file.
///
/// # Errors
/// With the first line that is wrong; nothing of the file is taken then (I2).
pub(crate) fn read(
    (kind, source): (StatementKind, &str),
    content: &[u8],
    most_lines: usize,
) -> Result<Vec<ReadLine>, LineError> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(content);
    let head = reader
        .headers()
        .map_err(|error| csv_error(&error, 1))?
        .clone();
    let columns = columns(kind, &head)?;
    let mut lines = Vec::new();
    for (place, record) in reader.records().enumerate() {
        let before = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(2);
        let record = record.map_err(|error| csv_error(&error, before))?;
        let line = record.position().map_or(before, csv::Position::line);
        let wrong = |rule: String| LineError { line, rule };
        if place >= most_lines {
            return Err(wrong(format!(
                "a statement has at most {most_lines} lines; send it in parts"
            )));
        }
        let number = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
        lines.push(read_line((kind, source), &columns, &record, number).map_err(wrong)?);
    }
    if lines.is_empty() {
        return Err(LineError {
            line: 1,
            rule: "the statement has no lines".to_owned(),
        });
    }
    Ok(lines)
}

fn columns(kind: StatementKind, head: &csv::StringRecord) -> Result<Columns, LineError> {
    let place = |name: &str| head.iter().position(|column| column == name);
    let need = |name: &str| {
        place(name).ok_or_else(|| LineError {
            line: 1,
            rule: format!("the column {name} is missing"),
        })
    };
    let (reference, amount, identity) = match kind {
        StatementKind::Provider => (
            "reference",
            "gross_minor",
            ["payment_id", "operation_id", "type"].as_slice(),
        ),
        StatementKind::Bank => ("end_to_end_id", "amount_minor", ["entry_id"].as_slice()),
    };
    Ok(Columns {
        kind: need("type")?,
        currency: need("currency")?,
        booked_at: need("business_at")?,
        reference: need(reference)?,
        amount: need(amount)?,
        fee: place("fee_minor"),
        net: place("net_minor"),
        settlement: place("settlement_id"),
        identity: identity
            .iter()
            .map(|name| need(name))
            .collect::<Result<_, _>>()?,
    })
}

fn read_line(
    (side, source): (StatementKind, &str),
    columns: &Columns,
    record: &csv::StringRecord,
    number: i64,
) -> Result<ReadLine, String> {
    if record.iter().any(|field| field.len() > FIELD_LIMIT) {
        return Err(format!("a field is longer than {FIELD_LIMIT} bytes"));
    }
    let field = |place: usize| record.get(place).unwrap_or_default();
    let minor = |name: &str, text: &str| -> Result<i64, String> {
        let minor: i64 = text
            .parse()
            .map_err(|_| format!("{name} must be a whole number of minor units"))?;
        if (-AMOUNT_LIMIT..=AMOUNT_LIMIT).contains(&minor) {
            Ok(minor)
        } else {
            Err(format!("{name} is larger than {AMOUNT_LIMIT} minor units"))
        }
    };
    let maybe = |name: &str, place: Option<usize>| match place.map(field) {
        None | Some("") => Ok(None),
        Some(text) => minor(name, text).map(Some),
    };
    let currency: Currency = field(columns.currency)
        .parse()
        .map_err(|_| "currency must be an ISO 4217 code".to_owned())?;
    let amount = minor("the amount", field(columns.amount))?;
    let fee = maybe("fee_minor", columns.fee)?.unwrap_or(0);
    let net = maybe("net_minor", columns.net)?;
    if net.is_some_and(|net| amount.checked_sub(fee) != Some(net)) {
        return Err("net_minor must be gross_minor less fee_minor".to_owned());
    }
    let booked_at = Timestamp::parse(field(columns.booked_at))
        .map_err(|_| "business_at must be RFC 3339, such as 2026-01-31T12:00:00Z".to_owned())?;
    let (kind, must_be) = line_kind(side, field(columns.kind));
    match must_be {
        Some(Sign::In) if amount <= 0 => return Err("the amount must be above zero".to_owned()),
        Some(Sign::Out) if amount >= 0 => return Err("the amount must be below zero".to_owned()),
        Some(Sign::In | Sign::Out) | None => {}
    }
    let told = columns.identity.iter().map(|place| field(*place));
    if told.clone().all(str::is_empty) {
        return Err("a line must name the entry that it is about".to_owned());
    }
    Ok(ReadLine {
        number,
        kind,
        reference: field(columns.reference).to_owned(),
        settlement: columns.settlement.map(field).unwrap_or_default().to_owned(),
        amount: Money::new(amount, currency),
        fee_minor: fee,
        booked_at,
        identity: identity(side, source, told),
    })
}

/// Which way the money of a line goes.
#[derive(Clone, Copy)]
enum Sign {
    In,
    Out,
}

fn line_kind(side: StatementKind, word: &str) -> (LineKind, Option<Sign>) {
    match (side, word) {
        (StatementKind::Provider, "capture") => (LineKind::Capture, Some(Sign::In)),
        (StatementKind::Provider, "refund") => (LineKind::Refund, Some(Sign::Out)),
        (StatementKind::Provider, "refund_failure") => (LineKind::Refund, Some(Sign::In)),
        (StatementKind::Provider, "chargeback") => (LineKind::Chargeback, Some(Sign::Out)),
        (StatementKind::Provider, "chargeback_reversal") => (LineKind::Chargeback, Some(Sign::In)),
        (StatementKind::Provider, "fee") => (LineKind::Fee, None),
        (StatementKind::Provider, "transfer") | (StatementKind::Bank, "deposit" | "transfer") => {
            (LineKind::Transfer, None)
        }
        (StatementKind::Bank, "payout") => (LineKind::Payout, Some(Sign::Out)),
        (StatementKind::Bank, "payout_return") => (LineKind::PayoutReturn, Some(Sign::In)),
        (StatementKind::Provider | StatementKind::Bank, _) => (LineKind::Other, None),
    }
}

/// 128 bits of a hash over length-prefixed parts.
fn identity<'a>(side: StatementKind, source: &'a str, told: impl Iterator<Item = &'a str>) -> Uuid {
    let mut hasher = Sha256::new();
    for part in [side.as_str(), source].into_iter().chain(told) {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let (first, _) = digest.split_at(16);
    Uuid::from_slice(first).unwrap_or_default()
}

fn csv_error(error: &csv::Error, before: u64) -> LineError {
    let line = error.position().map_or(before, csv::Position::line);
    let rule = if let csv::ErrorKind::UnequalLengths {
        expected_len, len, ..
    } = error.kind()
    {
        format!("has {len} fields where the first line has {expected_len}")
    } else if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) {
        "is not UTF-8".to_owned()
    } else {
        "is not CSV".to_owned()
    };
    LineError { line, rule }
}

#[cfg(test)]
mod tests;
