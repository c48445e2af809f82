//! A payout: reserve in the ledger, send to the bank, post, and wait for the bank's statement (P1–P6).
//!
//! Each decision is pure: what happened and the time go in, the changed payout and what is told of it come out.

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Money;

use super::{
    ids::{AccountId, BatchId, LineId, PayoutId, TransactionId, TransferId},
    words::words,
};

/// The reason of a payout that waits because its bank account is a new one.
pub(crate) const COOLING_OFF: &str = "DESTINATION_COOLING_OFF";
/// The reason of a payout that was not sent, because its bank account is not the owner's any more.
pub(crate) const DESTINATION_CHANGED: &str = "DESTINATION_CHANGED";

words! {
    /// Where a payout stands, as others see it.
    State {
        /// Pending in the ledger.
        Reserved = "reserved",
        /// Taken by the bank.
        Sent = "sent",
        /// On the bank's statement.
        Confirmed = "confirmed",
        /// Sent back by the bank.
        Returned = "returned",
        /// Certainly not sent.
        Failed = "failed",
        /// The bank's answer is missing.
        Unknown = "unknown",
    }
}

words! {
    /// What is to be done next.
    Step {
        /// Reserve in the ledger.
        Reserve = "reserve",
        /// Look whether its bank account may be paid to, until it is.
        Hold = "hold",
        /// Hand it to the bank.
        Send = "send",
        /// Ask the bank what became of it.
        Look = "look",
        /// Book the reservation.
        Post = "post",
        /// Release the reservation.
        Void = "void",
        /// Wait for the bank's statement.
        Confirm = "confirm",
        /// Nothing.
        Done = "done",
    }
}

words! {
    /// Who is paid.
    OwnerKind {
        /// A person who withdraws.
        User = "user",
        /// A merchant.
        Merchant = "merchant",
    }
}

/// Who is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// What it is.
    pub(crate) kind: OwnerKind,
    /// `user_…` or `mrc_…`.
    pub(crate) id: String,
}

/// A payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payout {
    /// Names it.
    pub(crate) id: PayoutId,
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// Who is paid.
    pub(crate) owner: Owner,
    /// Debited.
    pub(crate) account: AccountId,
    /// Above zero.
    pub(crate) amount: Money,
    /// Token of the bank account.
    pub(crate) destination: String,
    /// Asked for with a batch.
    pub(crate) batch: Option<BatchId>,
    /// The transaction that holds the reservation; without one it is our own.
    pub(crate) transaction: Option<TransactionId>,
    /// Why it failed or came back.
    pub(crate) reason: String,
    /// Subject.
    pub(crate) created_by: String,
    /// As others see it.
    pub(crate) state: State,
    /// What is next.
    pub(crate) step: Step,
    /// Base of its transfers: reservation, post, void.
    pub(crate) transfers: TransferId,
    /// Times that the present step was tried.
    pub(crate) attempts: i32,
    /// It waits until then, because the bank account is a new one.
    pub(crate) held_until: Option<Timestamp>,
    /// The bank's statement had it before we knew that it was sent.
    pub(crate) is_seen: bool,
    /// The one line of all statements that tells of it.
    pub(crate) seen_line: Option<LineId>,
    /// The one line of all statements that tells of its return.
    pub(crate) returned_line: Option<LineId>,
    /// When it was last handed to the bank.
    pub(crate) asked_at: Option<Timestamp>,
    /// When somebody has to look after it.
    pub(crate) next_wake_at: Option<Timestamp>,
    /// Business time; the clock's when none was given.
    pub(crate) business_at: Timestamp,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
    /// When the bank took it.
    pub(crate) sent_at: Option<Timestamp>,
    /// When its end was reached.
    pub(crate) finished_at: Option<Timestamp>,
    /// Facts told so far.
    pub(crate) event_sequence: i64,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// What happened to a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A worker takes it up; others leave it alone until then.
    Taken {
        /// End of the lease.
        until: Timestamp,
    },
    /// The step is tried again later.
    Delayed {
        /// When.
        again_at: Timestamp,
    },
    /// The ledger reserved it.
    Reserved,
    /// The ledger refuses; nothing happened.
    NotReserved {
        /// Upper snake case.
        reason: String,
    },
    /// The bank account is a new one: it waits.
    Held {
        /// Until when.
        until: Timestamp,
    },
    /// The bank account is the owner's, and has been for long enough.
    Released,
    /// The bank account is not the owner's any more: it is not sent at all.
    Misdirected,
    /// The bank has it.
    Accepted,
    /// The bank refuses it for good.
    Refused {
        /// The bank's.
        reason: String,
    },
    /// It certainly did not reach the bank.
    NotSent {
        /// When to send it again.
        again_at: Timestamp,
    },
    /// The bank's answer is missing.
    Silent {
        /// When to ask.
        again_at: Timestamp,
    },
    /// The bank does not know it, for so long that it will not arrive any more.
    NeverArrived,
    /// The reservation is booked.
    Posted,
    /// The reservation is released.
    Voided,
    /// The bank's statement has it.
    Seen(Told),
    /// The bank's statement has its return.
    CameBack(Told),
}

/// What a line of the bank's statement says of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The line.
    pub(crate) line: LineId,
    /// What left, or came back: above zero.
    pub(crate) amount: Money,
}

/// What others are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Reserved.
    Created,
    /// Taken by the bank.
    Sent,
    /// On the statement.
    Confirmed,
    /// Sent back.
    Returned,
    /// Certainly not sent.
    Failed,
}

/// Why a word does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It was known before: nothing changes.
    Before,
    /// Too early: something else has to happen first.
    Early,
    /// Another line has told it.
    Twice,
    /// It cannot be true of this payout.
    Contradiction,
}

// === impl Payout ===

impl Payout {
    /// What the banks carry, at most 35 characters.
    pub(crate) fn end_to_end_id(&self) -> String {
        self.id.to_string()
    }

    /// The pending transfer.
    pub(crate) fn hold(&self) -> TransferId {
        self.transfers.nth(0)
    }

    /// Books the reservation.
    pub(crate) fn post(&self) -> TransferId {
        self.transfers.nth(1)
    }

    /// Releases the reservation.
    pub(crate) fn void(&self) -> TransferId {
        self.transfers.nth(2)
    }

    /// The bank's statement has it: one for each payout, so that the ledger itself refuses a second.
    pub(crate) fn confirmation(&self) -> TransferId {
        self.transfers.nth(3)
    }

    /// The money is at our bank again; one for each payout.
    pub(crate) fn arrival(&self) -> TransferId {
        self.transfers.nth(4)
    }

    /// The money is on the owner's account again; one for each payout.
    pub(crate) fn credit(&self) -> TransferId {
        self.transfers.nth(5)
    }

    fn rest(&mut self, step: Step, wake: Option<Timestamp>) {
        self.step = step;
        self.next_wake_at = wake;
        self.attempts = 0;
    }

    fn end(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.finished_at = Some(now);
        self.rest(Step::Done, None);
    }

    fn sent(&mut self, now: Timestamp) -> Fact {
        self.state = State::Sent;
        self.sent_at = Some(now);
        self.rest(Step::Post, Some(now));
        Fact::Sent
    }
}

/// The payout after what happened, and what is told of it.
///
/// # Errors
/// When the word says nothing new, comes too early or cannot be true.
pub(crate) fn decide(
    before: &Payout,
    word: Word,
    now: Timestamp,
) -> Result<(Payout, Option<Fact>), Rejection> {
    let mut payout = before.clone();
    payout.version = payout.version.saturating_add(1);
    let fact = match word {
        Word::Taken { until } => {
            taken(&mut payout, until, now)?;
            None
        }
        Word::Delayed { again_at } => {
            must(!matches!(payout.step, Step::Confirm | Step::Done))?;
            payout.attempts = payout.attempts.saturating_add(1);
            payout.next_wake_at = Some(again_at);
            None
        }
        Word::Reserved => {
            must(payout.step == Step::Reserve)?;
            match payout.held_until {
                Some(until) => hold(&mut payout, until),
                None => payout.rest(Step::Send, Some(now)),
            }
            Some(Fact::Created)
        }
        Word::NotReserved { reason } => {
            must(payout.step == Step::Reserve)?;
            payout.reason = reason;
            payout.end(State::Failed, now);
            // Nobody was told of it, so nobody is told of its end.
            None
        }
        Word::Held { until } => {
            must(payout.step == Step::Hold)?;
            hold(&mut payout, until);
            None
        }
        Word::Released => {
            must(payout.step == Step::Hold)?;
            payout.reason.clear();
            payout.held_until = None;
            payout.rest(Step::Send, Some(now));
            None
        }
        Word::Misdirected => {
            must(payout.step == Step::Hold)?;
            DESTINATION_CHANGED.clone_into(&mut payout.reason);
            payout.held_until = None;
            payout.rest(Step::Void, Some(now));
            None
        }
        Word::Accepted
        | Word::Refused { .. }
        | Word::NotSent { .. }
        | Word::Silent { .. }
        | Word::NeverArrived => bank_said(&mut payout, word, now)?,
        Word::Posted => {
            must(payout.step == Step::Post)?;
            posted(&mut payout, now)
        }
        Word::Voided => {
            must(payout.step == Step::Void)?;
            payout.end(State::Failed, now);
            Some(Fact::Failed)
        }
        Word::Seen(told) => seen(&mut payout, told, now)?,
        Word::CameBack(told) => Some(came_back(&mut payout, told, now)?),
    };
    if fact.is_some() {
        payout.event_sequence = payout.event_sequence.saturating_add(1);
    }
    Ok((payout, fact))
}

/// What came of handing it to the bank, or of asking.
fn bank_said(payout: &mut Payout, word: Word, now: Timestamp) -> Result<Option<Fact>, Rejection> {
    must(matches!(payout.step, Step::Send | Step::Look))?;
    match word {
        Word::Accepted => return Ok(Some(payout.sent(now))),
        Word::Refused { reason } => {
            payout.reason = reason;
            payout.rest(Step::Void, Some(now));
        }
        Word::NotSent { again_at } => {
            payout.step = Step::Send;
            payout.attempts = payout.attempts.saturating_add(1);
            payout.next_wake_at = Some(again_at);
        }
        Word::Silent { again_at } => {
            payout.state = State::Unknown;
            payout.step = Step::Look;
            payout.attempts = payout.attempts.saturating_add(1);
            payout.next_wake_at = Some(again_at);
        }
        Word::NeverArrived => {
            must(payout.step == Step::Look)?;
            payout.state = State::Reserved;
            payout.rest(Step::Send, Some(now));
        }
        Word::Taken { .. }
        | Word::Delayed { .. }
        | Word::Reserved
        | Word::NotReserved { .. }
        | Word::Held { .. }
        | Word::Released
        | Word::Misdirected
        | Word::Posted
        | Word::Voided
        | Word::Seen(_)
        | Word::CameBack(_) => return Err(Rejection::Contradiction),
    }
    Ok(None)
}

/// A payout that is handed to the bank is one that has to be asked for, should we die meanwhile (P3).
fn taken(payout: &mut Payout, until: Timestamp, now: Timestamp) -> Result<(), Rejection> {
    let is_due = payout.next_wake_at.is_some_and(|at| at <= now);
    must(is_due)?;
    if payout.step == Step::Send {
        payout.step = Step::Look;
        payout.asked_at = Some(now);
    }
    payout.next_wake_at = Some(until);
    Ok(())
}

fn hold(payout: &mut Payout, until: Timestamp) {
    COOLING_OFF.clone_into(&mut payout.reason);
    payout.held_until = Some(until);
    payout.rest(Step::Hold, Some(until));
}

fn posted(payout: &mut Payout, now: Timestamp) -> Option<Fact> {
    if payout.is_seen {
        payout.end(State::Confirmed, now);
        return Some(Fact::Confirmed);
    }
    payout.rest(Step::Confirm, None);
    None
}

/// The first line with the whole amount is the payout's; every other one is about something else (P4).
fn seen(payout: &mut Payout, told: Told, now: Timestamp) -> Result<Option<Fact>, Rejection> {
    if payout.seen_line == Some(told.line) {
        return Err(Rejection::Before);
    }
    if told.amount != payout.amount {
        return Err(Rejection::Contradiction);
    }
    if payout.is_seen {
        return Err(Rejection::Twice);
    }
    payout.is_seen = true;
    payout.seen_line = Some(told.line);
    match payout.step {
        // The statement is the proof that the bank has it.
        Step::Send | Step::Look => Ok(Some(payout.sent(now))),
        Step::Post => Ok(None),
        Step::Confirm => {
            payout.end(State::Confirmed, now);
            Ok(Some(Fact::Confirmed))
        }
        // Its return was told before it.
        Step::Done if payout.state == State::Returned => Ok(None),
        Step::Reserve | Step::Hold => Err(Rejection::Early),
        Step::Void | Step::Done => Err(Rejection::Contradiction),
    }
}

fn came_back(payout: &mut Payout, told: Told, now: Timestamp) -> Result<Fact, Rejection> {
    if payout.returned_line == Some(told.line) {
        return Err(Rejection::Before);
    }
    if told.amount != payout.amount {
        return Err(Rejection::Contradiction);
    }
    match payout.state {
        State::Sent | State::Confirmed if matches!(payout.step, Step::Confirm | Step::Done) => {
            payout.reason = "RETURNED_BY_BANK".to_owned();
            payout.returned_line = Some(told.line);
            payout.end(State::Returned, now);
            Ok(Fact::Returned)
        }
        State::Returned => Err(Rejection::Twice),
        State::Reserved | State::Unknown | State::Sent | State::Confirmed => Err(Rejection::Early),
        State::Failed => Err(Rejection::Contradiction),
    }
}

fn must(holds: bool) -> Result<(), Rejection> {
    if holds {
        Ok(())
    } else {
        Err(Rejection::Before)
    }
}

#[cfg(test)]
mod tests;
