//! The ledger's metrics.

use std::sync::OnceLock;

use paymesh_kernel::metrics::{counter, histogram};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

/// Sizes of batches, in transfers.
const SIZES: [f64; 12] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 2_048.0, 8_192.0,
];
/// Seconds of a commit.
const SECONDS: [f64; 10] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0];

/// What is counted of commits.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) transfers: IntCounter,
    pub(super) batch_transfers: Histogram,
    pub(super) seconds: Histogram,
    pub(super) bisections: IntCounter,
    pub(super) unknown_commits: IntCounter,
}

impl Metrics {
    pub(super) fn new() -> Self {
        static TRANSFERS: OnceLock<IntCounterVec> = OnceLock::new();
        static SIZE: OnceLock<HistogramVec> = OnceLock::new();
        static TIME: OnceLock<HistogramVec> = OnceLock::new();
        static BISECTIONS: OnceLock<IntCounterVec> = OnceLock::new();
        static UNKNOWN: OnceLock<IntCounterVec> = OnceLock::new();
        let count =
            |cell, name, help| counter(cell, name, help, &[]).with_label_values::<&str>(&[]);
        let spread = |cell, name, help, buckets: &[f64]| {
            histogram(cell, name, help, buckets, &[]).with_label_values::<&str>(&[])
        };
        Self {
            transfers: count(
                &TRANSFERS,
                "paymesh_ledger_transfers_total",
                "Transfers booked",
            ),
            batch_transfers: spread(
                &SIZE,
                "paymesh_ledger_batch_transfers",
                "Transfers in one commit of the ledger",
                &SIZES,
            ),
            seconds: spread(
                &TIME,
                "paymesh_ledger_commit_seconds",
                "Time of one commit of the ledger",
                &SECONDS,
            ),
            bisections: count(
                &BISECTIONS,
                "paymesh_ledger_bisections_total",
                "Batches of the ledger that were halved because the database refused them",
            ),
            unknown_commits: count(
                &UNKNOWN,
                "paymesh_ledger_unknown_commits_total",
                "Commits of the ledger whose outcome had to be looked up",
            ),
        }
    }
}
