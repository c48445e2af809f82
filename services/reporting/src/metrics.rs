//! What the component counts of itself.

use std::sync::OnceLock;

use paymesh_kernel::metrics::{counter, histogram};
use prometheus::{HistogramVec, IntCounterVec};

use crate::domain::Run;

/// Seconds from the making of a run to its end.
const BUCKETS: [f64; 9] = [0.05, 0.2, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0];

/// A run has ended.
pub(crate) fn ended(run: &Run) {
    static RUNS: OnceLock<IntCounterVec> = OnceLock::new();
    static SECONDS: OnceLock<HistogramVec> = OnceLock::new();
    counter(
        &RUNS,
        "paymesh_reporting_runs_total",
        "Runs of reports that have ended",
        &["kind", "state"],
    )
    .with_label_values(&[run.kind.as_str(), run.state.as_str()])
    .inc();
    if let Some(finished_at) = run.finished_at {
        histogram(
            &SECONDS,
            "paymesh_reporting_run_seconds",
            "Time from the making of a run to its end",
            &BUCKETS,
            &["kind"],
        )
        .with_label_values(&[run.kind.as_str()])
        .observe(finished_at.since(run.created_at).as_secs_f64());
    }
}
