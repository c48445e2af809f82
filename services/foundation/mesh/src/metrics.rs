//! The mesh's metrics, by edge and method.

use std::sync::OnceLock;

use paymesh_kernel::metrics::{counter, histogram};
use prometheus::{HistogramVec, IntCounterVec};

/// Seconds of a call.
const CALL_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Calls that a server answered: component, method, gRPC code.
pub(crate) fn server_calls() -> &'static IntCounterVec {
    static CELL: OnceLock<IntCounterVec> = OnceLock::new();
    counter(
        &CELL,
        "paymesh_rpc_server_calls_total",
        "Calls answered, by gRPC status code",
        &["component", "method", "code"],
    )
}

/// Seconds from arrival to answer: component, method.
pub(crate) fn server_seconds() -> &'static HistogramVec {
    static CELL: OnceLock<HistogramVec> = OnceLock::new();
    histogram(
        &CELL,
        "paymesh_rpc_server_seconds",
        "Time from the arrival of a call to its answer",
        &CALL_BUCKETS,
        &["component", "method"],
    )
}

/// Repeats of calls: caller, callee.
pub(crate) fn client_retries() -> &'static IntCounterVec {
    static CELL: OnceLock<IntCounterVec> = OnceLock::new();
    counter(
        &CELL,
        "paymesh_rpc_client_retries_total",
        "Calls that were sent again",
        &["component", "callee"],
    )
}
