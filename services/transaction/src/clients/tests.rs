use tonic::Status;

use super::*;

/// What a callee or the mesh says.
#[derive(Debug, thiserror::Error)]
#[error("it says so")]
struct Said(ErrorKind, &'static str, Outcome);

impl paymesh_kernel::Fault for Said {
    fn kind(&self) -> ErrorKind {
        self.0
    }

    fn reason(&self) -> &'static str {
        self.1
    }

    fn outcome(&self) -> Outcome {
        self.2
    }
}

fn said(kind: ErrorKind, reason: &'static str, outcome: Outcome) -> CallError {
    CallError::from(paymesh_mesh::to_status(&Said(kind, reason, outcome)))
}

#[test]
fn only_what_the_callee_itself_has_decided_is_a_refusal() {
    use ErrorKind as Kind;
    for (kind, reason, wanted) in [
        (Kind::InvalidArgument, "INVALID_FIELDS", true),
        (Kind::NotFound, "PAYMENT_METHOD_NOT_FOUND", true),
        (Kind::AlreadyExists, "ID_REUSED", true),
        (Kind::FailedPrecondition, "PROVIDER_TOKEN_UNKNOWN", true),
        (Kind::FailedPrecondition, "QUOTE_EXPIRED", true),
        (Kind::Unauthenticated, "SERVICE_TOKEN_INVALID", false),
        (Kind::Unauthenticated, "PRINCIPAL_TOKEN_INVALID", false),
        (Kind::PermissionDenied, "CALLER_NOT_ALLOWED", false),
        (Kind::PermissionDenied, "PERMISSION_MISSING", false),
        (Kind::NotFound, "METHOD_UNKNOWN", false),
        (Kind::InvalidArgument, "REQUEST_TOO_LARGE", false),
        (Kind::ResourceExhausted, "SERVER_OVERLOADED", false),
        (Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", false),
        (Kind::Unavailable, "COMPONENT_UNREACHABLE", false),
        (Kind::Aborted, "CONCURRENT_CHANGE", false),
        (Kind::Internal, "STORAGE_UNREADABLE", false),
    ] {
        let error = said(kind, reason, Outcome::NotProcessed);
        assert_eq!(is_refusal(&error), wanted, "{reason}");
        let in_doubt = said(kind, reason, Outcome::Unknown);
        assert!(!is_refusal(&in_doubt), "{reason}, outcome unknown");
    }
    for kind in Kind::ALL {
        let is_decision = is_refusal(&said(kind, "SOMETHING_NEW", Outcome::NotProcessed));
        let is_ours = matches!(kind, Kind::Unauthenticated | Kind::PermissionDenied);
        assert!(!(is_decision && is_ours), "{kind:?}");
    }
}

#[test]
fn what_no_component_of_ours_said_decides_nothing() {
    for status in [
        Status::unimplemented("no such service"),
        Status::unauthenticated("who are you"),
        Status::permission_denied("no"),
        Status::not_found("no route"),
        Status::invalid_argument("bad frame"),
        Status::failed_precondition("?"),
    ] {
        assert!(!is_refusal(&CallError::from(status.clone())), "{status}");
    }
}

#[test]
fn an_object_is_missing_only_where_the_callee_says_so() {
    let missing = |reason| is_not_found(&said(ErrorKind::NotFound, reason, Outcome::NotProcessed));
    assert!(missing("ACCOUNT_NOT_FOUND"));
    assert!(!missing("METHOD_UNKNOWN"));
}
