//! A success that comes after it was given up is voided or refunded by itself (P7).
//!
//! The caller of an attempt that it canceled in doubt, or that was reported as ended without money, has moved on: it has told its
//! customer so and may have charged another card. What turns up at the provider afterwards goes back. No capture or refund is told
//! of it, because nobody books it; the amounts show in `payment.updated`.

use paymesh_kernel::id::reexport::Uuid;

use super::{
    Book, Fact, Moment, Operation, OperationKind, OperationState, Origin, RefundId, StepKey,
};

/// Tries of our own to give something back; then a person has to.
const MOST_OF_OUR_OWN: usize = 3;

// === impl Book ===

impl Book {
    /// True when something of a given-up attempt stays at the provider and nothing is under way to give it back.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let attempt = &self.attempt;
        let is_quiet = !self
            .operations
            .iter()
            .any(|operation| operation.state.is_open());
        let holds = attempt.capturable_minor() > 0 || attempt.refundable_minor() > 0;
        attempt.is_given_up() && holds && is_quiet
    }

    /// Plans what is needed so that nothing of a given-up attempt stays at the provider. The planned operations are due at once.
    pub(super) fn give_back(&mut self, moment: &Moment<'_>) {
        if !self.attempt.is_given_up() {
            return;
        }
        let may_be_reserved = self.attempt.capturable_minor() > 0
            || (self.attempt.connector_reference.is_some() && self.authorization().state.is_open());
        if may_be_reserved {
            self.plan_void(moment);
        }
        let taken_minor = self.attempt.refundable_minor() - self.under_way(OperationKind::Refund);
        if taken_minor > 0 {
            self.plan_refund(taken_minor, moment);
        }
    }

    fn plan_void(&mut self, moment: &Moment<'_>) {
        let open = self
            .operations
            .iter_mut()
            .find(|operation| operation.kind == OperationKind::Cancel && operation.state.is_open());
        match open {
            Some(operation) if operation.state == OperationState::Unknown => {
                operation.wake_at = Some(moment.now);
            }
            // Its sender is still waiting for the answer.
            Some(_) => {}
            None => {
                let subject = (OperationKind::Cancel, self.attempt.id.as_uuid());
                let operation = self.own_operation("void", subject, moment);
                self.plan(operation, moment);
            }
        }
    }

    pub(super) fn plan_refund(&mut self, amount_minor: i64, moment: &Moment<'_>) {
        let refund = RefundId::from((moment.new_id)());
        let subject = (OperationKind::Refund, refund.as_uuid());
        let mut operation = self.own_operation("give-back", subject, moment);
        operation.amount_minor = amount_minor;
        self.plan(operation, moment);
    }

    /// An operation of our own; its key names it and its number among those of its kind.
    fn own_operation(
        &self,
        word: &str,
        (kind, subject): (OperationKind, Uuid),
        moment: &Moment<'_>,
    ) -> Operation {
        let number = self
            .operations
            .iter()
            .filter(|known| known.kind == kind && known.origin == Origin::Own)
            .count()
            + 1;
        let step = StepKey {
            key: format!("{}:{word}:{number}", self.attempt.reference),
            fingerprint: subject,
        };
        let mut operation = self.new_operation(&step, (kind, subject), moment.now);
        operation.origin = Origin::Own;
        operation.sends = 0;
        operation.is_in_flight = false;
        operation
    }

    fn plan(&mut self, mut operation: Operation, moment: &Moment<'_>) {
        let tries = self
            .operations
            .iter()
            .filter(|known| known.kind == operation.kind && known.origin == Origin::Own);
        if tries.count() >= MOST_OF_OUR_OWN {
            return;
        }
        operation.wake_at = Some(moment.now);
        self.operations.push(operation);
        let previous = self.attempt.state;
        self.tell(Fact::Updated { previous }, moment.now);
    }
}
