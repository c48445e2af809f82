//! Metrics of the edge.

use std::{sync::OnceLock, time::Duration};

use paymesh_kernel::metrics::{counter, histogram};
use prometheus::{HistogramVec, IntCounterVec};

/// Seconds of a request.
const BUCKETS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0,
];

/// Counts a request.
pub(crate) fn observe(route: &str, method: &str, status: u16, elapsed: Duration) {
    static SECONDS: OnceLock<HistogramVec> = OnceLock::new();
    static REQUESTS: OnceLock<IntCounterVec> = OnceLock::new();
    // Any token may be a method: only those that routes have become labels.
    let method = if ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method) {
        method
    } else {
        "other"
    };
    counter(
        &REQUESTS,
        "paymesh_http_requests_total",
        "Requests answered by the gateway",
        &["route", "method", "status"],
    )
    .with_label_values(&[route, method, &status.to_string()])
    .inc();
    histogram(
        &SECONDS,
        "paymesh_http_request_seconds",
        "Time until the headers of the answer",
        &BUCKETS,
        &["route", "method"],
    )
    .with_label_values(&[route, method])
    .observe(elapsed.as_secs_f64());
}
