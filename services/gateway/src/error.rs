//! What the gateway itself refuses, beside what components answer.

use http::StatusCode;
use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};
use paymesh_mesh::CallError;

/// Milliseconds after which an overloaded gateway may be asked again.
const OVERLOAD_WAIT_MS: u64 = 250;

/// Why the gateway did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A component's answer, passed on.
    #[error(transparent)]
    Call(Box<CallError>),
    #[error("send a bearer token or an API key: Authorization: Bearer <token>")]
    CredentialsMissing,
    #[error("the token is not valid here; log in again")]
    TokenInvalid,
    #[error("the token has expired; refresh the session")]
    TokenExpired,
    #[error("the API key is not valid, has expired or was revoked")]
    ApiKeyInvalid,
    #[error("too many requests of this kind; wait and try again")]
    RateLimited { retry_after_ms: u64 },
    #[error(
        "rate limits cannot be checked, and requests that move money are not let through without; try again shortly"
    )]
    LimitsUnavailable,
    #[error("too many requests at once; try again shortly")]
    Overloaded,
    #[error("there was no answer in time; repeat with the same idempotency key")]
    TimedOut,
    #[error("{field} holds what looks like a card number; send the provider's token instead")]
    CardNumber { field: String },
    #[error(
        "this request needs the header Idempotency-Key: a value of your own, the same for each repeat"
    )]
    KeyMissing,
    #[error("the header Idempotency-Key must be 1 to 255 visible ASCII characters")]
    KeyMalformed,
    #[error("this idempotency key was used with another request; use a new key for a new request")]
    KeyReused,
    #[error(
        "the key of this request was used, and its secret is shown only once; list the API keys, revoke the one made, and make another"
    )]
    SecretShownOnce,
    #[error("the body is larger than {limit_bytes} bytes")]
    BodyTooLarge { limit_bytes: usize },
    #[error("the body did not arrive whole")]
    BodyBroken,
    #[error("the body did not arrive in time; send it without pauses")]
    BodySlow,
    #[error("too many bodies from this address are still on their way; send one after the other")]
    TooManyUploads,
    #[error("send the body as {expected}")]
    MediaType { expected: &'static str },
    #[error("the body is not JSON: {position}")]
    NotJson { position: String },
    #[error("there is no such resource; /openapi.json lists all of them")]
    RouteUnknown,
    #[error("this resource does not take this method; the header Allow lists those that it takes")]
    MethodNotAllowed,
    #[error("too many event streams of this client are open; close one")]
    TooManyStreams,
    #[error("the state could not be kept")]
    Commit(#[from] CommitError),
    #[error("the gateway's own database failed")]
    Database(#[source] paymesh_kernel::database::DatabaseError),
    #[error("{component} left {field} out of its answer")]
    AnswerIncomplete {
        component: &'static str,
        field: &'static str,
    },
}

// === impl Error ===

impl Error {
    /// The HTTP status: that of the kind, but where HTTP knows a better one.
    pub(crate) fn status(&self) -> StatusCode {
        if let Self::BodyTooLarge { .. } = self {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        if let Self::BodySlow = self {
            return StatusCode::REQUEST_TIMEOUT;
        }
        if let Self::MediaType { .. } = self {
            return StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
        if let Self::MethodNotAllowed = self {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        StatusCode::from_u16(self.kind().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Kind, reason, and what is known of the effect.
    fn facts(&self) -> (ErrorKind, &'static str, Outcome) {
        use ErrorKind as Kind;
        use Outcome::{NotProcessed, Unknown};
        match self {
            Self::Call(error) => (error.kind(), error.reason(), error.outcome()),
            Self::Commit(error) => (error.kind(), error.reason(), error.outcome()),
            Self::Database(_) => (Kind::Unavailable, "STORAGE_UNAVAILABLE", NotProcessed),
            Self::CredentialsMissing => {
                (Kind::Unauthenticated, "CREDENTIALS_MISSING", NotProcessed)
            }
            Self::TokenInvalid => (Kind::Unauthenticated, "TOKEN_INVALID", NotProcessed),
            Self::TokenExpired => (Kind::Unauthenticated, "TOKEN_EXPIRED", NotProcessed),
            Self::ApiKeyInvalid => (Kind::Unauthenticated, "API_KEY_INVALID", NotProcessed),
            Self::RateLimited { .. } => (Kind::ResourceExhausted, "RATE_LIMITED", NotProcessed),
            Self::TooManyStreams => (Kind::ResourceExhausted, "TOO_MANY_STREAMS", NotProcessed),
            Self::LimitsUnavailable => (Kind::Unavailable, "RATE_LIMIT_UNAVAILABLE", NotProcessed),
            Self::Overloaded => (Kind::Unavailable, "GATEWAY_OVERLOADED", NotProcessed),
            Self::TimedOut => (Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", Unknown),
            Self::CardNumber { .. } => (
                Kind::FailedPrecondition,
                "CARD_NUMBER_REFUSED",
                NotProcessed,
            ),
            Self::KeyMissing => (
                Kind::InvalidArgument,
                "IDEMPOTENCY_KEY_MISSING",
                NotProcessed,
            ),
            Self::KeyMalformed => (
                Kind::InvalidArgument,
                "IDEMPOTENCY_KEY_MALFORMED",
                NotProcessed,
            ),
            Self::KeyReused => (
                Kind::FailedPrecondition,
                "IDEMPOTENCY_KEY_REUSED",
                NotProcessed,
            ),
            Self::SecretShownOnce => (Kind::AlreadyExists, "SECRET_SHOWN_ONCE", Unknown),
            Self::BodyTooLarge { .. } => (Kind::InvalidArgument, "BODY_TOO_LARGE", NotProcessed),
            Self::BodyBroken => (Kind::InvalidArgument, "BODY_BROKEN", NotProcessed),
            Self::BodySlow => (Kind::InvalidArgument, "BODY_SLOW", NotProcessed),
            Self::TooManyUploads => (Kind::ResourceExhausted, "TOO_MANY_UPLOADS", NotProcessed),
            Self::MediaType { .. } => (
                Kind::InvalidArgument,
                "MEDIA_TYPE_UNSUPPORTED",
                NotProcessed,
            ),
            Self::NotJson { .. } => (Kind::InvalidArgument, "BODY_NOT_JSON", NotProcessed),
            Self::RouteUnknown => (Kind::NotFound, "ROUTE_UNKNOWN", NotProcessed),
            Self::MethodNotAllowed => (Kind::InvalidArgument, "METHOD_NOT_ALLOWED", NotProcessed),
            Self::AnswerIncomplete { .. } => (Kind::Internal, "INTERNAL", Unknown),
        }
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        self.facts().0
    }

    fn reason(&self) -> &'static str {
        self.facts().1
    }

    fn outcome(&self) -> Outcome {
        self.facts().2
    }

    fn violations(&self) -> Vec<FieldViolation> {
        if let Self::CardNumber { field } = self {
            return vec![FieldViolation::new(
                field.clone(),
                "must not hold a card number",
            )];
        }
        if let Self::KeyMissing = self {
            return vec![FieldViolation::new("Idempotency-Key", "is required")];
        }
        if let Self::KeyMalformed = self {
            return vec![FieldViolation::new(
                "Idempotency-Key",
                "must be 1 to 255 visible ASCII characters",
            )];
        }
        Vec::new()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        if let Self::RateLimited { retry_after_ms } = self {
            return Some(*retry_after_ms);
        }
        if let Self::Commit(error) = self {
            return error.retry_after_ms();
        }
        let is_passing = matches!(
            self,
            Self::LimitsUnavailable | Self::Overloaded | Self::TooManyUploads | Self::Database(_)
        );
        is_passing.then_some(OVERLOAD_WAIT_MS)
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}
