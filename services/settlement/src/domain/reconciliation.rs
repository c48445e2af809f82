//! One run of the three-way reconciliation.

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;

use super::ids::ReconciliationId;

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reconciliation {
    /// Names it.
    pub(crate) id: ReconciliationId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// What was compared.
    pub(crate) span: Span,
    /// Its ledger.
    pub(crate) currency: Currency,
    /// Height of the ledger's chain that was compared.
    pub(crate) ledger_height: i64,
    /// Lines with a counterpart.
    pub(crate) matched_count: i64,
    /// New breaks.
    pub(crate) break_count: i64,
    /// What connectors owe by the ledger.
    pub(crate) ledger_minor: i64,
    /// What they owe by their reports.
    pub(crate) provider_minor: i64,
    /// What they paid by the bank's statements.
    pub(crate) bank_minor: i64,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it ended.
    pub(crate) finished_at: Timestamp,
}

/// A half-open span of business time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Inclusive.
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) until: Timestamp,
}

// === impl Span ===

impl Span {
    /// True when the moment lies in it.
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}
