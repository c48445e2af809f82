//! Errors across the wire: a [`Fault`] becomes a gRPC status with `google.rpc` details, and a status becomes a [`CallError`].

use std::{collections::HashMap, time::Duration};

use paymesh_kernel::{ErrorKind, Fault, FieldViolation, Outcome, error::chain};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `google.rpc.ErrorInfo.domain` of our reasons.
const DOMAIN: &str = "paymesh.dev";
const OUTCOME: &str = "outcome";

/// The gRPC code of an error kind.
#[must_use]
pub const fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::FailedPrecondition => Code::FailedPrecondition,
        ErrorKind::Aborted => Code::Aborted,
        ErrorKind::ResourceExhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The kind of a gRPC code. Codes that we never send count as internal.
#[must_use]
pub const fn kind_of(code: Code) -> ErrorKind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidArgument,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::FailedPrecondition => ErrorKind::FailedPrecondition,
        Code::Aborted => ErrorKind::Aborted,
        Code::ResourceExhausted => ErrorKind::ResourceExhausted,
        Code::Unavailable => ErrorKind::Unavailable,
        Code::DeadlineExceeded | Code::Cancelled => ErrorKind::DeadlineExceeded,
        Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            ErrorKind::Internal
        }
    }
}

/// The status that says what the fault says. An internal fault is logged here with its chain, and shows the caller its reason only.
#[must_use]
pub fn to_status(fault: &dyn Fault) -> Status {
    let kind = fault.kind();
    let message = if kind == ErrorKind::Internal {
        tracing::error!(
            reason = fault.reason(),
            error = chain_of(fault),
            "an internal error"
        );
        "an internal error; the log has its cause under the request id".to_owned()
    } else {
        fault.to_string()
    };
    let mut metadata: HashMap<String, String> = fault
        .metadata()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    metadata.insert(OUTCOME.to_owned(), fault.outcome().as_str().to_owned());
    let mut details = ErrorDetails::with_error_info(fault.reason(), DOMAIN, metadata);
    for violation in fault.violations() {
        details.add_bad_request_violation(violation.field, violation.rule);
    }
    if let Some(wait_ms) = fault.retry_after_ms() {
        details.set_retry_info(Some(Duration::from_millis(wait_ms)));
    }
    Status::with_error_details(code_of(kind), message, details)
}

fn chain_of(fault: &dyn Fault) -> String {
    let mut text = fault.to_string();
    if let Some(source) = fault.source() {
        text.push_str(": ");
        text.push_str(&chain(source));
    }
    text
}

/// What a callee answered instead of a response, or why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    kind: ErrorKind,
    reason: String,
    outcome: Outcome,
    message: String,
    violations: Vec<FieldViolation>,
    retry_after_ms: Option<u64>,
    metadata: HashMap<String, String>,
}

// === impl CallError ===

impl CallError {
    /// The stable reason of the callee, such as `ACCOUNT_NOT_FOUND`.
    #[must_use]
    pub fn reason_text(&self) -> &str {
        &self.reason
    }

    /// A fact that the callee added.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }

    /// True when the same call may succeed later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unavailable
                | ErrorKind::ResourceExhausted
                | ErrorKind::DeadlineExceeded
                | ErrorKind::Aborted
                | ErrorKind::Internal
        )
    }

    /// The kind to show to our own caller, as [`Fault::reason`] says it: what a callee refuses us is no fault of our caller's.
    #[must_use]
    pub const fn dependency_kind(&self) -> ErrorKind {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::ResourceExhausted => ErrorKind::Unavailable,
            ErrorKind::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            ErrorKind::InvalidArgument
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::FailedPrecondition
            | ErrorKind::Aborted
            | ErrorKind::Internal => ErrorKind::Internal,
        }
    }

    /// The status to pass on to our own caller, details included.
    #[must_use]
    pub fn to_status(&self) -> Status {
        let mut metadata = self.metadata.clone();
        metadata.insert(OUTCOME.to_owned(), self.outcome.as_str().to_owned());
        let mut details = ErrorDetails::with_error_info(&self.reason, DOMAIN, metadata);
        for violation in &self.violations {
            details.add_bad_request_violation(violation.field.clone(), violation.rule.clone());
        }
        if let Some(wait_ms) = self.retry_after_ms {
            details.set_retry_info(Some(Duration::from_millis(wait_ms)));
        }
        Status::with_error_details(code_of(self.kind), self.message.clone(), details)
    }
}

impl Fault for CallError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Reasons of other components are passed on as text, see [`CallError::reason_text`].
    fn reason(&self) -> &'static str {
        let kind = self.dependency_kind();
        if kind == ErrorKind::Unavailable {
            "DEPENDENCY_UNAVAILABLE"
        } else if kind == ErrorKind::DeadlineExceeded {
            "DEADLINE_EXCEEDED"
        } else {
            "DEPENDENCY_REFUSED"
        }
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn violations(&self) -> Vec<FieldViolation> {
        self.violations.clone()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let (reason, metadata) = details
            .error_info()
            .map(|info| (info.reason.clone(), info.metadata.clone()))
            .unwrap_or_default();
        let kind = kind_of(status.code());
        // A status without details did not come from our server stack: only what cannot have run is certain.
        let outcome = match metadata.get(OUTCOME).map(String::as_str) {
            Some("not_processed") => Outcome::NotProcessed,
            _ => Outcome::Unknown,
        };
        Self {
            kind,
            reason: if reason.is_empty() {
                "NO_REASON".to_owned()
            } else {
                reason
            },
            outcome,
            message: status.message().to_owned(),
            violations: details
                .bad_request()
                .map(|bad| {
                    bad.field_violations
                        .iter()
                        .map(|v| FieldViolation::new(v.field.clone(), v.description.clone()))
                        .collect()
                })
                .unwrap_or_default(),
            retry_after_ms: details
                .retry_info()
                .and_then(|info| info.retry_delay)
                .and_then(|delay| u64::try_from(delay.as_millis()).ok()),
            metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("amount is too large")]
    struct TooLarge;

    impl Fault for TooLarge {
        fn kind(&self) -> ErrorKind {
            ErrorKind::InvalidArgument
        }
        fn reason(&self) -> &'static str {
            "AMOUNT_TOO_LARGE"
        }
        fn violations(&self) -> Vec<FieldViolation> {
            vec![FieldViolation::new("amount.minor", "must be at most 10")]
        }
        fn retry_after_ms(&self) -> Option<u64> {
            Some(250)
        }
    }

    #[test]
    fn n3_what_a_fault_says_arrives_at_the_caller() {
        let error = CallError::from(to_status(&TooLarge));
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(error.reason_text(), "AMOUNT_TOO_LARGE");
        assert_eq!(error.outcome(), Outcome::NotProcessed);
        assert_eq!(error.violations(), TooLarge.violations());
        assert_eq!(error.retry_after_ms(), Some(250));
        assert_eq!(CallError::from(error.to_status()), error);
    }

    #[test]
    fn a_status_without_details_leaves_the_outcome_unknown() {
        let error = CallError::from(Status::unavailable("gone"));
        assert_eq!(error.outcome(), Outcome::Unknown);
    }

    #[test]
    fn every_kind_has_one_code_and_comes_back() {
        for kind in ErrorKind::ALL {
            assert_eq!(kind_of(code_of(kind)), kind);
        }
    }

    #[test]
    fn a_refusal_of_another_component_is_shown_with_a_kind_that_fits_its_reason() {
        for (code, kind, reason) in [
            (
                Code::DeadlineExceeded,
                ErrorKind::DeadlineExceeded,
                "DEADLINE_EXCEEDED",
            ),
            (
                Code::ResourceExhausted,
                ErrorKind::Unavailable,
                "DEPENDENCY_UNAVAILABLE",
            ),
            (
                Code::Unavailable,
                ErrorKind::Unavailable,
                "DEPENDENCY_UNAVAILABLE",
            ),
            (Code::NotFound, ErrorKind::Internal, "DEPENDENCY_REFUSED"),
            (Code::Aborted, ErrorKind::Internal, "DEPENDENCY_REFUSED"),
        ] {
            let error = CallError::from(Status::new(code, "no"));
            assert_eq!((error.dependency_kind(), error.reason()), (kind, reason));
        }
    }
}
