//! What people and other components ask of a transaction: each command is checked against where it stands and gives a new
//! operation, or a change of the one that waits.

mod begin;
mod decide;

use paymesh_money::Money;

use super::{
    CaptureId, OperationId, RefundId, TransactionId,
    status::{Kind, Status},
    work::{Pending, Work},
};

pub use begin::{
    Source, Taken, capture, chargeback, chargeback_lost, chargeback_won, late_undo, refund,
};
pub use decide::{
    ReviewVerdict, approve_resolution, bank_status, cancel, request_resolution, review,
};

/// Most operations of one transaction.
pub const MAX_OPERATIONS: usize = 100;

/// Why a command is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its state does not allow it.
    #[error("the transaction is {}; this is possible only while it is {needed}", status.as_str())]
    State {
        /// Where it stands.
        status: Status,
        /// Where it would have to stand.
        needed: &'static str,
    },
    /// Another operation is at work.
    #[error("another operation of the transaction is at work; try again shortly")]
    Busy,
    /// More than is left.
    #[error("at most {left} can be {what}")]
    TooMuch {
        /// What is left.
        left: Money,
        /// What was asked for.
        what: &'static str,
    },
    /// In another currency.
    #[error("the amount must be in the transaction's currency, {}", currency.code())]
    Currency {
        /// The transaction's.
        currency: paymesh_money::Currency,
    },
    /// The kind has no such operation.
    #[error("a {} cannot be {what}", kind.as_str())]
    Kind {
        /// Of the transaction.
        kind: Kind,
        /// What was asked for.
        what: &'static str,
    },
    /// It needs another person.
    #[error("whoever asked for it cannot approve it; another person must")]
    SamePerson,
    /// It needs a person.
    #[error("a person who has signed in must do this, not an API key")]
    PersonNeeded,
    /// An adjustment is decided on by somebody else.
    #[error("adjustments are decided on by finance")]
    FinanceNeeded,
    /// The dispute's id names something else.
    #[error("this dispute is recorded already, of another transaction or amount")]
    DisputeReused,
    /// There is no such request.
    #[error("there is no open request with this id")]
    NoRequest,
    /// What was undone cannot go forward any more.
    #[error("a part of it is undone already, so it cannot go forward any more")]
    UndoBegun,
    /// The status is not one that this caller may set.
    #[error("the status cannot become {}", status.as_str())]
    Edge {
        /// Asked for.
        status: Status,
    },
    /// Another version is stored.
    #[error("the transaction has version {version} now; read it and decide again")]
    Version {
        /// The stored one.
        version: i64,
    },
    /// There is nothing to give back.
    #[error("no chargeback of this dispute is booked")]
    NoChargeback,
    /// Too many.
    #[error("a transaction has at most {limit} operations")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// A capture or refund as it is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Made before.
    pub id: OperationId,
    /// None: all that is left.
    pub amount: Option<Money>,
    /// The caller's words.
    pub reason: String,
    /// Business time.
    pub business_at: paymesh_kernel::Timestamp,
}

/// Whether a capture is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// The rest of the authorization is released.
    Last,
    /// More may follow.
    MoreMayFollow,
}

/// The main operation of a transaction has its id.
#[must_use]
pub fn main_id(transaction: TransactionId) -> OperationId {
    transaction.as_uuid().into()
}

/// The operation of a capture.
#[must_use]
pub fn capture_operation(capture: CaptureId) -> OperationId {
    capture.as_uuid().into()
}

/// The operation of a refund.
#[must_use]
pub fn refund_operation(refund: RefundId) -> OperationId {
    refund.as_uuid().into()
}

impl Work {
    /// True when the transaction's row is to be written.
    #[must_use]
    pub fn writes_transaction(&self) -> bool {
        self.pending != Pending::Stored
    }
}
