//! What a transaction looks like after its group is booked.

use paymesh_kernel::Timestamp;
use paymesh_money::Money;

use super::Figures;
use crate::domain::{
    draw::Draw,
    fact::{Captured, ChargebackStage, ChargedBack, Refunded, What},
    ledger::{Book, Share},
    operation::OperationKind,
    saga::{Direction, StepKind, StepState},
    status::Kind,
    work::Work,
};

impl Work {
    pub(in crate::domain::work) fn held(&mut self, now: Timestamp) {
        if self.is_main() {
            self.touch(now);
            self.transaction
                .details
                .holds
                .clone_from(&self.operation.details.holds);
        }
    }

    pub(in crate::domain::work) fn released(&mut self, now: Timestamp) {
        self.operation.details.holds.clear();
        if self.is_main() {
            self.touch(now);
            self.transaction.details.holds.clear();
        }
    }

    /// The group of a Post is booked.
    pub(in crate::domain::work) fn posted(&mut self, now: Timestamp) {
        self.touch(now);
        match self.operation.kind {
            OperationKind::Main | OperationKind::Capture => self.payment_posted(now),
            OperationKind::Refund => self.refund_posted(now),
            OperationKind::Chargeback => self.chargeback_posted(now),
            OperationKind::ChargebackReversal | OperationKind::LateUndo => {}
        }
    }

    fn payment_posted(&mut self, now: Timestamp) {
        let base = self
            .operation
            .saga
            .find(StepKind::Post)
            .and_then(|step| step.base);
        let rest = self.still_held(base).unwrap_or(None);
        let figures = self.figures();
        let amount = self.operation.amount;
        let transaction = &mut self.transaction;
        let sums = &mut transaction.sums;
        if self.operation.kind == OperationKind::Capture {
            sums.capturing = sums.capturing.saturating_sub(amount.minor());
        } else {
            sums.authorized = amount.minor();
        }
        sums.captured = sums.captured.saturating_add(amount.minor());
        sums.ease();
        transaction.details.holds = rest.into_iter().collect();
        // A correction and a payout charge the payer's fee or none.
        let Ok(figures) = figures else { return };
        let takes_fee = !matches!(
            transaction.kind,
            Kind::Payout | Kind::Withdrawal | Kind::Adjustment
        );
        if takes_fee {
            transaction.credited_minor = transaction
                .credited_minor
                .saturating_add(figures.credited.minor());
        }
        let payer_fee = transaction.details.terms.payer_fee;
        let added = if payer_fee.is_positive() {
            payer_fee
        } else {
            figures.fee
        };
        if let Ok(fee) = transaction.fee.checked_add(added) {
            transaction.fee = fee;
        }
        self.operation.details.fee = Some(added);
        self.operation.details.legs = figures.legs;
        self.operation.details.payee_amount = Some(figures.credited);
        if self.transaction.kind == Kind::Purchase {
            self.capture_told(figures, now);
        }
    }

    fn capture_told(&mut self, figures: Figures, now: Timestamp) {
        let business_at = self.operation.details.business_at;
        let available_at = self
            .transaction
            .details
            .terms
            .merchant
            .as_ref()
            .map(|terms| {
                let days = u64::from(terms.settlement_delay_days);
                business_at.plus(std::time::Duration::from_secs(days.saturating_mul(86_400)))
            });
        self.transaction.details.available_at = available_at;
        let uuid = self.operation.id.as_uuid();
        let capture = self
            .operation
            .details
            .capture
            .unwrap_or_else(|| uuid.into());
        let captured = Captured {
            capture,
            amount: figures.amount,
            credited: figures.credited,
            fee: figures.fee,
            legs: figures.legs,
            available_at,
            is_final: self.is_main() || self.is_last_capture(),
        };
        self.publish(What::Captured(captured), now);
    }

    /// True when no capture follows the present one.
    pub(in crate::domain::work) const fn is_last_capture(&self) -> bool {
        self.operation.details.is_final
            || self.transaction.sums.captured >= self.transaction.sums.authorized
    }

    fn refund_posted(&mut self, now: Timestamp) {
        let amount = self.operation.amount;
        let taken = self.taken_back();
        let from_pending = self.drawn_from_pending(taken);
        let sums = &mut self.transaction.sums;
        sums.refunding = sums.refunding.saturating_sub(amount.minor());
        sums.refunded = sums.refunded.saturating_add(amount.minor());
        self.transaction.drawn_minor = self
            .transaction
            .drawn_minor
            .saturating_add(from_pending.minor());
        let place = self.operation.saga.steps.iter().position(|step| {
            step.kind == StepKind::Post
                && step.direction == Direction::Forward
                && step.state == StepState::Done
        });
        let group = place
            .and_then(|place| self.group(place).ok())
            .unwrap_or_default();
        self.operation.details.booked = group.into_iter().map(|held| held.leg).collect();
        self.operation.details.payee_amount = Some(taken);
        self.operation.details.from_pending = Some(from_pending);
        self.refund_told(taken, Some(from_pending), now);
    }

    fn refund_told(&mut self, taken: Money, from_pending: Option<Money>, now: Timestamp) {
        let details = &self.operation.details;
        let refunded = Refunded {
            refund: self.operation.id.as_uuid().into(),
            amount: self.operation.amount,
            taken,
            from_pending,
            exchange: details.exchange.clone(),
            reason: details.reason.clone(),
            is_reversed: from_pending.is_none(),
        };
        self.publish(What::Refunded(refunded), now);
    }

    fn drawn_from_pending(&self, taken: Money) -> Money {
        let is_pending = |draw: &&Draw| matches!(draw.from, Book::Merchant(_, Share::Pending, _));
        let draws = self.operation.details.draws.iter().filter(is_pending);
        let minor = draws.fold(0_i64, |sum, draw| sum.saturating_add(draw.amount.minor()));
        Money::new(minor, taken.currency())
    }

    fn chargeback_posted(&mut self, now: Timestamp) {
        let minor = self.operation.amount.minor();
        let sums = &mut self.transaction.sums;
        sums.charging_back = sums.charging_back.saturating_sub(minor);
        sums.charged_back = sums.charged_back.saturating_add(minor);
        self.operation.details.booked = self.chargeback_group().unwrap_or_default();
        self.operation.details.payee_amount = Some(self.taken_back());
        self.tell_chargeback(ChargebackStage::Opened, now);
    }

    /// Tells where a chargeback stands.
    pub fn tell_chargeback(&mut self, stage: ChargebackStage, now: Timestamp) {
        let Some(dispute) = self.operation.details.dispute else {
            return;
        };
        let fee = self
            .transaction
            .details
            .terms
            .merchant
            .as_ref()
            .map(|terms| terms.chargeback_fee);
        let taken = self
            .operation
            .details
            .payee_amount
            .unwrap_or_else(|| self.taken_back());
        let told = ChargedBack {
            dispute,
            stage,
            amount: self.operation.amount,
            taken,
            fee: fee.filter(|fee| fee.is_positive()),
            connector_fee: self.operation.details.connector_fee,
        };
        self.publish(What::ChargedBack(told), now);
    }

    pub(in crate::domain::work) fn reversed(&mut self, now: Timestamp) {
        let minor = self.operation.amount.minor();
        self.touch(now);
        let sums = &mut self.transaction.sums;
        if self.operation.kind == OperationKind::Refund {
            sums.refunded = sums.refunded.saturating_sub(minor);
            sums.ease();
            let back = self.operation.details.from_pending.map_or(0, Money::minor);
            self.transaction.drawn_minor = self.transaction.drawn_minor.saturating_sub(back);
            let taken = self
                .operation
                .details
                .payee_amount
                .unwrap_or_else(|| self.taken_back());
            self.refund_told(taken, None, now);
        } else {
            sums.charged_back = sums.charged_back.saturating_sub(minor);
            sums.ease();
            self.tell_chargeback(ChargebackStage::Won, now);
        }
    }
}
