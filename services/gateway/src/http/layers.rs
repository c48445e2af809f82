//! What stands around every route: request id, access log, CORS, security headers.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, header},
    middleware::Next,
};
use paymesh_kernel::call::Scope;
use tracing::Instrument as _;

use super::{REQUEST_ID, cors, metrics};
use crate::app::App;

/// Longest request id that is taken from a caller.
const REQUEST_ID_LIMIT: usize = 64;
/// What is logged for a path without a route: the path itself is the caller's text.
const UNMATCHED: &str = "unmatched";

/// The layers.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let started = Instant::now();
    let request_id: Arc<str> = request_id(&app, request.headers()).into();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| UNMATCHED.to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let cors = cors::Cors::of(&app.config().cors_origins, &request);
    let span = tracing::info_span!(
        "http",
        request_id = &*request_id,
        method = method.as_str(),
        route
    );
    let work = async {
        if let Some(preflight) = cors.preflight(&request) {
            return preflight;
        }
        next.run(request).await
    };
    let scope = Scope::new(Arc::clone(&request_id));
    let mut response = scope.run(work).instrument(span.clone()).await;
    finish(response.headers_mut(), &request_id);
    cors.mark(response.headers_mut());
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    metrics::observe(&route, method.as_str(), status, elapsed);
    span.in_scope(|| tracing::info!(status, elapsed_us = micros(elapsed), "request"));
    response
}

/// The caller's id when it is a sane one, else a new one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let is_sane = |id: &&str| {
        !id.is_empty()
            && id.len() <= REQUEST_ID_LIMIT
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
            && !paymesh_kernel::card_number::looks_like_card_number(id)
    };
    match given.filter(is_sane) {
        Some(id) => id.to_owned(),
        None => paymesh_kernel::id::encode("req", app.host().platform.ids.next()),
    }
}

fn finish(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        // A route may say otherwise.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

fn micros(elapsed: std::time::Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
