//! Everything that can be refused or go wrong here. The README has a line for each reason.

use paymesh_chassis::idempotency::{KeyError, LookupError};
use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};

use crate::{
    connector::{TokenRefusal, Unreachable, WebhookRefusal},
    domain::Rejection,
    store::StoreError,
};

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields break rules.
    #[error("the request has fields that break rules")]
    Invalid(Vec<FieldViolation>),
    /// A field holds what looks like a card number.
    #[error("this looks like a card number; only tokens of a payment provider are accepted")]
    CardNumber {
        /// Which one.
        field: &'static str,
    },
    /// No such attempt, or not for this caller.
    #[error("there is no such payment attempt")]
    AttemptNotFound,
    /// No such payment method, or not for this caller.
    #[error("there is no such payment method")]
    MethodNotFound,
    /// No such dispute, or not for this caller.
    #[error("there is no such dispute")]
    DisputeNotFound,
    /// No connector of that name.
    #[error("there is no such connector")]
    ConnectorUnknown,
    /// The caller may only act for itself.
    #[error("payment methods are stored for oneself only")]
    NotYourself,
    /// The attempt was canceled before it arrived.
    #[error("the attempt was canceled before it arrived")]
    AttemptCanceled,
    /// The payer has to do something else.
    #[error("the attempt has no such action")]
    ActionUnknown,
    /// The state of the attempt or dispute does not allow it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// About an idempotency key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The provider does not know the token.
    #[error("the provider does not know this token")]
    TokenUnknown,
    /// The evidence does not fit.
    #[error("the provider takes at most {limit_bytes} bytes of evidence")]
    EvidenceTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The webhook is not taken.
    #[error(transparent)]
    Webhook(#[from] WebhookRefusal),
    /// As many calls to the connector as allowed are under way.
    #[error("too many calls to the provider are under way; try again shortly")]
    ConnectorBusy,
    /// The provider cannot be asked.
    #[error("the provider cannot be asked right now")]
    ConnectorUnavailable,
    /// Writing.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Reading.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// The keys of commands cannot be read.
    #[error("the idempotency key cannot be looked up")]
    Lookup(#[source] LookupError),
    /// Others changed the same attempt again and again.
    #[error("the attempt is being changed by others; try again shortly")]
    Contended,
    /// The step is under way, but the process is ending.
    #[error("the process is ending; ask for the outcome by the same key")]
    Ending,
}

// === impl Error ===

impl From<LookupError> for Error {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Key(key) => Self::Key(key),
            LookupError::Database(_) => Self::Lookup(error),
        }
    }
}

impl From<Unreachable> for Error {
    fn from(_: Unreachable) -> Self {
        Self::ConnectorUnavailable
    }
}

impl From<TokenRefusal> for Error {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Unknown => Self::TokenUnknown,
            TokenRefusal::Unreachable => Self::ConnectorUnavailable,
        }
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::InvalidArgument,
            Self::AttemptNotFound
            | Self::MethodNotFound
            | Self::DisputeNotFound
            | Self::ConnectorUnknown => ErrorKind::NotFound,
            Self::NotYourself => ErrorKind::PermissionDenied,
            Self::CardNumber { .. }
            | Self::AttemptCanceled
            | Self::ActionUnknown
            | Self::Rejected(_)
            | Self::TokenUnknown
            | Self::EvidenceTooLarge { .. } => ErrorKind::FailedPrecondition,
            Self::Key(error) => error.kind(),
            Self::Webhook(WebhookRefusal::Malformed) => ErrorKind::InvalidArgument,
            Self::Webhook(WebhookRefusal::Signature | WebhookRefusal::Time) => {
                ErrorKind::Unauthenticated
            }
            Self::ConnectorBusy => ErrorKind::ResourceExhausted,
            Self::ConnectorUnavailable | Self::Ending => ErrorKind::Unavailable,
            Self::Commit(error) => error.kind(),
            Self::Store(_) | Self::Lookup(_) => ErrorKind::Internal,
            Self::Contended => ErrorKind::Aborted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELDS",
            Self::CardNumber { .. } => "CARD_NUMBER_REFUSED",
            Self::AttemptNotFound => "ATTEMPT_NOT_FOUND",
            Self::MethodNotFound => "PAYMENT_METHOD_NOT_FOUND",
            Self::DisputeNotFound => "DISPUTE_NOT_FOUND",
            Self::ConnectorUnknown => "CONNECTOR_UNKNOWN",
            Self::NotYourself => "PAYMENT_METHOD_FOR_ANOTHER",
            Self::AttemptCanceled => "ATTEMPT_CANCELED",
            Self::ActionUnknown => "ACTION_UNKNOWN",
            Self::Rejected(rejection) => rejection.reason(),
            Self::Key(error) => error.reason(),
            Self::TokenUnknown => "PROVIDER_TOKEN_UNKNOWN",
            Self::EvidenceTooLarge { .. } => "EVIDENCE_TOO_LARGE",
            Self::Webhook(WebhookRefusal::Signature) => "WEBHOOK_SIGNATURE_INVALID",
            Self::Webhook(WebhookRefusal::Time) => "WEBHOOK_TIME_REFUSED",
            Self::Webhook(WebhookRefusal::Malformed) => "WEBHOOK_MALFORMED",
            Self::ConnectorBusy => "CONNECTOR_BUSY",
            Self::ConnectorUnavailable => "CONNECTOR_UNAVAILABLE",
            Self::Commit(error) => error.reason(),
            Self::Store(_) | Self::Lookup(_) => "STORAGE_UNREADABLE",
            Self::Contended => "CONCURRENT_CHANGE",
            Self::Ending => "STEP_UNDER_WAY",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Commit(error) => error.outcome(),
            Self::Ending => Outcome::Unknown,
            Self::Invalid(_)
            | Self::CardNumber { .. }
            | Self::AttemptNotFound
            | Self::MethodNotFound
            | Self::DisputeNotFound
            | Self::ConnectorUnknown
            | Self::NotYourself
            | Self::AttemptCanceled
            | Self::ActionUnknown
            | Self::Rejected(_)
            | Self::Key(_)
            | Self::TokenUnknown
            | Self::EvidenceTooLarge { .. }
            | Self::Webhook(_)
            | Self::ConnectorBusy
            | Self::ConnectorUnavailable
            | Self::Store(_)
            | Self::Lookup(_)
            | Self::Contended => Outcome::NotProcessed,
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::CardNumber { field } => vec![FieldViolation::new(
                *field,
                "must not be a card number; send a provider's token",
            )],
            Self::Key(error) => error.violations(),
            Self::AttemptNotFound
            | Self::MethodNotFound
            | Self::DisputeNotFound
            | Self::ConnectorUnknown
            | Self::NotYourself
            | Self::AttemptCanceled
            | Self::ActionUnknown
            | Self::Rejected(_)
            | Self::TokenUnknown
            | Self::EvidenceTooLarge { .. }
            | Self::Webhook(_)
            | Self::ConnectorBusy
            | Self::ConnectorUnavailable
            | Self::Commit(_)
            | Self::Store(_)
            | Self::Lookup(_)
            | Self::Contended
            | Self::Ending => Vec::new(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::ConnectorBusy => Some(200),
            Self::ConnectorUnavailable => Some(1_000),
            Self::Contended => Some(50),
            Self::Ending => Some(1_000),
            Self::Commit(error) => error.retry_after_ms(),
            Self::Invalid(_)
            | Self::CardNumber { .. }
            | Self::AttemptNotFound
            | Self::MethodNotFound
            | Self::DisputeNotFound
            | Self::ConnectorUnknown
            | Self::NotYourself
            | Self::AttemptCanceled
            | Self::ActionUnknown
            | Self::Rejected(_)
            | Self::Key(_)
            | Self::TokenUnknown
            | Self::EvidenceTooLarge { .. }
            | Self::Webhook(_)
            | Self::Store(_)
            | Self::Lookup(_) => None,
        }
    }
}
