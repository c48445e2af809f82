//! What can go wrong, and what the caller is told of it.

use std::borrow::Cow;

use paymesh_chassis::idempotency::{KeyError, LookupError};
use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};
use paymesh_mesh::CallError;

use crate::{
    domain::{batch::Overflow, statement::LineError},
    store::StoreError,
};

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Fields break rules.
    #[error("the request is not valid")]
    Invalid(Vec<FieldViolation>),
    /// A line of a statement breaks a rule.
    #[error("the statement cannot be taken: {0}")]
    Statement(LineError),
    /// No such batch, or not for this caller.
    #[error("there is no such batch")]
    BatchNotFound,
    /// No such payout, or not for this caller.
    #[error("there is no such payout")]
    PayoutNotFound,
    /// No such statement, or not for this caller.
    #[error("there is no such statement")]
    StatementNotFound,
    /// No such reconciliation, or not for this caller.
    #[error("there is no such reconciliation")]
    ReconciliationNotFound,
    /// No such break, or not for this caller.
    #[error("there is no such break")]
    BreakNotFound,
    /// The owner of a payout does not exist, or not for this caller.
    #[error("there is no such owner, or it has no account in this currency")]
    OwnerNotFound,
    /// The id is taken by another object.
    #[error("the id was used for something else; choose a new one")]
    IdReused,
    /// Not enough to pay out.
    #[error("the account does not cover the payout")]
    InsufficientFunds,
    /// The ledger refuses the reservation.
    #[error("the ledger refuses the reservation ({0})")]
    ReservationRefused(String),
    /// Nowhere to pay to.
    #[error("the merchant has no bank account")]
    DestinationMissing,
    /// Somewhere else than the owner's own bank account.
    #[error("a merchant is paid to the bank account that it has registered")]
    DestinationForeign,
    /// People are not paid out by others.
    #[error("people withdraw by themselves, with a transaction")]
    PersonWithdraws,
    /// The break is closed, or being written off.
    #[error("the state of the break does not allow it")]
    BreakState,
    /// Nobody asked for the write-off.
    #[error("somebody has to ask for the write-off first")]
    WriteOffNotRequested,
    /// Only people ask for write-offs and approve them.
    #[error("a person who has signed in must do this, not an API key")]
    PersonNeeded,
    /// The same person asked for the write-off.
    #[error("another person than the one who asked must approve")]
    SecondPersonNeeded,
    /// Too much for one reconciliation.
    #[error("there is too much in this span for one run; choose a shorter one")]
    SpanTooLarge,
    /// A sum does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// The key of the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another component.
    #[error("another component could not be asked")]
    Call(#[source] Box<CallError>),
    /// What another component books for us, it refuses.
    #[error("the ledger refuses what it should not ({0})")]
    Refused(String),
}

// === impl Error ===

impl Error {
    /// One field breaks a rule.
    pub(crate) fn field(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

impl From<LookupError> for Error {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Key(error) => Self::Key(error),
            LookupError::Database(error) => Self::Store(error.into()),
        }
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::Statement(_) | Self::SpanTooLarge => {
                ErrorKind::InvalidArgument
            }
            Self::BatchNotFound
            | Self::PayoutNotFound
            | Self::StatementNotFound
            | Self::ReconciliationNotFound
            | Self::BreakNotFound
            | Self::OwnerNotFound => ErrorKind::NotFound,
            Self::IdReused => ErrorKind::AlreadyExists,
            Self::InsufficientFunds
            | Self::ReservationRefused(_)
            | Self::DestinationMissing
            | Self::DestinationForeign
            | Self::PersonWithdraws
            | Self::BreakState
            | Self::WriteOffNotRequested
            | Self::SecondPersonNeeded => ErrorKind::FailedPrecondition,
            Self::PersonNeeded => ErrorKind::PermissionDenied,
            Self::Overflow(_) | Self::Refused(_) => ErrorKind::Internal,
            Self::Key(error) => error.kind(),
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Call(error) => error.dependency_kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "REQUEST_INVALID",
            Self::Statement(_) => "STATEMENT_INVALID",
            Self::BatchNotFound => "BATCH_NOT_FOUND",
            Self::PayoutNotFound => "PAYOUT_NOT_FOUND",
            Self::StatementNotFound => "STATEMENT_NOT_FOUND",
            Self::ReconciliationNotFound => "RECONCILIATION_NOT_FOUND",
            Self::BreakNotFound => "BREAK_NOT_FOUND",
            Self::OwnerNotFound => "OWNER_NOT_FOUND",
            Self::IdReused => "ID_REUSED",
            Self::InsufficientFunds => "INSUFFICIENT_FUNDS",
            Self::ReservationRefused(_) => "RESERVATION_REFUSED",
            Self::DestinationMissing => "DESTINATION_MISSING",
            Self::DestinationForeign => "DESTINATION_FOREIGN",
            Self::PersonWithdraws => "PERSON_WITHDRAWS",
            Self::BreakState => "BREAK_STATE",
            Self::WriteOffNotRequested => "WRITE_OFF_NOT_REQUESTED",
            Self::PersonNeeded => "PERSON_NEEDED",
            Self::SecondPersonNeeded => "SECOND_PERSON_NEEDED",
            Self::SpanTooLarge => "SPAN_TOO_LARGE",
            Self::Overflow(_) => "SUM_TOO_LARGE",
            Self::Refused(_) => "LEDGER_REFUSED",
            Self::Key(error) => error.reason(),
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Call(error) => error.reason(),
        }
    }

    fn outcome(&self) -> Outcome {
        if let Self::Commit(error) = self {
            error.outcome()
        } else {
            Outcome::NotProcessed
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        if let Self::Key(error) = self {
            return error.violations();
        }
        if let Self::Statement(error) = self {
            return vec![FieldViolation::new("content", error.to_string())];
        }
        if let Self::Invalid(violations) = self {
            return violations.clone();
        }
        Vec::new()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        if let Self::Commit(error) = self {
            return error.retry_after_ms();
        }
        if let Self::Store(error) = self {
            return error.retry_after_ms();
        }
        if let Self::Call(error) = self {
            return error.retry_after_ms();
        }
        None
    }
}
