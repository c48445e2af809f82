//! The layers around a component's gRPC services, the same in process and over the network.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use paymesh_kernel::{
    ErrorKind, Fault, Principal,
    call::{Scope, Token},
};
use paymesh_proto::Method;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tonic::{Status, service::Routes};
use tracing::Instrument as _;

use crate::{
    access,
    fault::to_status,
    metrics,
    token::{EDGE, TokenError, Tokens},
};

/// Metadata key of the service token.
pub(crate) const SERVICE_TOKEN: &str = "x-paymesh-service";
/// Metadata key of the principal token.
pub(crate) const PRINCIPAL_TOKEN: &str = "x-paymesh-principal";
/// Metadata key of the request id.
pub(crate) const REQUEST_ID: &str = "x-request-id";
/// A longer request id is cut off.
const REQUEST_ID_LIMIT: usize = 64;
/// Paths that need no token: health answers whether, never what.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// Limits of one server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Calls that may run at once; one more is refused with RESOURCE_EXHAUSTED.
    pub concurrent_calls: usize,
    /// A call without a deadline, or with a longer one, gets this one.
    pub longest_call_ms: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            concurrent_calls: 1_024,
            longest_call_ms: 30_000,
        }
    }
}

/// Who calls: the component on the other end, and the principal it works for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Name of the calling component.
    pub component: Arc<str>,
    /// Who asked; None only for public methods.
    pub principal: Option<Arc<Principal>>,
}

/// Why the stack refused a call before the component saw it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Refusal {
    #[error("there is no such method")]
    UnknownMethod,
    #[error("the calling component did not prove who it is")]
    Service(#[source] TokenError),
    #[error("nobody is named as the one who asks")]
    Principal(#[source] TokenError),
    #[error("this component may not call this method")]
    Component,
    #[error("the permission {0} is needed")]
    Permission(&'static str),
    #[error("too many calls at once; try again shortly")]
    Overloaded,
    #[error("the deadline passed before there was an answer")]
    Deadline,
}

impl Fault for Refusal {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownMethod => ErrorKind::NotFound,
            Self::Service(_) | Self::Principal(_) => ErrorKind::Unauthenticated,
            Self::Component | Self::Permission(_) => ErrorKind::PermissionDenied,
            Self::Overloaded => ErrorKind::ResourceExhausted,
            Self::Deadline => ErrorKind::DeadlineExceeded,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::UnknownMethod => "METHOD_UNKNOWN",
            Self::Service(_) => "SERVICE_TOKEN_INVALID",
            Self::Principal(_) => "PRINCIPAL_TOKEN_INVALID",
            Self::Component => "CALLER_NOT_ALLOWED",
            Self::Permission(_) => "PERMISSION_MISSING",
            Self::Overloaded => "SERVER_OVERLOADED",
            Self::Deadline => "DEADLINE_EXCEEDED",
        }
    }

    fn outcome(&self) -> paymesh_kernel::Outcome {
        match self {
            Self::Deadline => paymesh_kernel::Outcome::Unknown,
            Self::UnknownMethod
            | Self::Service(_)
            | Self::Principal(_)
            | Self::Component
            | Self::Permission(_)
            | Self::Overloaded => paymesh_kernel::Outcome::NotProcessed,
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        matches!(self, Self::Overloaded).then_some(100)
    }
}

struct Stack {
    tokens: Tokens,
    permits: Arc<Semaphore>,
    longest_call: Duration,
}

/// Puts the layers around a component's services.
pub fn router(routes: Routes, tokens: Tokens, config: &ServerConfig) -> Router {
    let stack = Arc::new(Stack {
        tokens,
        permits: Arc::new(Semaphore::new(config.concurrent_calls)),
        longest_call: Duration::from_millis(config.longest_call_ms),
    });
    routes
        .prepare()
        .into_axum_router()
        .layer(middleware::from_fn_with_state(stack, guard))
}

/// The caller of a request that came through the stack.
///
/// # Errors
/// UNAUTHENTICATED when the method is not public and nobody is named.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<(&Caller, &Principal), Status> {
    let refused = || to_status(&Refusal::Principal(TokenError::Missing));
    let caller = request.extensions().get::<Caller>().ok_or_else(refused)?;
    let principal = caller.principal.as_deref().ok_or_else(refused)?;
    Ok((caller, principal))
}

async fn guard(State(stack): State<Arc<Stack>>, mut request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(HEALTH) {
        return next.run(request).await;
    }
    let component = stack.tokens.component();
    let (method, scope, caller) = match admit(&stack, &request) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            count(component, "refused", &to_status(&refusal));
            return answer(&refusal);
        }
    };
    let Ok(permit) = Arc::clone(&stack.permits).try_acquire_owned() else {
        count(component, method.path, &to_status(&Refusal::Overloaded));
        return answer(&Refusal::Overloaded);
    };
    let limit = scope.deadline;
    let span = tracing::info_span!(
        "rpc",
        component,
        method = method.path,
        request_id = &*scope.request_id,
        caller = &*caller.component,
    );
    request.extensions_mut().insert(caller);
    let timer = metrics::server_seconds()
        .with_label_values(&[component, method.path])
        .start_timer();
    let work = scope.run(next.run(request)).instrument(span);
    let response = match limit {
        Some(deadline) => tokio::time::timeout_at(deadline, work).await,
        None => Ok(work.await),
    };
    timer.observe_duration();
    drop(permit);
    let Ok(response) = response else {
        count(component, method.path, &to_status(&Refusal::Deadline));
        return answer(&Refusal::Deadline);
    };
    let code = response
        .headers()
        .get("grpc-status")
        .and_then(|code| code.to_str().ok())
        .unwrap_or("0");
    metrics::server_calls()
        .with_label_values(&[component, method.path, code])
        .inc();
    response
}

fn admit(stack: &Stack, request: &Request) -> Result<(&'static Method, Scope, Caller), Refusal> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let method = paymesh_proto::method(request.uri().path()).ok_or(Refusal::UnknownMethod)?;
    let service = header(SERVICE_TOKEN).ok_or(Refusal::Service(TokenError::Missing))?;
    let component = stack
        .tokens
        .verify_service(service)
        .map_err(Refusal::Service)?;
    if !method.allows(&component) {
        return Err(Refusal::Component);
    }
    let token = header(PRINCIPAL_TOKEN);
    let principal = token
        .map(|token| stack.tokens.verify_principal(token))
        .transpose()
        .map_err(Refusal::Principal)?;
    if method.permission != Method::PUBLIC {
        let principal = principal
            .as_deref()
            .ok_or(Refusal::Principal(TokenError::Missing))?;
        if &*component == EDGE && !access::holds(principal, method.permission) {
            return Err(Refusal::Permission(method.permission));
        }
    }
    let request_id = header(REQUEST_ID).map_or("", |id| id.get(..REQUEST_ID_LIMIT).unwrap_or(id));
    let mut scope = Scope::new(request_id).within(
        header("grpc-timeout")
            .and_then(parse_timeout)
            .map_or(stack.longest_call, |asked| asked.min(stack.longest_call)),
    );
    scope.principal.clone_from(&principal);
    scope.token = token.map(|token| Token(token.into()));
    Ok((
        method,
        scope,
        Caller {
            component,
            principal,
        },
    ))
}

/// `grpc-timeout` as the gRPC protocol writes it: at most eight digits and a unit.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(value.saturating_mul(60))),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

fn answer(refusal: &Refusal) -> Response {
    to_status(refusal).into_http::<Body>()
}

fn count(component: &str, method: &str, status: &Status) {
    let code = i32::from(status.code()).to_string();
    metrics::server_calls()
        .with_label_values(&[component, method, &code])
        .inc();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_reads_as_the_protocol_writes_it() {
        for (text, wanted) in [
            ("250m", Some(Duration::from_millis(250))),
            ("3S", Some(Duration::from_secs(3))),
            ("99999999u", Some(Duration::from_micros(99_999_999))),
            ("123456789m", None),
            ("", None),
            ("m", None),
            ("5x", None),
            ("-5m", None),
        ] {
            assert_eq!(parse_timeout(text), wanted, "{text}");
        }
    }
}
