//! The calls behind the steps. A step whose outcome is not known is asked for, not sent again.

use paymesh_kernel::Timestamp;

use super::App;
use crate::{
    clients::{
        Origin,
        account::Booking,
        currency::Wanted,
        failure, is_refusal,
        payment::{Authorize, Part, Taking},
        risk::Hints,
    },
    domain::{
        QuoteId, RefundId,
        answer::{Answer, Effect, Failure},
        decline::{Decline, DeclineReason},
        draw::{Accounts, Draw, Release, draw},
        exchange::SpreadSide,
        ledger::{Code, Share},
        operation::OperationKind,
        party::MerchantTerms,
        saga::{Direction, Flow, Step, StepKind, StepState},
        work::Work,
    },
};

// === impl App ===

impl App {
    /// Does the step at `place`, or asks what became of it.
    pub(super) async fn call(&self, work: &Work, place: usize, origin: &Origin) -> Answer {
        let Some(step) = work.operation.saga.steps.get(place) else {
            return defect("NO_STEP");
        };
        let calls = async {
            match step.kind {
                StepKind::Risk => self.assess(work, step).await,
                StepKind::Quote | StepKind::ConsumeQuote => self.quote(work, step).await,
                StepKind::Hold | StepKind::Post | StepKind::Void | StepKind::Reverse => {
                    self.book(work, place, step.state == StepState::Unknown)
                        .await
                }
                StepKind::Authorize => self.authorize(work, step).await,
                StepKind::Capture | StepKind::Refund => self.move_part(work, step).await,
                StepKind::Cancel => self.release(work, step).await,
                StepKind::Review | StepKind::Payout | StepKind::Action => defect("NOT_A_CALL"),
            }
        };
        self.inner.clients.act(origin, calls).await
    }

    async fn assess(&self, work: &Work, step: &Step) -> Answer {
        let transaction = &work.transaction;
        let mut hints = Hints::default();
        if let Some(method) = transaction.payer.method() {
            if let Ok(known) = self
                .inner
                .clients
                .payment
                .method(transaction.tenant, method)
                .await
            {
                hints.fingerprint.clone_from(&known.fingerprint);
                hints.issuer_country.clone_from(&known.issuer_country);
            }
            hints.is_new = work.operation.details.is_first_use;
        }
        let at = work.operation.details.business_at;
        match self
            .inner
            .clients
            .risk
            .assess(transaction, &step.reference, hints, at)
            .await
        {
            Ok(assessment) => Answer::Assessed(assessment),
            Err(error) => failure(&error),
        }
    }

    async fn quote(&self, work: &Work, step: &Step) -> Answer {
        let operation = &work.operation;
        let currencies = &self.inner.clients.currency;
        let result = match operation.details.quote {
            Some(quote) => currencies.consume(quote, operation.public_id()).await,
            None => {
                let Ok(quote) = step.reference.parse::<QuoteId>() else {
                    return defect("NO_QUOTE_ID");
                };
                let spread_side = match operation.kind {
                    OperationKind::Main | OperationKind::Capture => SpreadSide::Target,
                    OperationKind::Refund
                    | OperationKind::Chargeback
                    | OperationKind::ChargebackReversal
                    | OperationKind::LateUndo => SpreadSide::Source,
                };
                let wanted = Wanted {
                    quote,
                    amount: operation.amount,
                    other: work.transaction.details.terms.target,
                    spread_side,
                    operation: operation.public_id(),
                    business_at: operation.details.business_at,
                };
                currencies.lock(wanted).await
            }
        };
        match result {
            Ok(exchange) => Answer::Quoted(exchange),
            Err(error) if is_refusal(&error) => {
                let expired = error.reason_text() == "QUOTE_EXPIRED";
                let reason = if expired {
                    DeclineReason::QuoteExpired
                } else {
                    DeclineReason::CurrencyNotSupported
                };
                Answer::QuoteRefused(Decline::new(reason, error.reason_text()))
            }
            Err(error) => failure(&error),
        }
    }

    async fn book(&self, work: &Work, place: usize, is_unknown: bool) -> Answer {
        let Ok(group) = work.group(place) else {
            tracing::error!(operation = %work.operation.id, "a group has no figures");
            return defect("NO_GROUP");
        };
        if group.is_empty() {
            return Answer::Booked;
        }
        let ledger = &self.inner.clients.account;
        if is_unknown {
            match ledger.lookup(group.iter().map(|held| held.id)).await {
                Ok(Answer::NeverSent) => {}
                Ok(answer) => return answer,
                Err(error) => return still_unknown(failure(&error)),
            }
        }
        let details = &work.operation.details;
        // The clock's own time needs no value date, and a closed period takes none.
        let is_own = details.business_at == work.operation.created_at || details.books_today;
        let booking = Booking {
            transaction: work.transaction.id,
            effective_at: (!is_own)
                .then_some(details.business_at)
                .filter(|at| *at != Timestamp::EPOCH),
        };
        match ledger.post(&group, booking).await {
            Ok(answer) => answer,
            Err(error) => failure(&error),
        }
    }

    async fn authorize(&self, work: &Work, step: &Step) -> Answer {
        let transaction = &work.transaction;
        let key = work.operation.step_key(step.kind, step.direction);
        let payments = &self.inner.clients.payment;
        if step.state == StepState::Unknown {
            return payments.authorization_by_key(key).await;
        }
        let (Some(attempt), Some(method)) =
            (&transaction.details.attempt, transaction.payer.method())
        else {
            return defect("NO_ATTEMPT");
        };
        let taking = if work.operation.saga.flow == Flow::External {
            Taking::AtOnce
        } else {
            Taking::Later
        };
        payments
            .authorize(Authorize {
                key,
                attempt: attempt.id,
                transaction: transaction.id,
                method,
                amount: transaction.amount,
                taking,
                is_challenged: transaction
                    .details
                    .risk
                    .as_ref()
                    .is_some_and(|risk| risk.is_challenged),
                merchant: transaction
                    .payee
                    .merchant()
                    .map(|id| id.to_string())
                    .unwrap_or_default(),
                return_url: transaction.details.return_url.clone(),
                business_at: work.operation.details.business_at,
            })
            .await
    }

    async fn move_part(&self, work: &Work, step: &Step) -> Answer {
        let operation = &work.operation;
        let key = operation.step_key(step.kind, step.direction);
        let payments = &self.inner.clients.payment;
        if step.state == StepState::Unknown {
            return payments.operation_by_key(key).await;
        }
        let Some(attempt) = &work.transaction.details.attempt else {
            return defect("NO_ATTEMPT");
        };
        // What is given back while undoing is a refund of its own, named by the base of its step.
        let own_refund = step
            .base
            .map(|base| RefundId::from(base.as_uuid()).to_string());
        let is_undo = step.direction == Direction::Backward;
        let part = Part {
            key,
            operation: own_refund
                .filter(|_| is_undo)
                .unwrap_or_else(|| operation.public_id()),
            attempt: attempt.id,
            amount: operation.amount,
            is_final: operation.details.is_final,
            reason: operation.details.reason.clone(),
        };
        if step.kind == StepKind::Capture {
            payments.capture(part).await
        } else {
            payments.refund(part).await
        }
    }

    async fn release(&self, work: &Work, step: &Step) -> Answer {
        let Some(attempt) = &work.transaction.details.attempt else {
            return Answer::Absent;
        };
        let key = work.operation.step_key(step.kind, step.direction);
        let reason = "called off".to_owned();
        self.inner
            .clients
            .payment
            .cancel(key, attempt.id, reason)
            .await
    }

    /// Reads what the payee has and divides a refund over it. None when it is divided; else the answer that decides.
    pub(super) async fn plan_draws(&self, work: &mut Work, origin: &Origin) -> Option<Answer> {
        let needed = work.taken_back();
        let Some(terms) = work.transaction.details.terms.merchant.clone() else {
            let from = work.transaction.payee_book()?;
            work.operation.details.draws = vec![Draw {
                from,
                amount: needed,
                code: Code::Refund,
            }];
            return None;
        };
        let reading = self.inner.clients.account.merchant_balances(&terms);
        let mut balances = match self.inner.clients.act(origin, reading).await {
            Ok(balances) => balances,
            Err(error) => return Some(defect(error.reason_text())),
        };
        let transaction = &work.transaction;
        let net = transaction
            .credited_minor
            .saturating_sub(transaction.fee.minor());
        let own = net.saturating_sub(transaction.drawn_minor).max(0);
        balances.purchase_pending = balances.purchase_pending.min(own);
        let due = transaction
            .details
            .available_at
            .is_some_and(|at| at <= work.operation.details.business_at);
        let release = if due { Release::Due } else { Release::NotDue };
        let [pending, available, reserve] = [Share::Pending, Share::Available, Share::Reserve]
            .map(|share| MerchantTerms::book(&terms, share));
        let accounts = Accounts {
            pending: &pending,
            available: &available,
            reserve: &reserve,
        };
        match draw(needed, balances, accounts, release, terms.negative) {
            Some(draws) => {
                work.operation.details.draws = draws;
                None
            }
            None => Some(Answer::NotCovered),
        }
    }
}

fn defect(reason: &str) -> Answer {
    Answer::Failed(Failure {
        effect: Effect::None,
        reason: reason.to_owned(),
        again_at: None,
    })
}

/// That nobody answers says nothing of what became of the call before.
fn still_unknown(answer: Answer) -> Answer {
    if let Answer::Failed(failure) = answer {
        return Answer::Failed(Failure {
            effect: Effect::Unknown,
            ..failure
        });
    }
    answer
}
