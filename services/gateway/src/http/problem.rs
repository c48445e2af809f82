//! Problem documents (RFC 9457): the one form of every error that leaves the gateway.

use std::{borrow::Cow, sync::OnceLock};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use paymesh_kernel::{ErrorKind, Fault, FieldViolation, Outcome, call};
use paymesh_mesh::CallError;

use super::form::shape;

/// What a caller should wait before a repeat when the callee named no time, in milliseconds.
const IN_PROGRESS_WAIT_MS: u64 = 1_000;
/// The reason of a component whose first request with the key still runs.
const IN_PROGRESS: &str = "IDEMPOTENCY_IN_PROGRESS";
/// Messages of the protos whose fields bodies have one level up, and what their fields are called there.
const FLAT: [(&str, &str); 5] = [
    (".payment_method.payment_method_id", ".payment_method_id"),
    (".payment_method.customer_id", ".customer_id"),
    (".merchant.merchant_id", ".merchant_id"),
    (".merchant.terminal_id", ".terminal_id"),
    (".bank.destination_token", ".bank_token"),
];
/// Reasons by which the mesh refuses the gateway itself: nothing that a caller could mend.
const OUR_OWN_FAULT: [&str; 5] = [
    "SERVICE_TOKEN_INVALID",
    "PRINCIPAL_TOKEN_INVALID",
    "CALLER_NOT_ALLOWED",
    "METHOD_UNKNOWN",
    "NO_REASON",
];

static DOCS: OnceLock<String> = OnceLock::new();

/// Says where the list of reasons is. The first call counts.
pub(crate) fn set_docs_url(url: &str) {
    DOCS.get_or_init(|| url.to_owned());
}

shape! {
    /// What went wrong, and what to do about it.
    ProblemDocument {
        /// Where the reason is explained.
        r#type: String,
        /// The reason in words; the same for each problem of its type.
        title: String,
        /// The HTTP status.
        status: u32,
        /// What happened this time.
        detail: String,
        /// Stable, for machines.
        reason: String,
        /// `not_processed`: certainly nothing happened. `unknown`: it cannot be known yet; repeat with the same key.
        outcome: String,
        /// The fields at fault.
        errors: Option<Vec<FieldProblem>>,
        /// Name it when you ask for help.
        request_id: String,
        /// Milliseconds after which a repeat makes sense.
        retry_after_ms: Option<u64>,
    }
}

shape! {
    /// A field that breaks a rule. Its value is never repeated.
    FieldProblem {
        /// Path of the field as it was written, such as `amount.minor`, or a header's name.
        field: String,
        /// The rule, and what to send instead.
        rule: String,
    }
}

/// An error on its way to the caller.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) outcome: Outcome,
    pub(crate) errors: Vec<FieldViolation>,
    pub(crate) retry_after_ms: Option<u64>,
}

// === impl Problem ===

impl Problem {
    /// A problem of which nothing came.
    pub(crate) fn new(
        status: StatusCode,
        reason: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            reason: reason.into(),
            detail: detail.into(),
            outcome: Outcome::NotProcessed,
            errors: Vec::new(),
            retry_after_ms: None,
        }
    }

    /// Fields break rules.
    pub(crate) fn fields(errors: Vec<FieldViolation>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.to_string(),
            many => format!("{} fields are not as they must be; see errors", many.len()),
        };
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "FIELDS_INVALID", detail)
        }
    }

    /// One field breaks a rule.
    pub(crate) fn field(
        field: impl Into<Cow<'static, str>>,
        rule: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::fields(vec![FieldViolation::new(field, rule)])
    }

    /// A broken invariant of ours. The cause is logged here, and stays here.
    pub(crate) fn internal(cause: &str) -> Self {
        tracing::error!(cause, "an internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "an internal error; the log has its cause under the request id",
        )
        .with_outcome(Outcome::Unknown)
    }

    /// The same, with what is known of the effect.
    pub(crate) const fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        let request_id =
            call::current().map_or_else(String::new, |scope| scope.request_id.to_string());
        self.into_response_for(&request_id)
    }

    /// The answer to the request with this id.
    pub(crate) fn into_response_for(self, request_id: &str) -> Response<Body> {
        let document = ProblemDocument {
            r#type: format!(
                "{}#{}",
                DOCS.get().map_or("", String::as_str),
                self.reason.to_lowercase()
            ),
            title: title(&self.reason),
            status: self.status.as_u16().into(),
            detail: self.detail.into_owned(),
            reason: self.reason.into_owned(),
            outcome: self.outcome.as_str().to_owned(),
            errors: (!self.errors.is_empty()).then(|| {
                let field = |violation: FieldViolation| FieldProblem {
                    field: violation.field.into_owned(),
                    rule: violation.rule.into_owned(),
                };
                self.errors.into_iter().map(field).collect()
            }),
            request_id: request_id.to_owned(),
            retry_after_ms: self.retry_after_ms,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait_ms) = self.retry_after_ms {
            headers.insert(header::RETRY_AFTER, wait_ms.div_ceil(1_000).max(1).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"paymesh\""),
            );
        }
        response
    }
}

/// A problem of the gateway itself.
impl<F: Into<crate::error::Error>> From<F> for Problem {
    fn from(fault: F) -> Self {
        let fault: crate::error::Error = fault.into();
        if let crate::error::Error::Call(error) = fault {
            return from_call(&error);
        }
        if fault.kind() == ErrorKind::Internal {
            return Self::internal(&paymesh_kernel::error::chain(&fault));
        }
        Self {
            status: fault.status(),
            reason: fault.reason().into(),
            detail: fault.to_string().into(),
            outcome: fault.outcome(),
            errors: fault.violations(),
            retry_after_ms: fault.retry_after_ms(),
        }
    }
}

/// What a component answered instead of a response.
fn from_call(error: &CallError) -> Problem {
    let reason = error.reason_text();
    let kind = error.kind();
    if kind == ErrorKind::Internal || OUR_OWN_FAULT.contains(&reason) {
        let cause = format!("a component answered {kind:?} {reason}: {error}");
        return Problem::internal(&cause).with_outcome(error.outcome());
    }
    let status =
        StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after_ms = error
        .retry_after_ms()
        .or((reason == IN_PROGRESS).then_some(IN_PROGRESS_WAIT_MS));
    Problem {
        status,
        reason: reason.to_owned().into(),
        detail: detail(error),
        outcome: error.outcome(),
        errors: error.violations().into_iter().map(as_written).collect(),
        retry_after_ms,
    }
}

/// What the component says, unless it speaks of how components reach each other.
fn detail(error: &CallError) -> Cow<'static, str> {
    match (error.kind(), error.outcome()) {
        (ErrorKind::Unavailable, Outcome::NotProcessed) => {
            "the service is not available at the moment; nothing happened, try again shortly".into()
        }
        (ErrorKind::Unavailable, Outcome::Unknown) => {
            "the connection broke before the outcome was known; repeat with the same idempotency key".into()
        }
        (ErrorKind::DeadlineExceeded, Outcome::NotProcessed) => {
            "there was no time left to begin; nothing happened, try again".into()
        }
        (ErrorKind::DeadlineExceeded, Outcome::Unknown) => {
            "there was no answer in time; repeat with the same idempotency key".into()
        }
        _ => error.to_string().into(),
    }
}

/// A field of a proto by the name that it has in bodies and queries.
fn as_written(violation: FieldViolation) -> FieldViolation {
    FieldViolation {
        field: field_as_written(&violation.field).into(),
        rule: violation.rule,
    }
}

fn field_as_written(field: &str) -> String {
    match field {
        "page.size" => return "limit".to_owned(),
        "page.token" => return "page".to_owned(),
        "idempotency_key" => return "Idempotency-Key".to_owned(),
        _ => {}
    }
    for (nested, flat) in FLAT {
        if let Some(side @ ("payer" | "payee")) = field.strip_suffix(nested) {
            return format!("{side}{flat}");
        }
    }
    let plain = field.strip_suffix("_us").unwrap_or(field);
    let end = plain.rsplit_once('.').and_then(|(span, end)| {
        let end = end.strip_suffix("_at").unwrap_or(end);
        ["from", "until"].contains(&end).then_some((span, end))
    });
    match end {
        // A span of business time is two fields of the query: `from` and `until`.
        Some(("business" | "range", end)) => end.to_owned(),
        Some((span, end)) => format!("{span}_{end}"),
        None => plain.to_owned(),
    }
}

/// `ACCOUNT_NOT_FOUND` in words.
fn title(reason: &str) -> String {
    let words = reason.to_lowercase().replace('_', " ");
    let mut chars = words.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_the_caller_wrote_them() {
        for (proto, written) in [
            ("page.size", "limit"),
            ("page.token", "page"),
            ("idempotency_key", "Idempotency-Key"),
            ("amount.minor", "amount.minor"),
            ("expires_at_us", "expires_at"),
            ("created.from_at_us", "created_from"),
            ("created.until", "created_until"),
            ("business.from_at", "from"),
            ("range.until_at_us", "until"),
            (
                "payer.payment_method.payment_method_id",
                "payer.payment_method_id",
            ),
            ("payee.merchant.terminal_id", "payee.terminal_id"),
            ("payee.bank.destination_token", "payee.bank_token"),
            ("payee.account_id", "payee.account_id"),
        ] {
            assert_eq!(field_as_written(proto), written);
        }
    }

    #[test]
    fn a_reason_is_a_title_in_words() {
        assert_eq!(title("ACCOUNT_NOT_FOUND"), "Account not found");
        assert_eq!(title(""), "");
    }
}
