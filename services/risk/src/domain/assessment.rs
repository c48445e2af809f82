//! A payment with what was decided on it, and past payments as windows are fed with them.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, reexport::Uuid},
};

use super::{DecisionId, Features, Payment, Verdict};

/// A decision as it was made and is explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Its id, made by the caller.
    pub id: DecisionId,
    /// Whose.
    pub tenant: TenantId,
    /// The transaction.
    pub transaction: String,
    /// What was paid.
    pub payment: Payment,
    /// What was decided.
    pub verdict: Verdict,
    /// What it was made from.
    pub features: Features,
    /// Clock time.
    pub decided_at: Timestamp,
    /// Hash of what was asked.
    pub fingerprint: Uuid,
}

/// A payment of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its id.
    pub id: DecisionId,
    /// Whose.
    pub tenant: TenantId,
    /// What was paid.
    pub payment: Payment,
    /// For imported history that is known to be fraud: since when.
    pub fraud_at: Option<Timestamp>,
    /// Clock time.
    pub recorded_at: Timestamp,
}
