//! What can go wrong in the ledger. A rejected transfer is a result, not an error.

use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};

use crate::{
    domain::{account::ChangeRefused, period::ClosingRefused},
    store::StoreError,
};

/// Errors of the component. Their reasons are listed in its README.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields that break a rule.
    #[error("the request breaks a rule: {}", list(.0))]
    Invalid(Vec<FieldViolation>),
    /// The principal may not do this with an account of this owner.
    #[error("you may open accounts of your own only, and set no bounds")]
    NotYours,
    /// There is no such account for this principal.
    #[error("there is no such account")]
    AccountNotFound,
    /// There is no such transfer for this principal.
    #[error("there is no such transfer")]
    TransferNotFound,
    /// There is no such batch.
    #[error("there is no such batch")]
    BatchNotFound,
    /// The id that the caller made belongs to another account.
    #[error("the account id is in use for another account; make a new one")]
    AccountIdTaken,
    /// An account stays as it is.
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    /// A period stays open.
    #[error(transparent)]
    Closing(#[from] ClosingRefused),
    /// The ledger's writer did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Rows could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer answered something else than was asked.
    #[error("the ledger's writer gave the answer of another command")]
    WrongAnswer,
}

// === impl Error ===

impl Error {
    /// One field that breaks a rule.
    pub fn field(
        field: impl Into<std::borrow::Cow<'static, str>>,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::InvalidArgument,
            Self::NotYours => ErrorKind::PermissionDenied,
            Self::AccountNotFound | Self::TransferNotFound | Self::BatchNotFound => {
                ErrorKind::NotFound
            }
            Self::AccountIdTaken => ErrorKind::AlreadyExists,
            Self::Change(_) | Self::Closing(_) => ErrorKind::FailedPrecondition,
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::WrongAnswer => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "REQUEST_INVALID",
            Self::NotYours => "ACCOUNT_NOT_YOURS",
            Self::AccountNotFound => "ACCOUNT_NOT_FOUND",
            Self::TransferNotFound => "TRANSFER_NOT_FOUND",
            Self::BatchNotFound => "BATCH_NOT_FOUND",
            Self::AccountIdTaken => "ACCOUNT_ID_TAKEN",
            Self::Change(ChangeRefused::Closed) => "ACCOUNT_CLOSED",
            Self::Change(ChangeRefused::NotEmpty) => "ACCOUNT_NOT_EMPTY",
            Self::Change(ChangeRefused::OfPlatform) => "ACCOUNT_OF_PLATFORM",
            Self::Closing(ClosingRefused::NotOver) => "PERIOD_NOT_OVER",
            Self::Closing(ClosingRefused::ClosedFurther) => "PERIOD_CLOSED_FURTHER",
            Self::Commit(CommitError::Overloaded) => "LEDGER_OVERLOADED",
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::WrongAnswer => "LEDGER_INTERNAL",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Commit(error) => error.outcome(),
            Self::WrongAnswer => Outcome::Unknown,
            Self::Invalid(_)
            | Self::NotYours
            | Self::AccountNotFound
            | Self::TransferNotFound
            | Self::BatchNotFound
            | Self::AccountIdTaken
            | Self::Change(_)
            | Self::Closing(_)
            | Self::Store(_) => Outcome::NotProcessed,
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::NotYours
            | Self::AccountNotFound
            | Self::TransferNotFound
            | Self::BatchNotFound
            | Self::AccountIdTaken
            | Self::Change(_)
            | Self::Closing(_)
            | Self::Commit(_)
            | Self::Store(_)
            | Self::WrongAnswer => Vec::new(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Commit(error) => error.retry_after_ms(),
            Self::Store(error) => error.retry_after_ms(),
            Self::Invalid(_)
            | Self::NotYours
            | Self::AccountNotFound
            | Self::TransferNotFound
            | Self::BatchNotFound
            | Self::AccountIdTaken
            | Self::Change(_)
            | Self::Closing(_)
            | Self::WrongAnswer => None,
        }
    }
}

fn list(violations: &[FieldViolation]) -> String {
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
