//! What can go wrong, and what the caller is told of it. Nothing personal, no secret, no storage text (U3).

use paymesh_chassis::idempotency::{KeyError, LookupError};
use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome, Role, Timestamp};
use paymesh_mesh::CallError;

use crate::{
    secrets::{PasswordsBusy, Unreadable, access::SigningError},
    store::StoreError,
};

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Fields break rules.
    #[error("the request is not valid")]
    Invalid(Vec<FieldViolation>),
    /// No such tenant, or not for this caller.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The id is taken by another tenant.
    #[error("a tenant with this id exists")]
    TenantExists,
    /// Only who runs the platform makes tenants.
    #[error("only administrators of the operator's tenant make tenants")]
    NotOperator,
    /// No such user, or not for this caller.
    #[error("there is no such user")]
    UserNotFound,
    /// Somebody else has the address.
    #[error("a user with this e-mail address exists")]
    EmailTaken,
    /// Address or password are wrong; which of them is not said.
    #[error("e-mail address or password are wrong")]
    CredentialsInvalid,
    /// Too many attempts.
    #[error("too many attempts to sign in; try again later")]
    LoginLocked {
        /// How long it lasts.
        retry_after_ms: u64,
    },
    /// Suspended, restricted or erased.
    #[error("this user may not do this any more")]
    UserNotActive,
    /// The ledger has not answered yet.
    #[error("the first account is still being opened; send the same request again shortly")]
    AccountPending,
    /// The ledger will not open it.
    #[error("the first account cannot be opened, so there is no user; register with other data")]
    AccountRefused,
    /// Unknown, expired or of an ended session.
    #[error("the refresh token is not valid; sign in again")]
    RefreshInvalid,
    /// It was used before.
    #[error("the refresh token was used before, so its session has ended; sign in again")]
    RefreshReused,
    /// No such session, or not this caller's.
    #[error("there is no such session")]
    SessionNotFound,
    /// The object has another version.
    #[error("the user was changed meanwhile; read it and decide again")]
    VersionConflict,
    /// Nobody changes their own roles.
    #[error("nobody changes their own roles")]
    OwnRoles,
    /// More than the maker has.
    #[error("nobody gives a key the role {0} who does not have it")]
    RoleExceeded(Role),
    /// Unknown, expired or revoked.
    #[error("the API key is not valid")]
    ApiKeyInvalid,
    /// No such key, or not in this tenant.
    #[error("there is no such API key")]
    ApiKeyNotFound,
    /// Money is there or reserved.
    #[error("the person has a balance or a hold; pay it out first")]
    ErasureBalance,
    /// A dispute is open.
    #[error("the person has an open dispute; wait for its end")]
    ErasureDispute,
    /// The key of the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Too many password hashes.
    #[error(transparent)]
    Busy(#[from] PasswordsBusy),
    /// The write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another component.
    #[error("another component could not be asked")]
    Call(#[source] Box<CallError>),
    /// Damaged data or another master key.
    #[error("stored data cannot be opened")]
    Unreadable(#[from] Unreadable),
    /// The signing key.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

// === impl Error ===

impl Error {
    /// One field breaks a rule.
    #[must_use]
    pub(crate) fn field(
        field: &'static str,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }

    /// Locked until then.
    #[must_use]
    pub(crate) fn locked(until: Timestamp, now: Timestamp) -> Self {
        let wait = until.since(now).as_millis();
        Self::LoginLocked {
            retry_after_ms: u64::try_from(wait).unwrap_or(u64::MAX),
        }
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
            Self::TenantNotFound
            | Self::UserNotFound
            | Self::SessionNotFound
            | Self::ApiKeyNotFound => ErrorKind::NotFound,
            Self::TenantExists | Self::EmailTaken => ErrorKind::AlreadyExists,
            Self::NotOperator | Self::UserNotActive | Self::OwnRoles | Self::RoleExceeded(_) => {
                ErrorKind::PermissionDenied
            }
            Self::CredentialsInvalid
            | Self::RefreshInvalid
            | Self::RefreshReused
            | Self::ApiKeyInvalid => ErrorKind::Unauthenticated,
            Self::LoginLocked { .. } | Self::Busy(_) => ErrorKind::ResourceExhausted,
            Self::AccountPending => ErrorKind::Unavailable,
            Self::AccountRefused | Self::ErasureBalance | Self::ErasureDispute => {
                ErrorKind::FailedPrecondition
            }
            Self::VersionConflict => ErrorKind::Aborted,
            Self::Key(error) => error.kind(),
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Call(error) => error.dependency_kind(),
            Self::Unreadable(_) | Self::Signing(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "REQUEST_INVALID",
            Self::TenantNotFound => "TENANT_NOT_FOUND",
            Self::TenantExists => "TENANT_EXISTS",
            Self::NotOperator => "TENANT_NOT_OPERATOR",
            Self::UserNotFound => "USER_NOT_FOUND",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::CredentialsInvalid => "CREDENTIALS_INVALID",
            Self::LoginLocked { .. } => "LOGIN_LOCKED",
            Self::UserNotActive => "USER_NOT_ACTIVE",
            Self::AccountPending => "ACCOUNT_PENDING",
            Self::AccountRefused => "ACCOUNT_REFUSED",
            Self::RefreshInvalid => "REFRESH_TOKEN_INVALID",
            Self::RefreshReused => "REFRESH_TOKEN_REUSED",
            Self::SessionNotFound => "SESSION_NOT_FOUND",
            Self::VersionConflict => "VERSION_CONFLICT",
            Self::OwnRoles => "OWN_ROLES",
            Self::RoleExceeded(_) => "ROLE_EXCEEDED",
            Self::ApiKeyInvalid => "API_KEY_INVALID",
            Self::ApiKeyNotFound => "API_KEY_NOT_FOUND",
            Self::ErasureBalance => "ERASURE_BALANCE",
            Self::ErasureDispute => "ERASURE_DISPUTE",
            Self::Key(error) => error.reason(),
            Self::Busy(_) => "PASSWORDS_BUSY",
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Call(error) => error.reason(),
            Self::Unreadable(_) => "SEALED_DATA_UNREADABLE",
            Self::Signing(_) => "SIGNING_FAILED",
        }
    }

    fn outcome(&self) -> Outcome {
        if let Self::Commit(error) = self {
            return error.outcome();
        }
        // A pending registration stands, and the same request finishes it.
        if matches!(self, Self::AccountPending) {
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
            Self::LoginLocked { retry_after_ms } => Some(*retry_after_ms),
            Self::AccountPending => Some(1_000),
            Self::Busy(_) => Some(200),
            Self::Commit(error) => error.retry_after_ms(),
            Self::Store(error) => error.retry_after_ms(),
            Self::Call(error) => error.retry_after_ms(),
            Self::Invalid(_)
            | Self::TenantNotFound
            | Self::TenantExists
            | Self::NotOperator
            | Self::UserNotFound
            | Self::EmailTaken
            | Self::CredentialsInvalid
            | Self::UserNotActive
            | Self::AccountRefused
            | Self::RefreshInvalid
            | Self::RefreshReused
            | Self::SessionNotFound
            | Self::VersionConflict
            | Self::OwnRoles
            | Self::RoleExceeded(_)
            | Self::ApiKeyInvalid
            | Self::ApiKeyNotFound
            | Self::ErasureBalance
            | Self::ErasureDispute
            | Self::Key(_)
            | Self::Unreadable(_)
            | Self::Signing(_) => None,
        }
    }
}
