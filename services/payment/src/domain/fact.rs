//! What others are told of a change.

use super::{Attempt, AttemptState, CaptureId, Decline, Dispute, RefundId};

/// A fact in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of an attempt, as it was after the fact; its `event_sequence` is the place.
    Attempt(Box<Attempt>, Fact),
    /// Of a dispute, as it was after the fact; its `event_sequence` is the place.
    Dispute(Box<Dispute>, DisputeFact),
}

/// What happened to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The provider reserved the money.
    Authorized,
    /// The provider took money.
    Processed {
        /// By which capture.
        capture: CaptureId,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// It ended without money.
    Failed {
        /// In a word.
        reason: String,
    },
    /// It changed otherwise.
    Updated {
        /// Where it stood before.
        previous: AttemptState,
    },
    /// A refund goes to the provider.
    RefundInitiated {
        /// Which one.
        refund: RefundId,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// The provider gave money back.
    RefundProcessed {
        /// By which refund.
        refund: RefundId,
        /// How much, in minor units.
        amount_minor: i64,
        /// The provider's name for it.
        connector_reference: String,
    },
    /// The provider did not give it back.
    RefundFailed {
        /// Which one.
        refund: RefundId,
        /// How much, in minor units.
        amount_minor: i64,
        /// Why, when the provider said.
        decline: Option<Decline>,
        /// Whether it had said otherwise before.
        came: Came,
    },
}

/// When a refund failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It never succeeded.
    AtOnce,
    /// After the provider had said that it succeeded.
    AfterSuccess,
}

/// What happened to a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeFact {
    /// The payer disputes.
    Opened,
    /// Evidence went to the provider.
    EvidenceSubmitted,
    /// Decided for the merchant.
    Won,
    /// Decided for the payer.
    Lost,
}
