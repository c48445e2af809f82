//! The closed set of error kinds, and what an error owes to its reader.
//!
//! A component's error enum implements [`Fault`]; the transport turns a fault into a gRPC status or a problem document without
//! knowing the component.

use std::{borrow::Cow, fmt};

/// What kind of error it is. Closed: each kind has exactly one gRPC code and one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can never succeed as it is written.
    InvalidArgument,
    /// The caller is not known.
    Unauthenticated,
    /// The caller is known and may not do this.
    PermissionDenied,
    /// There is no such object, or not for this caller.
    NotFound,
    /// The object exists already, with other content.
    AlreadyExists,
    /// The object's state does not allow it.
    FailedPrecondition,
    /// A concurrent change won; the caller may read and try again.
    Aborted,
    /// A limit is reached: a queue, a rate, a size.
    ResourceExhausted,
    /// A dependency cannot be reached.
    Unavailable,
    /// The time that the caller allowed is over.
    DeadlineExceeded,
    /// A broken invariant of ours.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the documents.
    pub const ALL: [Self; 11] = [
        Self::InvalidArgument,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::AlreadyExists,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::ResourceExhausted,
        Self::Unavailable,
        Self::DeadlineExceeded,
        Self::Internal,
    ];

    /// The HTTP status of the kind (RFC 9110).
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidArgument => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::FailedPrecondition => 422,
            Self::ResourceExhausted => 429,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
            Self::Internal => 500,
        }
    }
}

/// What can be said of the effect of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Certainly nothing happened.
    NotProcessed,
    /// It cannot be known yet; ask again with the same key.
    Unknown,
}

impl Outcome {
    /// The word that travels in errors: `not_processed` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotProcessed => "not_processed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One field of a request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field as the caller wrote it, such as `amount.minor`.
    pub field: Cow<'static, str>,
    /// The rule, and what to send instead.
    pub rule: Cow<'static, str>,
}

impl FieldViolation {
    /// A violation of `rule` by `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            rule: rule.into(),
        }
    }
}

impl fmt::Display for FieldViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.rule)
    }
}

/// What every error of a component can say of itself.
///
/// `Display` is the message for the caller of an error that is not [`ErrorKind::Internal`]; internal errors show the caller their
/// reason only, and their chain is logged where they are handled.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// The kind, which decides status codes and whether a retry makes sense.
    fn kind(&self) -> ErrorKind;

    /// Stable, upper snake case, listed in `docs/errors.md`.
    fn reason(&self) -> &'static str;

    /// What is known of the effect.
    fn outcome(&self) -> Outcome {
        Outcome::NotProcessed
    }

    /// The fields at fault, for [`ErrorKind::InvalidArgument`].
    fn violations(&self) -> Vec<FieldViolation> {
        Vec::new()
    }

    /// Milliseconds after which a repeat makes sense, for limits and passing conditions.
    fn retry_after_ms(&self) -> Option<u64> {
        None
    }

    /// Further facts for machines: never personal data, never storage text.
    fn metadata(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// An error with its whole chain of sources on one line, for the one place that logs it.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_http_status_of_the_design() {
        let statuses: Vec<u16> = ErrorKind::ALL
            .iter()
            .map(|kind| kind.http_status())
            .collect();
        assert_eq!(
            statuses,
            [400, 401, 403, 404, 409, 422, 409, 429, 503, 504, 500]
        );
    }

    #[test]
    fn a_chain_names_each_source_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::fmt::Error);
        let text = chain(&Outer(std::fmt::Error));
        assert!(text.starts_with("outer: "), "{text}");
    }
}
