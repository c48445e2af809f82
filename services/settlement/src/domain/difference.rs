//! Breaks: what does not agree, who deals with it, and how two people write it off (W1–W3).

use paymesh_kernel::{Principal, Timestamp, id::TenantId};
use paymesh_money::Money;

use super::{
    ids::{BreakId, LineId, ReconciliationId, StatementId, TransactionId, TransferId},
    words::words,
};

/// Longest note, in characters.
pub(crate) const NOTE_LIMIT: usize = 1_000;

words! {
    /// What does not agree.
    BreakKind {
        /// On a statement only.
        MissingInLedger = "missing_in_ledger",
        /// Not on the connector's report.
        MissingAtProvider = "missing_at_provider",
        /// Not on the bank's statement.
        MissingAtBank = "missing_at_bank",
        /// On both, with different amounts.
        AmountDiffers = "amount_differs",
        /// On both, in different currencies.
        CurrencyDiffers = "currency_differs",
        /// Twice on a statement.
        Duplicate = "duplicate",
        /// On both, but after its time.
        Late = "late",
    }
}

words! {
    /// Where a break stands.
    BreakState {
        /// Nobody has it.
        Open = "open",
        /// Somebody has it.
        Assigned = "assigned",
        /// One person wants it written off.
        WriteOffRequested = "write_off_requested",
        /// Two people wrote it off, and it is booked.
        WrittenOff = "written_off",
        /// A later statement or correction matched it.
        Resolved = "resolved",
    }
}

/// The account that shows the difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Book {
    /// What a connector owes.
    Receivable(String),
    /// What nobody knows of.
    Suspense,
    /// Payouts that are under way.
    InTransit,
}

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// Names it.
    pub(crate) id: BreakId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// What does not agree.
    pub(crate) kind: BreakKind,
    /// Where it stands.
    pub(crate) state: BreakState,
    /// The run that found it.
    pub(crate) reconciliation: ReconciliationId,
    /// The same for the same difference, so that no run opens it twice (W1).
    pub(crate) subject: String,
    /// What people look for.
    pub(crate) reference: String,
    /// Of the ledger; None when missing there.
    pub(crate) ledger: Option<Money>,
    /// Of the statement; None when missing there.
    pub(crate) stated: Option<Money>,
    /// Statement less ledger.
    pub(crate) difference: Money,
    /// The account that shows it.
    pub(crate) book: Book,
    /// The line.
    pub(crate) line: Option<LineId>,
    /// Of which statement.
    pub(crate) statement: Option<StatementId>,
    /// From 1; 0 without a line.
    pub(crate) line_number: i64,
    /// The transaction, when it is known.
    pub(crate) transaction: Option<TransactionId>,
    /// Subject; empty when nobody.
    pub(crate) assignee: String,
    /// Of the last who dealt with it.
    pub(crate) note: String,
    /// Subject; empty when nobody.
    pub(crate) requested_by: String,
    /// Another subject; empty until approved.
    pub(crate) approved_by: String,
    /// Books the difference.
    pub(crate) transfer: TransferId,
    /// When somebody has to look after it.
    pub(crate) next_wake_at: Option<Timestamp>,
    /// Rises with each failure.
    pub(crate) attempts: i32,
    /// When it was found.
    pub(crate) opened_at: Timestamp,
    /// When its end was reached.
    pub(crate) closed_at: Option<Timestamp>,
    /// Facts told so far.
    pub(crate) event_sequence: i64,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// What is to become of a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Somebody is to deal with it, or nobody when empty.
    Assign {
        /// Subject.
        to: String,
        /// Why.
        note: String,
    },
    /// The first of two people.
    Request {
        /// A person.
        by: Principal,
        /// Why.
        note: String,
    },
    /// The second. Who approves books it; after that time somebody else does.
    Approve {
        /// Another person.
        by: Principal,
        /// End of the lease.
        until: Timestamp,
    },
    /// The difference is booked.
    Booked,
    /// The booking is tried again later.
    Delayed {
        /// When.
        again_at: Timestamp,
    },
    /// The counterpart has been found.
    Resolve,
}

/// Why a command does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It was done before: nothing changes.
    Before,
    /// Its state does not allow it.
    State,
    /// An API key or a component is no person (W2).
    PersonNeeded,
    /// The same person asked for it, or no person did.
    SecondPerson,
    /// Nobody asked for it yet.
    NotRequested,
}

// === impl Book ===

impl Book {
    /// The words in the database.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Receivable(connector) => format!("receivable:{connector}"),
            Self::Suspense => "suspense".to_owned(),
            Self::InTransit => "in_transit".to_owned(),
        }
    }

    /// Reads them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("receivable", connector)) => Some(Self::Receivable(connector.to_owned())),
            None if text == "suspense" => Some(Self::Suspense),
            None if text == "in_transit" => Some(Self::InTransit),
            Some(_) | None => None,
        }
    }
}

// === impl Break ===

impl Break {
    /// True when nothing can happen to it any more.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, BreakState::WrittenOff | BreakState::Resolved)
    }
}

/// The break after a command, and whether others are told that it is closed.
///
/// # Errors
/// When the command does not apply.
pub(crate) fn decide(
    before: &Break,
    command: Command,
    now: Timestamp,
) -> Result<(Break, bool), Rejection> {
    let mut item = before.clone();
    item.version = item.version.saturating_add(1);
    let is_free = matches!(item.state, BreakState::Open | BreakState::Assigned);
    let is_approved = !item.approved_by.is_empty();
    match command {
        Command::Assign { to, note } => {
            if item.assignee == to && item.note == note {
                return Err(Rejection::Before);
            }
            if !is_free {
                return Err(Rejection::State);
            }
            item.state = if to.is_empty() {
                BreakState::Open
            } else {
                BreakState::Assigned
            };
            item.assignee = to;
            item.note = note;
        }
        Command::Request { by, note } => {
            if !by.is_person() {
                return Err(Rejection::PersonNeeded);
            }
            if item.requested_by == by.subject {
                return Err(Rejection::Before);
            }
            if !is_free {
                return Err(Rejection::State);
            }
            item.state = BreakState::WriteOffRequested;
            item.requested_by = by.subject;
            item.note = note;
        }
        Command::Approve { by, until } => approve(&mut item, &by, until)?,
        Command::Booked => {
            if item.state != BreakState::WriteOffRequested || !is_approved {
                return Err(Rejection::State);
            }
            item.state = BreakState::WrittenOff;
            close(&mut item, now);
            return Ok((item, true));
        }
        Command::Delayed { again_at } => {
            item.attempts = item.attempts.saturating_add(1);
            item.next_wake_at = Some(again_at);
        }
        Command::Resolve => {
            // What two people have decided is booked: it may be in the ledger already.
            if item.is_closed() || is_approved {
                return Err(Rejection::State);
            }
            item.state = BreakState::Resolved;
            close(&mut item, now);
            return Ok((item, true));
        }
    }
    Ok((item, false))
}

fn approve(item: &mut Break, by: &Principal, until: Timestamp) -> Result<(), Rejection> {
    if !by.is_person() {
        return Err(Rejection::PersonNeeded);
    }
    if item.approved_by == by.subject {
        return Err(Rejection::Before);
    }
    match item.state {
        BreakState::WriteOffRequested if !item.approved_by.is_empty() => Err(Rejection::State),
        BreakState::WriteOffRequested if !by.may_approve(&item.requested_by) => {
            Err(Rejection::SecondPerson)
        }
        BreakState::WriteOffRequested => {
            item.approved_by.clone_from(&by.subject);
            item.next_wake_at = Some(until);
            Ok(())
        }
        BreakState::Open | BreakState::Assigned => Err(Rejection::NotRequested),
        BreakState::WrittenOff | BreakState::Resolved => Err(Rejection::State),
    }
}

fn close(item: &mut Break, now: Timestamp) {
    item.closed_at = Some(now);
    item.next_wake_at = None;
    item.event_sequence = item.event_sequence.saturating_add(1);
}

#[cfg(test)]
mod tests;
