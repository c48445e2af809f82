//! What an operation books, from figures that are stored, so that a second computation gives the same group.

mod apply;

use paymesh_money::Money;

use crate::domain::{
    TransferId,
    exchange::Legs,
    ledger::{Closed, Code, Leg, Share, opposite},
    saga::{Flow, StepKind},
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
