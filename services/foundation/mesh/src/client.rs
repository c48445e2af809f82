//! The client side: a channel that generated tonic clients are made over.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use paymesh_kernel::{
    ErrorKind, Fault, Outcome,
    backoff::Backoff,
    call::{self, Scope},
};
use paymesh_proto::Method;
use tokio::time::Instant;
use tonic::{Status, body::Body as GrpcBody};
use tower::{Service, ServiceExt as _};

use crate::{
    Tokens,
    fault::to_status,
    metrics,
    server::{PRINCIPAL_TOKEN, REQUEST_ID, SERVICE_TOKEN},
    token::TokenError,
};

/// Largest content that one request carries, such as a file to import, in bytes.
pub const CONTENT_LIMIT: usize = 8 * 1024 * 1024;
/// Largest request, in bytes: a content, and the fields beside it.
const REQUEST_LIMIT: usize = CONTENT_LIMIT + 64 * 1024;
/// Attempts of one call.
const ATTEMPTS: u32 = 3;
/// Taken off the deadline at each hop, so that the callee gives up before its caller.
const HOP: Duration = Duration::from_millis(2);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(200));

type CallFuture = Pin<Box<dyn Future<Output = Result<Response<GrpcBody>, Infallible>> + Send>>;

/// Where a callee is.
#[derive(Clone)]
pub(crate) enum Target {
    /// In this process, once it is there.
    InProcess(Arc<OnceLock<Router>>),
    /// At an address.
    Remote(tonic::transport::Channel),
}

/// Calls one component. Cheap to clone, always ready, never fails but with a gRPC status.
#[derive(Clone)]
pub struct Channel {
    callee: &'static str,
    target: Target,
    tokens: Tokens,
    timeout: Duration,
}

/// Why a call has no answer from its callee.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum NoAnswer {
    #[error("the request is too large")]
    TooLarge,
    #[error("no token can be had for the call")]
    Token(#[source] TokenError),
    #[error("{callee} cannot be reached")]
    Unreachable { callee: &'static str },
    #[error("the connection to {callee} broke before the answer")]
    Broken { callee: &'static str },
    #[error("{callee} did not answer in time")]
    TimedOut { callee: &'static str },
    #[error("the deadline passed before {callee} was called")]
    NotSent { callee: &'static str },
}

impl Fault for NoAnswer {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge => ErrorKind::InvalidArgument,
            Self::Token(_) => ErrorKind::Unauthenticated,
            Self::Unreachable { .. } | Self::Broken { .. } => ErrorKind::Unavailable,
            Self::TimedOut { .. } | Self::NotSent { .. } => ErrorKind::DeadlineExceeded,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "REQUEST_TOO_LARGE",
            Self::Token(_) => "SERVICE_TOKEN_INVALID",
            Self::Unreachable { .. } => "COMPONENT_UNREACHABLE",
            Self::Broken { .. } => "CONNECTION_BROKEN",
            Self::TimedOut { .. } | Self::NotSent { .. } => "DEADLINE_EXCEEDED",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::TooLarge | Self::Token(_) | Self::Unreachable { .. } | Self::NotSent { .. } => {
                Outcome::NotProcessed
            }
            Self::Broken { .. } | Self::TimedOut { .. } => Outcome::Unknown,
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        matches!(self, Self::Unreachable { .. }).then_some(1_000)
    }
}

// === impl Channel ===

impl Channel {
    pub(crate) const fn new(
        callee: &'static str,
        target: Target,
        tokens: Tokens,
        timeout: Duration,
    ) -> Self {
        Self {
            callee,
            target,
            tokens,
            timeout,
        }
    }

    /// The component on the other end.
    #[must_use]
    pub const fn callee(&self) -> &'static str {
        self.callee
    }

    async fn call_within(self, request: Request<GrpcBody>) -> Result<Response<GrpcBody>, NoAnswer> {
        let callee = self.callee;
        let scope = call::current().unwrap_or_else(|| Scope::new(""));
        let deadline = scope
            .deadline
            .unwrap_or_else(|| Instant::now() + self.timeout);
        let (mut parts, body) = request.into_parts();
        let body = Limited::new(body, REQUEST_LIMIT)
            .collect()
            .await
            .map_err(|_| NoAnswer::TooLarge)?
            .to_bytes();
        self.sign(&mut parts.headers, &scope)?;
        let may_repeat = paymesh_proto::method(parts.uri.path())
            .is_some_and(|m: &Method| m.idempotency.may_repeat());
        let mut attempt = 1;
        // What an earlier attempt left behind: when it may have run, a later one cannot make that undone.
        let mut earlier = NoAnswer::NotSent { callee };
        loop {
            let left = deadline
                .saturating_duration_since(Instant::now())
                .saturating_sub(HOP);
            if left.is_zero() {
                return Err(earlier);
            }
            let mut request = Request::new(GrpcBody::new(Full::new(body.clone())));
            *request.uri_mut() = parts.uri.clone();
            *request.method_mut() = parts.method.clone();
            *request.version_mut() = http::Version::HTTP_2;
            *request.headers_mut() = parts.headers.clone();
            request
                .headers_mut()
                .insert("grpc-timeout", timeout_value(left));
            let answer = tokio::time::timeout(left, self.target.clone().send(request, callee))
                .await
                .unwrap_or(Err(NoAnswer::TimedOut { callee }));
            let error = match answer {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let certainly_not_run = matches!(error, NoAnswer::Unreachable { .. });
            let again =
                certainly_not_run || (may_repeat && matches!(error, NoAnswer::Broken { .. }));
            if earlier.outcome() == Outcome::NotProcessed || error.outcome() == Outcome::Unknown {
                earlier = error;
            }
            if !again || attempt >= ATTEMPTS {
                return Err(earlier);
            }
            metrics::client_retries()
                .with_label_values(&[self.tokens.component(), callee])
                .inc();
            let entropy = u64::from(left.subsec_nanos());
            tokio::time::sleep(BACKOFF.wait(attempt, entropy)).await;
            attempt += 1;
        }
    }

    fn sign(&self, headers: &mut http::HeaderMap, scope: &Scope) -> Result<(), NoAnswer> {
        let service = self.tokens.service(self.callee).map_err(NoAnswer::Token)?;
        insert(headers, SERVICE_TOKEN, &service.0);
        let principal = match (&scope.token, &scope.principal) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(principal)) => {
                Some(self.tokens.principal(principal).map_err(NoAnswer::Token)?)
            }
            (None, None) => None,
        };
        if let Some(token) = principal {
            insert(headers, PRINCIPAL_TOKEN, &token.0);
        }
        insert(headers, REQUEST_ID, &scope.request_id);
        Ok(())
    }
}

impl Target {
    async fn send(
        self,
        request: Request<GrpcBody>,
        callee: &'static str,
    ) -> Result<Response<GrpcBody>, NoAnswer> {
        match self {
            Self::InProcess(slot) => {
                let router = slot
                    .get()
                    .cloned()
                    .ok_or(NoAnswer::Unreachable { callee })?;
                match router.oneshot(request.map(Body::new)).await {
                    Ok(response) => Ok(response.map(GrpcBody::new)),
                    Err(never) => match never {},
                }
            }
            Self::Remote(mut channel) => {
                channel
                    .ready()
                    .await
                    .map_err(|_| NoAnswer::Unreachable { callee })?;
                channel
                    .call(request)
                    .await
                    .map_err(|error| no_answer(&error, callee))
            }
        }
    }
}

impl Service<Request<GrpcBody>> for Channel {
    type Response = Response<GrpcBody>;
    type Error = Infallible;
    type Future = CallFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<GrpcBody>) -> CallFuture {
        let channel = self.clone();
        Box::pin(async move {
            Ok(channel.call_within(request).await.unwrap_or_else(|error| {
                let status: Status = to_status(&error);
                status.into_http()
            }))
        })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("callee", &self.callee)
            .finish_non_exhaustive()
    }
}

/// Whether the request certainly never left: only when no connection was made.
fn no_answer(error: &(dyn std::error::Error + 'static), callee: &'static str) -> NoAnswer {
    let mut source = Some(error);
    while let Some(cause) = source {
        let refused = cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused);
        if refused || cause.is::<tonic::ConnectError>() {
            return NoAnswer::Unreachable { callee };
        }
        if cause.is::<tonic::TimeoutExpired>() {
            return NoAnswer::TimedOut { callee };
        }
        source = cause.source();
    }
    NoAnswer::Broken { callee }
}

fn timeout_value(left: Duration) -> HeaderValue {
    // The protocol allows eight digits.
    let micros = left.as_micros();
    let text = if micros <= 99_999_999 {
        format!("{micros}u")
    } else {
        format!("{}m", left.as_millis().min(99_999_999))
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("1S"))
}

fn insert(headers: &mut http::HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(value.as_bytes())) {
        headers.insert(name, value);
    }
}
