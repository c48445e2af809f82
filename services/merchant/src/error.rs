//! What can go wrong, and what the caller is told of it.

use paymesh_chassis::idempotency::{KeyError, LookupError};
use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};
use paymesh_mesh::CallError;

use crate::store::StoreError;

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Fields break rules.
    #[error("the request is not valid")]
    Invalid(Vec<FieldViolation>),
    /// No such merchant, or not for this caller.
    #[error("there is no such merchant")]
    MerchantNotFound,
    /// The id is taken.
    #[error("a merchant with this id exists")]
    MerchantExists,
    /// Closed, or not open yet.
    #[error("the merchant is not in use")]
    MerchantNotActive,
    /// No such terminal, or not for this caller.
    #[error("there is no such terminal")]
    TerminalNotFound,
    /// Only staff decides about a merchant's state.
    #[error("only staff changes the state of a merchant")]
    StateByStaff,
    /// Whoever could send a merchant's money elsewhere must be the merchant itself, or an administrator.
    #[error("the merchant itself or an administrator changes its bank account")]
    DestinationNotYours,
    /// The ledger has not answered yet.
    #[error("the accounts are still being opened; send the same request again shortly")]
    AccountsPending,
    /// The ledger will not open them.
    #[error(
        "the accounts cannot be opened, so there is no merchant; register with other data and a new id"
    )]
    AccountsRefused,
    /// The object has another version.
    #[error("the merchant was changed meanwhile; read it and decide again")]
    VersionConflict,
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
}

// === impl Error ===

impl Error {
    /// One field breaks a rule.
    pub(crate) fn field(
        field: &'static str,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
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
            Self::Invalid(_) => ErrorKind::InvalidArgument,
            Self::MerchantNotFound | Self::TerminalNotFound => ErrorKind::NotFound,
            Self::MerchantExists => ErrorKind::AlreadyExists,
            Self::MerchantNotActive | Self::AccountsRefused => ErrorKind::FailedPrecondition,
            Self::StateByStaff | Self::DestinationNotYours => ErrorKind::PermissionDenied,
            Self::AccountsPending => ErrorKind::Unavailable,
            Self::VersionConflict => ErrorKind::Aborted,
            Self::Key(error) => error.kind(),
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Call(error) => error.dependency_kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "REQUEST_INVALID",
            Self::MerchantNotFound => "MERCHANT_NOT_FOUND",
            Self::MerchantExists => "MERCHANT_EXISTS",
            Self::MerchantNotActive => "MERCHANT_NOT_ACTIVE",
            Self::TerminalNotFound => "TERMINAL_NOT_FOUND",
            Self::StateByStaff => "MERCHANT_STATE_BY_STAFF",
            Self::DestinationNotYours => "MERCHANT_DESTINATION_NOT_YOURS",
            Self::AccountsPending => "ACCOUNTS_PENDING",
            Self::AccountsRefused => "ACCOUNTS_REFUSED",
            Self::VersionConflict => "VERSION_CONFLICT",
            Self::Key(error) => error.reason(),
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Call(error) => error.reason(),
        }
    }

    fn outcome(&self) -> Outcome {
        if let Self::Commit(error) = self {
            return error.outcome();
        }
        // A pending registration stands, and the same request finishes it.
        if matches!(self, Self::AccountsPending) {
            Outcome::Unknown
        } else {
            Outcome::NotProcessed
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        if let Self::Key(error) = self {
            return error.violations();
        }
        if let Self::Invalid(violations) = self {
            return violations.clone();
        }
        Vec::new()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::AccountsPending => Some(1_000),
            Self::Commit(error) => error.retry_after_ms(),
            Self::Store(error) => error.retry_after_ms(),
            Self::Call(error) => error.retry_after_ms(),
            Self::Invalid(_)
            | Self::MerchantNotFound
            | Self::MerchantExists
            | Self::MerchantNotActive
            | Self::TerminalNotFound
            | Self::StateByStaff
            | Self::DestinationNotYours
            | Self::AccountsRefused
            | Self::VersionConflict
            | Self::Key(_) => None,
        }
    }
}
