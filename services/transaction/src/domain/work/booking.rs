//! What an operation books, and what the transaction looks like afterwards.

use paymesh_kernel::Timestamp;
use paymesh_money::Money;

use crate::domain::{
    TransferId,
    draw::Draw,
    exchange::Legs,
    fact::{Captured, ChargebackStage, ChargedBack, Refunded, What},
    ledger::{Book, Closed, Code, Leg, Share, opposite},
    operation::OperationKind,
    saga::{Direction, Flow, StepKind, StepState},
    status::Kind,
    template::{self, Chargeback, Destination, Funding, Held, Payment, Taken},
    work::Work,
};

/// The figures do not give a group. A defect: they were checked when the transaction began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the figures of the operation do not give a group of transfers")]
pub struct NoGroup;

/// What one capture, or a payment as a whole, comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Figures {
    amount: Money,
    credited: Money,
    fee: Money,
    legs: Option<Legs>,
}

impl Work {
    /// The legs of the ledger step at `place`, under the ids that were stored for it.
    ///
    /// # Errors
    /// When figures are missing.
    pub fn group(&self, place: usize) -> Result<Vec<Held>, NoGroup> {
        let step = self.operation.saga.steps.get(place).ok_or(NoGroup)?;
        let base = step.base.ok_or(NoGroup)?;
        if step.kind == StepKind::Hold {
            return Ok(self.operation.details.holds.clone());
        }
        let mut group = numbered(base, self.legs(step.kind)?);
        if step.kind == StepKind::Post {
            group.extend(self.still_held(Some(base))?);
        }
        Ok(group)
    }

    fn legs(&self, kind: StepKind) -> Result<Vec<Leg>, NoGroup> {
        match kind {
            StepKind::Void => Ok(template::void(self.open_holds())),
            StepKind::Reverse => Ok(opposite(&self.operation.details.booked, Code::Reversal)),
            StepKind::Post => self.post_group(),
            StepKind::Risk
            | StepKind::Hold
            | StepKind::Quote
            | StepKind::ConsumeQuote
            | StepKind::Review
            | StepKind::Authorize
            | StepKind::Action
            | StepKind::Capture
            | StepKind::Refund
            | StepKind::Payout
            | StepKind::Cancel => Err(NoGroup),
        }
    }

    /// Before a Hold is stored as begun: what it reserves, under which ids.
    ///
    /// # Errors
    /// When figures are missing.
    pub fn plan_holds(&mut self, place: usize) -> Result<(), NoGroup> {
        let step = self.operation.saga.steps.get(place).ok_or(NoGroup)?;
        let base = step.base.ok_or(NoGroup)?;
        let transaction = &self.transaction;
        let (amount, fee) = (transaction.amount, transaction.details.terms.payer_fee);
        let code = transaction.code();
        let payer = || transaction.payer_book().ok_or(NoGroup);
        let flow = self.operation.saga.flow;
        let legs = if flow == Flow::Refund {
            template::refund_hold(&self.operation.details.draws)
        } else if flow == Flow::Payout {
            template::payout_hold(&payer()?, amount, fee, code)
        } else {
            template::hold(&payer()?, amount, fee, code)
        };
        self.operation.details.holds = numbered(base, legs);
        Ok(())
    }

    /// The reservations that are to be released.
    fn open_holds(&self) -> &[Held] {
        if self.is_main() && !self.transaction.details.holds.is_empty() {
            &self.transaction.details.holds
        } else {
            &self.operation.details.holds
        }
    }

    fn post_group(&self) -> Result<Vec<Leg>, NoGroup> {
        let details = &self.operation.details;
        match self.operation.saga.flow {
            Flow::Internal | Flow::External | Flow::Capture | Flow::CaptureHeld => {
                self.payment_group()
            }
            Flow::Payout => Ok(template::post(&details.holds)),
            Flow::Adjustment => {
                let (payer, payee) = (self.transaction.payer_book(), self.transaction.payee_book());
                let (payer, payee) = payer.zip(payee).ok_or(NoGroup)?;
                Ok(template::adjustment(
                    &payer,
                    &payee,
                    self.transaction.amount,
                ))
            }
            Flow::Refund => Ok(template::refund_post(
                &details.holds,
                self.own_legs().as_ref(),
                &self.destination()?,
            )),
            Flow::RefundInternal => Ok(template::refund_at_once(
                &details.draws,
                self.own_legs().as_ref(),
                &self.destination()?,
            )),
            Flow::Chargeback => self.chargeback_group(),
            Flow::InternalManual | Flow::ExternalManual | Flow::Reversal | Flow::LateUndo => {
                Err(NoGroup)
            }
        }
    }

    fn payment_group(&self) -> Result<Vec<Leg>, NoGroup> {
        let figures = self.figures()?;
        let transaction = &self.transaction;
        let is_past_pivot = self.operation.saga.is_past_pivot();
        let nets = self.operation.details.nets_fee || transaction.kind == Kind::TopUp;
        let fits = figures.fee.minor() <= figures.credited.minor();
        let is_first = transaction.sums.captured == 0;
        Ok(template::payment(&Payment {
            funding: self.funding()?,
            amount: figures.amount,
            payer_fee: if is_first {
                transaction.details.terms.payer_fee
            } else {
                transaction.money(0)
            },
            exchange: figures.legs,
            payee: transaction.payee_book().ok_or(NoGroup)?,
            payee_fee: figures.fee,
            taken: if nets && fits {
                Taken::Netted
            } else {
                Taken::Debited
            },
            code: transaction.code(),
            closed: if is_past_pivot {
                Closed::Suspense
            } else {
                Closed::Refuse
            },
        }))
    }

    /// What stays reserved after a capture that is not the last one: a new reservation in the same group.
    fn still_held(&self, base: Option<TransferId>) -> Result<Option<Held>, NoGroup> {
        let rest = self
            .transaction
            .sums
            .authorized
            .checked_sub(self.transaction.sums.captured)
            .and_then(|open| open.checked_sub(self.operation.amount.minor()))
            .ok_or(NoGroup)?;
        if self.operation.saga.flow != Flow::CaptureHeld
            || self.operation.details.is_final
            || rest == 0
        {
            return Ok(None);
        }
        let account = self.transaction.payer_book().ok_or(NoGroup)?;
        let mut legs = template::hold(
            &account,
            self.transaction.money(rest),
            self.transaction.money(0),
            self.transaction.code(),
        );
        // The last id that the base stands for; no group has so many legs before it.
        let id = base.ok_or(NoGroup)?.nth(REST_OF_HOLD);
        Ok(legs.pop().map(|leg| Held { id, leg }))
    }

    fn funding(&self) -> Result<Funding, NoGroup> {
        if let Some(attempt) = &self.transaction.details.attempt {
            return Ok(Funding::Connector(attempt.connector.clone()));
        }
        let account = self.transaction.payer_book().ok_or(NoGroup)?;
        let holds = if self.operation.saga.flow == Flow::CaptureHeld {
            &self.transaction.details.holds
        } else {
            &self.operation.details.holds
        };
        Ok(match holds.first() {
            Some(held) => Funding::Held {
                account,
                hold: held.id,
            },
            None => Funding::Balance(account),
        })
    }

    /// Fee and exchange are computed on the running total, less what was charged (T6).
    fn figures(&self) -> Result<Figures, NoGroup> {
        let transaction = &self.transaction;
        let amount = self.operation.amount;
        let legs = match &transaction.details.exchange {
            None => None,
            Some(exchange) => Some(
                exchange
                    .share(
                        transaction.sums.captured,
                        amount.minor(),
                        exchange.source.minor(),
                    )
                    .ok_or(NoGroup)?,
            ),
        };
        let target = transaction.details.terms.target;
        let credited = match &legs {
            Some(legs) => legs.target,
            None => Money::new(amount.minor(), target),
        };
        let plan = transaction.details.terms.payee_fee;
        let before = Money::new(transaction.credited_minor, target);
        let after = before.checked_add(credited).map_err(|_| NoGroup)?;
        let charged = plan.on(before).map_err(|_| NoGroup)?;
        let fee = plan
            .on(after)
            .ok()
            .and_then(|due| due.checked_sub(charged).ok())
            .ok_or(NoGroup)?;
        Ok(Figures {
            amount,
            credited,
            fee,
            legs,
        })
    }

    fn own_legs(&self) -> Option<Legs> {
        self.operation
            .details
            .exchange
            .as_ref()
            .map(|exchange| exchange.legs())
    }

    fn destination(&self) -> Result<Destination, NoGroup> {
        match &self.transaction.details.attempt {
            Some(attempt) => Ok(Destination::Connector(attempt.connector.clone())),
            None => Ok(Destination::Balance(
                self.transaction.payer_book().ok_or(NoGroup)?,
            )),
        }
    }

    /// What is taken from the payee: the amount, or what its quote says.
    #[must_use]
    pub fn taken_back(&self) -> Money {
        match &self.operation.details.exchange {
            Some(exchange) => exchange.source,
            None => self.operation.amount,
        }
    }

    fn chargeback_group(&self) -> Result<Vec<Leg>, NoGroup> {
        let transaction = &self.transaction;
        let attempt = transaction.details.attempt.as_ref().ok_or(NoGroup)?;
        let taken = self.taken_back();
        let (from, fee) = match &transaction.details.terms.merchant {
            Some(terms) => (terms.book(Share::Available), terms.chargeback_fee),
            None => (
                transaction.payee_book().ok_or(NoGroup)?,
                Money::zero(taken.currency()),
            ),
        };
        Ok(template::chargeback(&Chargeback {
            from,
            taken,
            exchange: self.own_legs(),
            connector: attempt.connector.clone(),
            connector_fee: self.operation.details.connector_fee,
            fee,
        }))
    }

    pub(super) fn held(&mut self, now: Timestamp) {
        if self.is_main() {
            self.touch(now);
            self.transaction
                .details
                .holds
                .clone_from(&self.operation.details.holds);
        }
    }

    pub(super) fn released(&mut self, now: Timestamp) {
        self.operation.details.holds.clear();
        if self.is_main() {
            self.touch(now);
            self.transaction.details.holds.clear();
        }
    }

    /// The group of a Post is booked.
    pub(super) fn posted(&mut self, now: Timestamp) {
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
    pub(super) const fn is_last_capture(&self) -> bool {
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
        let sums = &mut self.transaction.sums;
        sums.charged_back = sums
            .charged_back
            .saturating_add(self.operation.amount.minor());
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

    pub(super) fn reversed(&mut self, now: Timestamp) {
        let minor = self.operation.amount.minor();
        self.touch(now);
        let sums = &mut self.transaction.sums;
        if self.operation.kind == OperationKind::Refund {
            sums.refunded = sums.refunded.saturating_sub(minor);
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
            self.tell_chargeback(ChargebackStage::Won, now);
        }
    }
}

/// Place of the id under which the rest of a reservation is reserved anew.
const REST_OF_HOLD: usize = 31;

fn numbered(base: TransferId, legs: Vec<Leg>) -> Vec<Held> {
    let number = |(n, leg)| Held {
        id: base.nth(n),
        leg,
    };
    legs.into_iter().enumerate().map(number).collect()
}
