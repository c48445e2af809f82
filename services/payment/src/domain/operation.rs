//! One step at a provider, kept under its key.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, reexport::Uuid},
};

use super::{AttemptId, Decline, words::words};

words!(
    /// What is done.
    pub enum OperationKind {
        /// Reserve, and take when capture is automatic.
        Authorize = "authorize",
        /// Take.
        Capture = "capture",
        /// Release.
        Cancel = "cancel",
        /// Give back.
        Refund = "refund",
        /// Send evidence on a dispute.
        Evidence = "evidence",
    }
);

words!(
    /// Where it stands.
    pub enum OperationState {
        /// Committed or accepted; the provider has not finished.
        Pending = "pending",
        /// It was sent and the answer is missing.
        Unknown = "unknown",
        /// The provider did it.
        Succeeded = "succeeded",
        /// The provider said no.
        Declined = "declined",
        /// Certainly nothing happened.
        Failed = "failed",
        /// The provider had done it and failed it later.
        Reversed = "reversed",
    }
);

words!(
    /// Who wanted it.
    pub enum Origin {
        /// The caller.
        Caller = "caller",
        /// We ourselves: a success that came after it was given up goes back.
        Own = "own",
    }
);

/// One step at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The step's key, and our reference at the provider.
    pub key: String,
    /// The attempt it belongs to.
    pub attempt: AttemptId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// What is done.
    pub kind: OperationKind,
    /// Where it stands.
    pub state: OperationState,
    /// Who wanted it.
    pub origin: Origin,
    /// The UUID of the attempt, capture, refund or dispute.
    pub subject: Uuid,
    /// Hash of what was asked under the key.
    pub fingerprint: Uuid,
    /// Minor units; 0 where there is no amount.
    pub amount_minor: i64,
    /// A capture that gives up the rest of the authorization.
    pub is_final: bool,
    /// The caller's reason; may be empty.
    pub reason: String,
    /// The provider's name for it.
    pub connector_reference: Option<String>,
    /// Why not.
    pub decline: Option<Decline>,
    /// It was sent, or is about to be, and has no answer yet.
    pub is_in_flight: bool,
    /// Times it was sent.
    pub sends: i32,
    /// Times in a row that the provider was asked in vain.
    pub asks: i32,
    /// When it was sent last, or was about to be.
    pub sent_at: Timestamp,
    /// When somebody looks after it; none when it needs nobody.
    pub wake_at: Option<Timestamp>,
    /// When it was recorded, which is before it was sent first.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// For concurrent changes.
    pub version: i64,
}

// === impl OperationState ===

impl OperationState {
    /// True when its outcome is missing.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Unknown => true,
            Self::Succeeded | Self::Declined | Self::Failed | Self::Reversed => false,
        }
    }
}

// === impl Operation ===

impl Operation {
    /// Ends it: nobody needs to look after it any more.
    pub(super) fn end(&mut self, state: OperationState, now: Timestamp) {
        self.state = state;
        self.is_in_flight = false;
        self.wake_at = None;
        self.asks = 0;
        self.updated_at = now;
    }

    /// The same, about to be sent again; `until` is when somebody else may take over.
    #[must_use]
    pub fn about_to_be_sent(mut self, now: Timestamp, until: Timestamp) -> Self {
        self.state = OperationState::Pending;
        self.is_in_flight = true;
        self.sends += 1;
        self.sent_at = now;
        self.wake_at = Some(until);
        self.updated_at = now;
        self
    }
}
