//! What is seen of a payment at a provider, in our words. Connectors make it.

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;

use super::{Action, Decline, DisputeState};

/// A payment as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The provider's name for it.
    pub connector_reference: String,
    /// Ours.
    pub reference: String,
    /// Where it stands.
    pub status: SeenStatus,
    /// Of all amounts.
    pub currency: Currency,
    /// Asked for, in minor units.
    pub amount_minor: i64,
    /// When the authorization ends by itself.
    pub authorization_expires_at: Option<Timestamp>,
    /// All captures.
    pub captures: Vec<PartSeen>,
    /// All refunds.
    pub refunds: Vec<PartSeen>,
    /// All disputes.
    pub disputes: Vec<DisputeSeen>,
}

/// Where a payment stands at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenStatus {
    /// The provider has not decided.
    Processing,
    /// The payer must verify.
    RequiresAction(Action),
    /// Reserved.
    Authorized,
    /// Some of it was taken; the rest may be.
    PartiallyCaptured,
    /// Taken, and nothing is reserved any more.
    Captured,
    /// Released.
    Canceled,
    /// Ended by itself.
    Expired,
    /// Refused.
    Declined(Decline),
}

/// A capture or refund as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSeen {
    /// Our key, when the provider has one.
    pub reference: Option<String>,
    /// The provider's name for it.
    pub connector_reference: String,
    /// In minor units.
    pub amount_minor: i64,
    /// Given up of the authorization by this capture, in minor units.
    pub released_minor: i64,
    /// Where it stands.
    pub state: PartState,
}

/// Where a capture or refund stands at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Accepted, not finished.
    Pending,
    /// Done.
    Succeeded,
    /// Refused, or failed later.
    Failed(Decline),
}

/// A dispute as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeSeen {
    /// The provider's name for it.
    pub connector_reference: String,
    /// In minor units.
    pub amount_minor: i64,
    /// What the provider charges, in minor units.
    pub fee_minor: i64,
    /// The scheme's reason.
    pub reason: String,
    /// Last moment for evidence.
    pub evidence_due_at: Option<Timestamp>,
    /// Where it stands.
    pub state: DisputeState,
}

/// What is seen cannot be true together with what we know. Nothing is changed; a person has to look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Another payment answers to our reference.
    #[error("the provider's payment has another {what} than the attempt")]
    Different {
        /// What differs.
        what: &'static str,
    },
    /// The amounts would break P1 or P2.
    #[error("the provider's amounts break the bounds of the attempt")]
    Bounds,
}
