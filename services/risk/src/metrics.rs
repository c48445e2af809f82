//! What the component counts of itself.

use std::sync::OnceLock;

use paymesh_kernel::metrics::counter;
use prometheus::IntCounterVec;

use crate::domain::Decision;

/// A decision was stored.
pub(crate) fn decided(decision: Decision) {
    static CELL: OnceLock<IntCounterVec> = OnceLock::new();
    counter(
        &CELL,
        "paymesh_risk_decisions_total",
        "Decisions that were stored",
        &["decision"],
    )
    .with_label_values(&[decision.as_str()])
    .inc();
}
