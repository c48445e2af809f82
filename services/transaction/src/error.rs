//! Everything that can be refused or go wrong here. The README has a line for each reason.

use paymesh_chassis::idempotency::{KeyError, LookupError};
use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};
use paymesh_mesh::CallError;

use crate::{
    domain::{command::Rejection, work::NoGroup},
    store::StoreError,
};

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields break rules.
    #[error("the request has fields that break rules")]
    Invalid(Vec<FieldViolation>),
    /// No such transaction, or not for this caller.
    #[error("there is no such transaction")]
    NotFound,
    /// No such account, payment method, merchant or user, or not for this caller.
    #[error("{field} names nothing that this caller may use")]
    PartyNotFound {
        /// Which field.
        field: &'static str,
    },
    /// The caller's role may not do this.
    #[error("this kind of transaction is not for this caller")]
    KindNotAllowed,
    /// A business time from a tenant that may not send one.
    #[error("only sandbox tenants may send a business time")]
    BusinessTime,
    /// The quote is of other figures than the request.
    #[error("the quote is not of this amount and these currencies")]
    QuoteMismatch,
    /// The state of the transaction does not allow it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// About an idempotency key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The first request with this key is still at work.
    #[error("the first request with this idempotency key is still at work; ask again shortly")]
    InProgress,
    /// As many transactions as allowed are at work.
    #[error("too many transactions are at work; try again shortly")]
    Overloaded,
    /// Others changed the same transaction again and again.
    #[error("the transaction is being changed by others; try again shortly")]
    Contended,
    /// Another component cannot be asked, or refused.
    #[error("another component did not answer")]
    Dependency(#[source] Box<CallError>),
    /// What another component answered makes no sense.
    #[error("another component answered what makes no sense: {0}")]
    Contradiction(&'static str),
    /// A page token of another list.
    #[error("the page token is not one of this list")]
    PageToken,
    /// Writing.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Reading.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// The keys of commands cannot be read.
    #[error("the idempotency key cannot be looked up")]
    Lookup(#[source] LookupError),
}

// === impl Error ===

impl Error {
    /// One field breaks one rule.
    pub(crate) fn field(
        field: &'static str,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }
}

impl From<LookupError> for Error {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Key(key) => Self::Key(key),
            LookupError::Database(_) => Self::Lookup(error),
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self::Dependency(Box::new(error))
    }
}

impl From<NoGroup> for Error {
    fn from(_: NoGroup) -> Self {
        Self::Contradiction("figures are missing")
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::BusinessTime | Self::QuoteMismatch | Self::PageToken => {
                ErrorKind::InvalidArgument
            }
            Self::NotFound | Self::PartyNotFound { .. } => ErrorKind::NotFound,
            Self::KindNotAllowed => ErrorKind::PermissionDenied,
            Self::Rejected(rejection) => match rejection {
                Rejection::Busy | Rejection::Version { .. } => ErrorKind::Aborted,
                Rejection::Currency { .. } => ErrorKind::InvalidArgument,
                Rejection::NoRequest => ErrorKind::NotFound,
                Rejection::PersonNeeded | Rejection::FinanceNeeded => ErrorKind::PermissionDenied,
                Rejection::DisputeReused => ErrorKind::AlreadyExists,
                Rejection::State { .. }
                | Rejection::TooMuch { .. }
                | Rejection::Kind { .. }
                | Rejection::SamePerson
                | Rejection::UndoBegun
                | Rejection::Edge { .. }
                | Rejection::NoChargeback
                | Rejection::TooMany { .. } => ErrorKind::FailedPrecondition,
            },
            Self::Key(error) => error.kind(),
            Self::InProgress | Self::Contended => ErrorKind::Aborted,
            Self::Overloaded => ErrorKind::ResourceExhausted,
            Self::Dependency(error) => dependency_kind(error.kind()),
            Self::Contradiction(_) | Self::Lookup(_) => ErrorKind::Internal,
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELDS",
            Self::NotFound => "TRANSACTION_NOT_FOUND",
            Self::PartyNotFound { .. } => "PARTY_NOT_FOUND",
            Self::KindNotAllowed => "TRANSACTION_KIND_NOT_ALLOWED",
            Self::BusinessTime => "BUSINESS_TIME_REFUSED",
            Self::QuoteMismatch => "QUOTE_MISMATCH",
            Self::Rejected(rejection) => rejection_reason(rejection),
            Self::Key(error) => error.reason(),
            Self::InProgress => "IDEMPOTENCY_IN_PROGRESS",
            Self::Overloaded => "TOO_MANY_TRANSACTIONS",
            Self::Contended => "CONCURRENT_CHANGE",
            Self::Dependency(error) => error.reason(),
            Self::Contradiction(_) => "DEPENDENCY_CONTRADICTION",
            Self::PageToken => "PAGE_TOKEN_INVALID",
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Lookup(_) => "STORAGE_UNREADABLE",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Commit(error) => error.outcome(),
            Self::Invalid(_)
            | Self::NotFound
            | Self::PartyNotFound { .. }
            | Self::KindNotAllowed
            | Self::BusinessTime
            | Self::QuoteMismatch
            | Self::Rejected(_)
            | Self::Key(_)
            | Self::InProgress
            | Self::Overloaded
            | Self::Contended
            | Self::Dependency(_)
            | Self::Contradiction(_)
            | Self::PageToken
            | Self::Store(_)
            | Self::Lookup(_) => Outcome::NotProcessed,
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::Key(error) => error.violations(),
            Self::PartyNotFound { field } => vec![FieldViolation::new(*field, self.to_string())],
            Self::BusinessTime => vec![FieldViolation::new("business_at", self.to_string())],
            Self::QuoteMismatch => vec![FieldViolation::new("quote_id", self.to_string())],
            Self::PageToken => vec![FieldViolation::new("page.token", self.to_string())],
            Self::Rejected(Rejection::TooMuch { .. } | Rejection::Currency { .. }) => {
                vec![FieldViolation::new("amount", self.to_string())]
            }
            Self::NotFound
            | Self::KindNotAllowed
            | Self::Rejected(_)
            | Self::InProgress
            | Self::Overloaded
            | Self::Contended
            | Self::Dependency(_)
            | Self::Contradiction(_)
            | Self::Commit(_)
            | Self::Store(_)
            | Self::Lookup(_) => Vec::new(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::InProgress => Some(1_000),
            Self::Overloaded | Self::Contended => Some(100),
            Self::Rejected(Rejection::Busy) => Some(500),
            Self::Dependency(error) => error
                .is_passing()
                .then(|| error.retry_after_ms().unwrap_or(1_000)),
            Self::Commit(error) => error.retry_after_ms(),
            Self::Store(error) => error.retry_after_ms(),
            Self::Invalid(_)
            | Self::NotFound
            | Self::PartyNotFound { .. }
            | Self::KindNotAllowed
            | Self::BusinessTime
            | Self::QuoteMismatch
            | Self::Rejected(_)
            | Self::Key(_)
            | Self::Contradiction(_)
            | Self::PageToken
            | Self::Lookup(_) => None,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rejected(Rejection::Version { version }) => {
                vec![("version", version.to_string())]
            }
            Self::Rejected(Rejection::State { status, .. }) => {
                vec![("status", status.as_str().to_owned())]
            }
            Self::Dependency(error) => vec![("dependency_reason", error.reason_text().to_owned())],
            Self::Invalid(_)
            | Self::NotFound
            | Self::PartyNotFound { .. }
            | Self::KindNotAllowed
            | Self::BusinessTime
            | Self::QuoteMismatch
            | Self::Rejected(_)
            | Self::Key(_)
            | Self::InProgress
            | Self::Overloaded
            | Self::Contended
            | Self::Contradiction(_)
            | Self::PageToken
            | Self::Commit(_)
            | Self::Store(_)
            | Self::Lookup(_) => Vec::new(),
        }
    }
}

/// A component that refuses us has found a defect of ours; one that cannot be reached is just that.
const fn dependency_kind(kind: ErrorKind) -> ErrorKind {
    match kind {
        ErrorKind::Unavailable | ErrorKind::ResourceExhausted | ErrorKind::Aborted => {
            ErrorKind::Unavailable
        }
        ErrorKind::DeadlineExceeded => ErrorKind::DeadlineExceeded,
        ErrorKind::InvalidArgument
        | ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::FailedPrecondition
        | ErrorKind::Internal => ErrorKind::Internal,
    }
}

const fn rejection_reason(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::State { .. } => "TRANSACTION_STATE",
        Rejection::Busy => "OPERATION_IN_PROGRESS",
        Rejection::TooMuch { .. } => "AMOUNT_EXCEEDS_LEFT",
        Rejection::Currency { .. } => "CURRENCY_MISMATCH",
        Rejection::Kind { .. } => "TRANSACTION_KIND",
        Rejection::SamePerson => "SECOND_PERSON_NEEDED",
        Rejection::PersonNeeded => "PERSON_NEEDED",
        Rejection::FinanceNeeded => "TRANSACTION_KIND_NOT_ALLOWED",
        Rejection::DisputeReused => "DISPUTE_REUSED",
        Rejection::NoRequest => "RESOLUTION_REQUEST_NOT_FOUND",
        Rejection::UndoBegun => "UNDO_BEGUN",
        Rejection::Edge { .. } => "STATUS_EDGE",
        Rejection::Version { .. } => "VERSION_CONFLICT",
        Rejection::NoChargeback => "CHARGEBACK_NOT_BOOKED",
        Rejection::TooMany { .. } => "TOO_MANY_OPERATIONS",
    }
}
