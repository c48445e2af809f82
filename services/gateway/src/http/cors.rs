//! Cross-origin requests (the Fetch standard): off, unless origins are configured.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
};

/// Seconds that a browser may remember a preflight.
const REMEMBER: &str = "600";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str =
    "authorization, content-type, idempotency-key, prefer, x-request-id, last-event-id";
const RESPONSE_HEADERS: &str =
    "location, idempotent-replayed, retry-after, ratelimit, ratelimit-policy, x-request-id";

/// What is said of a request's origin.
#[derive(Clone, Debug)]
pub(crate) struct Cors {
    /// Set when the origin is an allowed one.
    origin: Option<HeaderValue>,
}

// === impl Cors ===

impl Cors {
    /// Looks at the origin of a request.
    pub(crate) fn of(origins: &[String], request: &Request) -> Self {
        let origin = request.headers().get(header::ORIGIN);
        Self {
            origin: origin
                .filter(|origin| {
                    origins
                        .iter()
                        .any(|known| known.as_bytes() == origin.as_bytes())
                })
                .cloned(),
        }
    }

    /// The answer to a preflight of an allowed origin.
    pub(crate) fn preflight(&self, request: &Request) -> Option<Response<Body>> {
        let is_preflight = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight || self.origin.is_none() {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        put(
            response.headers_mut(),
            header::ACCESS_CONTROL_ALLOW_METHODS,
            METHODS,
        );
        put(
            response.headers_mut(),
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            REQUEST_HEADERS,
        );
        put(
            response.headers_mut(),
            header::ACCESS_CONTROL_MAX_AGE,
            REMEMBER,
        );
        Some(response)
    }

    /// Lets an allowed origin read the response.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        if let Some(origin) = &self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            put(
                headers,
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                RESPONSE_HEADERS,
            );
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
            put(
                headers,
                HeaderName::from_static("cross-origin-resource-policy"),
                "cross-origin",
            );
        }
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
