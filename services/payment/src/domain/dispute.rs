//! A payer's dispute with the scheme.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use paymesh_money::Currency;

use super::{AttemptId, DisputeId, TransactionId, words::words};

words!(
    /// Where a dispute stands.
    pub enum DisputeState {
        /// The payer disputes; the money is taken back.
        Opened = "opened",
        /// Evidence is with the scheme.
        EvidenceSubmitted = "evidence_submitted",
        /// Decided for the merchant: the money is here again.
        Won = "won",
        /// Decided for the payer.
        Lost = "lost",
    }
);

/// A dispute. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// What is disputed.
    pub attempt: AttemptId,
    /// What that was for.
    pub transaction: TransactionId,
    /// Who pays.
    pub customer: Option<UserId>,
    /// Who was paid.
    pub merchant: Option<MerchantId>,
    /// Where.
    pub connector: String,
    /// The provider's name for it.
    pub connector_reference: String,
    /// Where it stands.
    pub state: DisputeState,
    /// Of the amounts.
    pub currency: Currency,
    /// Disputed.
    pub amount_minor: i64,
    /// What the provider charges for it.
    pub fee_minor: i64,
    /// The scheme's reason.
    pub reason: String,
    /// Last moment for evidence.
    pub evidence_due_at: Option<Timestamp>,
    /// Facts told so far.
    pub event_sequence: i64,
    /// When we learned of it.
    pub opened_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// For concurrent changes.
    pub version: i64,
}

// === impl DisputeState ===

impl DisputeState {
    /// True when going from here to `next` is forward (P3).
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        next.rank() > self.rank()
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Opened => 0,
            Self::EvidenceSubmitted => 1,
            Self::Won | Self::Lost => 2,
        }
    }
}
