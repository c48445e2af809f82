//! What payment tells later: outcomes that were waited for, refunds that failed after they had succeeded, disputes, and success
//! that comes after its transaction had ended without.

use paymesh_kernel::ChangeSet;

use super::App;
use crate::{
    domain::{
        AttemptId, CaptureId, DisputeId, OperationId, RefundId, TransactionId,
        command::{self, Rejection, Source, Taken},
        fact::ChargebackStage,
        operation::{OperationKind, OperationState},
        status::Status,
        template::Kept,
        work::Work,
    },
    error::Error,
    store,
};

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptNews {
    /// The provider has reserved or taken money.
    HasMoney,
    /// Something else changed.
    Changed,
}

/// What an event asks of its consumer beside the change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Done,
    /// The event is to come again: somebody is at work on what it is about.
    Again,
}

/// A dispute as payment tells of it.
#[derive(Clone, Debug)]
pub(crate) struct DisputeNews {
    pub(crate) transaction: TransactionId,
    pub(crate) stage: ChargebackStage,
    pub(crate) taken: Taken,
}

// === impl App ===

impl App {
    /// An attempt, or a capture of it, changed at the provider.
    pub(crate) async fn attempt_changed(
        &self,
        changes: &mut ChangeSet,
        (transaction, attempt, capture): (TransactionId, AttemptId, Option<CaptureId>),
        news: AttemptNews,
    ) -> Result<Next, Error> {
        if self.inner.in_hand.needs_no_news(transaction, capture) {
            return Ok(Next::Done);
        }
        let Some(mut work) =
            store::work(&self.inner.database, command::main_id(transaction)).await?
        else {
            return Ok(Next::Done);
        };
        let is_ours = work
            .transaction
            .details
            .attempt
            .as_ref()
            .is_some_and(|own| own.id == attempt);
        if !is_ours {
            return Ok(Next::Done);
        }
        if let Some(capture) = capture.map(command::capture_operation)
            && let Some(part) = store::work(&self.inner.database, capture).await?
            && part.transaction.id == transaction
            && part.operation.kind == OperationKind::Capture
        {
            work = part;
        }
        let ended_without = matches!(
            work.transaction.status,
            Status::Declined | Status::Canceled | Status::Compensated
        );
        if ended_without && news == AttemptNews::HasMoney {
            return self.undo_late(changes, work, attempt).await;
        }
        let is_leased = work.operation.is_leased(self.now());
        if is_leased && news == AttemptNews::HasMoney && !work.goes_forward() {
            // Whether it comes too late is known once the undoing has ended.
            return Ok(Next::Again);
        }
        if !is_leased {
            self.nudge(changes, work);
        }
        Ok(Next::Done)
    }

    async fn undo_late(
        &self,
        changes: &mut ChangeSet,
        work: Work,
        attempt: AttemptId,
    ) -> Result<Next, Error> {
        let id = OperationId::from(attempt.as_uuid());
        if store::work(&self.inner.database, id).await?.is_none() {
            let mut undo = command::late_undo(work.transaction, id, self.moment());
            self.stage(changes, &mut undo, "payment");
        }
        Ok(Next::Done)
    }

    /// A refund succeeded or failed at the provider.
    pub(crate) async fn refund_changed(
        &self,
        changes: &mut ChangeSet,
        refund: RefundId,
        failed_after_success: bool,
    ) -> Result<Next, Error> {
        let id = command::refund_operation(refund);
        let Some(mut work) = store::work(&self.inner.database, id).await? else {
            return Ok(Next::Done);
        };
        if work.operation.is_leased(self.now()) {
            return Ok(if failed_after_success {
                Next::Again
            } else {
                Next::Done
            });
        }
        if failed_after_success && work.operation.state == OperationState::Completed {
            work.reverse_refund(self.moment());
            self.stage(changes, &mut work, "payment");
        } else {
            self.nudge(changes, work);
        }
        Ok(Next::Done)
    }

    fn nudge(&self, changes: &mut ChangeSet, mut work: Work) {
        let before = work.operation.next_wake_at;
        work.nudge(self.moment());
        if work.operation.next_wake_at != before {
            self.stage(changes, &mut work, "payment");
        }
    }

    /// A dispute was opened or decided.
    pub(crate) async fn dispute_changed(
        &self,
        changes: &mut ChangeSet,
        news: DisputeNews,
    ) -> Result<Next, Error> {
        let dispute: DisputeId = news.taken.dispute;
        let opened = OperationId::from(dispute.as_uuid());
        let booked = store::work(&self.inner.database, opened).await?;
        let Some(main) =
            store::work(&self.inner.database, command::main_id(news.transaction)).await?
        else {
            return Ok(Next::Done);
        };
        let moment = self.moment();
        let mut work = match (news.stage, booked) {
            (ChargebackStage::Opened, Some(_)) => return Ok(Next::Done),
            (ChargebackStage::Opened, None) => {
                let opened =
                    command::chargeback(main.transaction, news.taken, Source::Provider, moment);
                match opened {
                    Ok(work) => work,
                    // A capture that is at work is booked soon.
                    Err(Rejection::TooMuch { .. }) => return Ok(Next::Again),
                    Err(rejection) => return Err(rejection.into()),
                }
            }
            (_, None) => return Ok(Next::Again),
            (_, Some(booked)) if booked.operation.state != OperationState::Completed => {
                return Ok(Next::Again);
            }
            (ChargebackStage::Won, Some(booked)) => {
                let id = OperationId::reversal_of(dispute);
                if store::work(&self.inner.database, id).await?.is_some()
                    || booked.operation.details.is_lost
                {
                    return Ok(Next::Done);
                }
                // What payment names now is what the connector charges in the end.
                let kept = news.taken.connector_fee.map_or(Kept::Nothing, Kept::Part);
                command::chargeback_won(main.transaction, &booked.operation, kept, moment)?
            }
            (ChargebackStage::Lost, Some(booked)) => {
                let won = OperationId::reversal_of(dispute);
                if booked.operation.details.is_lost
                    || store::work(&self.inner.database, won).await?.is_some()
                {
                    return Ok(Next::Done);
                }
                command::chargeback_lost(main.transaction, booked.operation, moment)?
            }
        };
        let sums = work.transaction.sums;
        if news.stage == ChargebackStage::Opened && sums.beyond > 0 {
            tracing::warn!(transaction = %work.transaction.id, %dispute, beyond_minor = sums.beyond,
                "the provider took money back that was on its way to the payer already");
        }
        self.name_quote(&mut work);
        self.stage(changes, &mut work, "payment");
        Ok(Next::Done)
    }
}
