//! Facts of payment: outcomes that come later than the answer of a call, and disputes.

use paymesh_bus::{Event, HandleError, Handler};
use paymesh_kernel::{ChangeSet, Timestamp};
use paymesh_proto::{
    Fact as _,
    payment::v1::{self as wire, AttemptSnapshot},
};
use prost::Message;

use crate::{
    app::{
        App,
        late::{AttemptNews, DisputeNews, Next},
    },
    clients::wire::money,
    domain::{CaptureId, RefundId, command::Taken, fact::ChargebackStage},
};

/// Consumes the stream of payment.
#[derive(Clone, Debug)]
pub(crate) struct PaymentFacts {
    app: App,
}

// === impl PaymentFacts ===

impl PaymentFacts {
    pub(crate) const fn new(app: App) -> Self {
        Self { app }
    }

    async fn attempt(
        &self,
        changes: &mut ChangeSet,
        attempt: Option<AttemptSnapshot>,
        operation: &str,
        news: AttemptNews,
    ) -> Result<Next, HandleError> {
        let attempt = attempt.ok_or_else(malformed)?;
        // An attempt that no transaction began is not our business.
        let (Ok(transaction), Ok(id)) =
            (attempt.transaction_id.parse(), attempt.attempt_id.parse())
        else {
            return Ok(Next::Done);
        };
        let capture = operation.parse::<CaptureId>().ok();
        Ok(self
            .app
            .attempt_changed(changes, (transaction, id, capture), news)
            .await?)
    }

    async fn refund(
        &self,
        changes: &mut ChangeSet,
        refund: &str,
        failed_after_success: bool,
    ) -> Result<Next, HandleError> {
        let Ok(refund) = refund.parse::<RefundId>() else {
            return Ok(Next::Done);
        };
        Ok(self
            .app
            .refund_changed(changes, refund, failed_after_success)
            .await?)
    }

    async fn dispute(
        &self,
        changes: &mut ChangeSet,
        dispute: Option<wire::Dispute>,
        stage: ChargebackStage,
        event: &Event,
    ) -> Result<Next, HandleError> {
        let dispute = dispute.ok_or_else(malformed)?;
        let Ok(transaction) = dispute.transaction_id.parse() else {
            return Ok(Next::Done);
        };
        let news = DisputeNews {
            transaction,
            stage,
            taken: Taken {
                dispute: dispute.id.parse().map_err(|_| malformed())?,
                amount: money(dispute.amount.as_ref()).ok_or_else(malformed)?,
                connector_fee: money(dispute.connector_fee.as_ref())
                    .filter(|fee| fee.is_positive()),
                reason: dispute.reason,
                business_at: business_time(event),
            },
        };
        Ok(self.app.dispute_changed(changes, news).await?)
    }
}

impl Handler for PaymentFacts {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        use AttemptNews::{Changed, HasMoney};
        let next = match &*event.kind {
            wire::PaymentAuthorized::TYPE => {
                let fact: wire::PaymentAuthorized = decode(event)?;
                self.attempt(changes, fact.attempt, "", HasMoney).await?
            }
            wire::PaymentProcessed::TYPE => {
                let fact: wire::PaymentProcessed = decode(event)?;
                self.attempt(changes, fact.attempt, &fact.operation_id, HasMoney)
                    .await?
            }
            wire::PaymentFailed::TYPE => {
                let fact: wire::PaymentFailed = decode(event)?;
                self.attempt(changes, fact.attempt, "", Changed).await?
            }
            wire::PaymentUpdated::TYPE => {
                let fact: wire::PaymentUpdated = decode(event)?;
                self.attempt(changes, fact.attempt, "", Changed).await?
            }
            wire::RefundProcessed::TYPE => {
                let fact: wire::RefundProcessed = decode(event)?;
                self.refund(changes, &fact.refund_id, false).await?
            }
            wire::RefundFailed::TYPE => {
                let fact: wire::RefundFailed = decode(event)?;
                self.refund(changes, &fact.refund_id, fact.after_success)
                    .await?
            }
            wire::DisputeOpened::TYPE => {
                let fact: wire::DisputeOpened = decode(event)?;
                self.dispute(changes, fact.dispute, ChargebackStage::Opened, event)
                    .await?
            }
            wire::DisputeWon::TYPE => {
                let fact: wire::DisputeWon = decode(event)?;
                self.dispute(changes, fact.dispute, ChargebackStage::Won, event)
                    .await?
            }
            wire::DisputeLost::TYPE => {
                let fact: wire::DisputeLost = decode(event)?;
                self.dispute(changes, fact.dispute, ChargebackStage::Lost, event)
                    .await?
            }
            _ => Next::Done,
        };
        match next {
            Next::Done => Ok(()),
            Next::Again => Err(HandleError::retry("the saga that it is about is at work")),
        }
    }

    fn committed(&self, _: &Event) {
        self.app.wake_runner();
    }
}

fn decode<M: Message + Default>(event: &Event) -> Result<M, HandleError> {
    M::decode(event.payload.as_slice()).map_err(|_| malformed())
}

fn malformed() -> HandleError {
    HandleError::reject("a fact of payment that cannot be read")
}

fn business_time(event: &Event) -> Timestamp {
    event.business_at
}
