//! What a caller may ask of an attempt that exists.
//!
//! A command is decided on the attempt as it was loaded; what it reserves is committed before the provider is called, so that
//! two commands at once can never take or return the same money.

use paymesh_kernel::{Timestamp, id::reexport::Uuid};
use paymesh_money::{Amount, Currency};

use super::{
    AttemptState, Book, CaptureId, DisputeId, DisputeState, Fact, Operation, OperationKind,
    RefundId,
};

/// Operations of one attempt; further ones are refused.
const MOST_OPERATIONS: usize = 200;

/// A step's key, and a hash of all that was asked under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepKey {
    /// The key.
    pub key: String,
    /// The hash.
    pub fingerprint: Uuid,
}

/// Take money.
#[derive(Clone, Copy, Debug)]
pub struct CaptureOrder {
    /// Which capture.
    pub capture: CaptureId,
    /// How much.
    pub amount: Amount,
    /// The rest is given up.
    pub is_final: bool,
}

/// Give money back.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    /// Which refund.
    pub refund: RefundId,
    /// How much.
    pub amount: Amount,
    /// Why; may be empty.
    pub reason: String,
}

/// Send evidence.
#[derive(Clone, Copy, Debug)]
pub struct EvidenceOrder {
    /// On which dispute.
    pub dispute: DisputeId,
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A new operation, to be committed and then sent.
    New,
    /// The same was asked before under this key.
    Repeat,
    /// Nothing is to be done.
    Nothing,
}

/// Why a command is refused. Nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The key, or the id of the operation, was used with another request.
    #[error("this key or operation id was used with another request")]
    KeyReused,
    /// Nothing is reserved.
    #[error("an attempt that is {} cannot be captured", .0.as_str())]
    NotCapturable(AttemptState),
    /// All of it was taken.
    #[error("the attempt is captured; refund it instead")]
    AlreadyCaptured,
    /// More than is reserved.
    #[error("only {left_minor} minor units are left to capture")]
    CaptureTooLarge {
        /// What is left.
        left_minor: i64,
    },
    /// More than was taken and not returned.
    #[error("only {left_minor} minor units are left to refund")]
    RefundTooLarge {
        /// What is left.
        left_minor: i64,
    },
    /// Another currency than the attempt's.
    #[error("the attempt is in {0}")]
    OtherCurrency(Currency),
    /// The dispute has its evidence, or is decided.
    #[error("a dispute that is {} takes no evidence", .0.as_str())]
    NoEvidenceWanted(DisputeState),
    /// A limit of ours.
    #[error("an attempt has at most 200 operations")]
    TooManyOperations,
}

// === impl Rejection ===

impl Rejection {
    /// Stable, upper snake case.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::NotCapturable(_) => "ATTEMPT_NOT_CAPTURABLE",
            Self::AlreadyCaptured => "ATTEMPT_ALREADY_CAPTURED",
            Self::CaptureTooLarge { .. } => "CAPTURE_EXCEEDS_AUTHORIZED",
            Self::RefundTooLarge { .. } => "REFUND_EXCEEDS_CAPTURED",
            Self::OtherCurrency(_) => "CURRENCY_MISMATCH",
            Self::NoEvidenceWanted(_) => "EVIDENCE_NOT_WANTED",
            Self::TooManyOperations => "TOO_MANY_OPERATIONS",
        }
    }
}

// === impl Book ===

impl Book {
    /// Decides a capture. Captures that are under way count as taken (P1).
    ///
    /// # Errors
    /// See [`Rejection`].
    pub fn capture(
        &mut self,
        step: &StepKey,
        order: &CaptureOrder,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Verdict, Rejection> {
        let subject = (OperationKind::Capture, order.capture.as_uuid());
        if self.is_repeat(step, subject)? {
            return Ok(Verdict::Repeat);
        }
        match self.attempt.state {
            AttemptState::Authorized | AttemptState::PartiallyCaptured => {}
            AttemptState::Captured => return Err(Rejection::AlreadyCaptured),
            state @ (AttemptState::Created
            | AttemptState::Unknown
            | AttemptState::RequiresAction
            | AttemptState::Canceled
            | AttemptState::Declined
            | AttemptState::Failed
            | AttemptState::Expired) => return Err(Rejection::NotCapturable(state)),
        }
        self.same_currency(order.amount)?;
        let left_minor = self.attempt.capturable_minor() - self.under_way(OperationKind::Capture);
        if order.amount.minor() > left_minor {
            return Err(Rejection::CaptureTooLarge { left_minor });
        }
        let mut operation = self.new_operation(step, subject, now);
        operation.amount_minor = order.amount.minor();
        operation.is_final = order.is_final;
        self.add(operation, until)
    }

    /// Decides a cancellation. While it is in doubt whether the provider has the attempt, it is abandoned: whatever turns up
    /// is given back.
    ///
    /// # Errors
    /// See [`Rejection`].
    pub fn cancel(
        &mut self,
        step: &StepKey,
        reason: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Verdict, Rejection> {
        if let Some(known) = self.operation(&step.key) {
            return if known.fingerprint == step.fingerprint {
                Ok(Verdict::Repeat)
            } else {
                Err(Rejection::KeyReused)
            };
        }
        match self.attempt.state {
            AttemptState::Created | AttemptState::Unknown | AttemptState::RequiresAction => {
                self.attempt.is_abandoned = true;
            }
            AttemptState::Authorized | AttemptState::PartiallyCaptured => {}
            AttemptState::Captured => return Err(Rejection::AlreadyCaptured),
            AttemptState::Canceled
            | AttemptState::Declined
            | AttemptState::Failed
            | AttemptState::Expired => return Ok(Verdict::Nothing),
        }
        let subject = (OperationKind::Cancel, self.attempt.id.as_uuid());
        let mut operation = self.new_operation(step, subject, now);
        operation.reason = reason.to_owned();
        self.add(operation, until)
    }

    /// Decides a refund. Refunds that are under way count as returned (P2).
    ///
    /// # Errors
    /// See [`Rejection`].
    pub fn refund(
        &mut self,
        step: &StepKey,
        order: &RefundOrder,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Verdict, Rejection> {
        let subject = (OperationKind::Refund, order.refund.as_uuid());
        if self.is_repeat(step, subject)? {
            return Ok(Verdict::Repeat);
        }
        self.same_currency(order.amount)?;
        let left_minor = self.attempt.refundable_minor() - self.under_way(OperationKind::Refund);
        let amount_minor = order.amount.minor();
        if amount_minor > left_minor {
            return Err(Rejection::RefundTooLarge { left_minor });
        }
        let mut operation = self.new_operation(step, subject, now);
        operation.amount_minor = amount_minor;
        operation.reason.clone_from(&order.reason);
        let verdict = self.add(operation, until)?;
        let refund = order.refund;
        self.tell(
            Fact::RefundInitiated {
                refund,
                amount_minor,
            },
            now,
        );
        Ok(verdict)
    }

    /// Decides whether evidence may be sent.
    ///
    /// # Errors
    /// See [`Rejection`].
    pub fn evidence(
        &mut self,
        step: &StepKey,
        order: EvidenceOrder,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Verdict, Rejection> {
        let subject = (OperationKind::Evidence, order.dispute.as_uuid());
        let known = self
            .disputes
            .iter()
            .find(|dispute| dispute.id == order.dispute);
        let state = known.map_or(DisputeState::Lost, |dispute| dispute.state);
        let is_sent = self
            .operations
            .iter()
            .any(|known| (known.kind, known.subject) == subject && known.state.is_open());
        if state != DisputeState::Opened || is_sent {
            return Err(Rejection::NoEvidenceWanted(state));
        }
        let operation = self.new_operation(step, subject, now);
        self.add(operation, until)
    }

    fn add(&mut self, mut operation: Operation, until: Timestamp) -> Result<Verdict, Rejection> {
        if self.operations.len() >= MOST_OPERATIONS {
            return Err(Rejection::TooManyOperations);
        }
        self.attempt.updated_at = operation.created_at;
        operation.wake_at = Some(until);
        self.operations.push(operation);
        Ok(Verdict::New)
    }

    /// True when the same was asked before under this key.
    fn is_repeat(&self, step: &StepKey, subject: (OperationKind, Uuid)) -> Result<bool, Rejection> {
        let known = self
            .operations
            .iter()
            .find(|known| known.key == step.key || (known.kind, known.subject) == subject);
        match known {
            None => Ok(false),
            Some(known) if known.key == step.key && known.fingerprint == step.fingerprint => {
                Ok(true)
            }
            Some(_) => Err(Rejection::KeyReused),
        }
    }

    fn same_currency(&self, amount: Amount) -> Result<(), Rejection> {
        if amount.currency() == self.attempt.currency {
            Ok(())
        } else {
            Err(Rejection::OtherCurrency(self.attempt.currency))
        }
    }

    /// Minor units of operations whose outcome is missing.
    pub(super) fn under_way(&self, kind: OperationKind) -> i64 {
        let open = self
            .operations
            .iter()
            .filter(|operation| operation.kind == kind && operation.state.is_open());
        open.map(|operation| operation.amount_minor).sum()
    }
}
