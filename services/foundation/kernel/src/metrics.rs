//! The kernel's metrics. Registered once a process; each component is a label.

use std::sync::OnceLock;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};

/// Sizes of batches: powers of two.
const BATCH_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// Seconds of a commit.
const COMMIT_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0];

/// A histogram by component, registered on first use.
pub fn histogram(
    cell: &'static OnceLock<HistogramVec>,
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> &'static HistogramVec {
    cell.get_or_init(|| {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        let vec = HistogramVec::new(options, labels)
            .expect("a metric's name and labels are constants of ours");
        prometheus::default_registry()
            .register(Box::new(vec.clone()))
            .ok();
        vec
    })
}

/// A counter, registered on first use.
pub fn counter(
    cell: &'static OnceLock<IntCounterVec>,
    name: &str,
    help: &str,
    labels: &[&str],
) -> &'static IntCounterVec {
    cell.get_or_init(|| {
        let vec = IntCounterVec::new(Opts::new(name, help), labels)
            .expect("a metric's name and labels are constants of ours");
        prometheus::default_registry()
            .register(Box::new(vec.clone()))
            .ok();
        vec
    })
}

pub(crate) fn commit_batch_size(component: &str) -> Histogram {
    static CELL: OnceLock<HistogramVec> = OnceLock::new();
    histogram(
        &CELL,
        "paymesh_commit_batch_size",
        "Change sets in one commit of the group-commit writer",
        &BATCH_BUCKETS,
        &["component"],
    )
    .with_label_values(&[component])
}

pub(crate) fn commit_seconds(component: &str) -> Histogram {
    static CELL: OnceLock<HistogramVec> = OnceLock::new();
    histogram(
        &CELL,
        "paymesh_commit_seconds",
        "Time of one commit of the group-commit writer",
        &COMMIT_BUCKETS,
        &["component"],
    )
    .with_label_values(&[component])
}

pub(crate) fn commit_bisections(component: &str) -> IntCounter {
    static CELL: OnceLock<IntCounterVec> = OnceLock::new();
    counter(
        &CELL,
        "paymesh_commit_bisections_total",
        "Batches that were halved because the database refused them",
        &["component"],
    )
    .with_label_values(&[component])
}
