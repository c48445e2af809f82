//! The rules of payments at providers: pure, without clock, ids, storage or network of its own.
//!
//! A [`Book`] is one attempt with its operations and disputes. Commands and what is seen at the provider change it; what others
//! must know of a change is written down as [`Told`] facts, numbered without gaps.

mod attempt;
mod book;
mod command;
mod decline;
mod dispute;
mod fact;
mod give_back;
mod hint;
mod method;
mod observation;
mod observe;
mod operation;
mod resolve;
mod settle;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub use attempt::{Action, Attempt, AttemptState, CaptureMode, ThreeDs};
pub use book::{Book, NewAttempt};
pub use command::{CaptureOrder, EvidenceOrder, RefundOrder, Rejection, StepKey, Verdict};
pub use decline::{Decline, DeclineReason};
pub use dispute::{Dispute, DisputeState};
pub use fact::{Came, DisputeFact, Fact, Told};
pub use hint::Hint;
pub use method::{MethodDetails, MethodKind, MethodState, PaymentMethod};
pub use observation::{Contradiction, DisputeSeen, Observation, PartSeen, PartState, SeenStatus};
pub use operation::{Operation, OperationKind, OperationState, Origin};
pub use resolve::{Moment, Next, Windows};
pub use settle::Answer;

use paymesh_kernel::define_id;

define_id!(
    /// One try at a provider; made by the caller.
    AttemptId,
    "att"
);
define_id!(
    /// A way in which a payer may be charged.
    PaymentMethodId,
    "pm"
);
define_id!(
    /// A capture; made by the caller. The capture that comes with an automatic authorization has the attempt's UUID.
    CaptureId,
    "cap"
);
define_id!(
    /// A refund; made by the caller.
    RefundId,
    "re"
);
define_id!(
    /// A payer's dispute.
    DisputeId,
    "dp"
);
define_id!(
    /// A business transaction; owned by another component.
    TransactionId,
    "txn"
);
