//! Labels from what transaction and payment tell: chargebacks, disputes and failures.

use paymesh_bus::{Event, HandleError, Handler};
use paymesh_kernel::ChangeSet;
use paymesh_proto::{
    Fact,
    payment::v1::{DisputeOpened, DisputeWon, PaymentFailed},
    transaction::v1::{
        ChargebackStage, TransactionChargedBack, TransactionFailed, TransactionStatus,
    },
    types::v1::DeclineReason,
};

use crate::{app::App, domain::LabelKind};

/// Makes labels of facts.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    app: App,
}

// === impl Labels ===

impl Labels {
    pub(crate) const fn new(app: App) -> Self {
        Self { app }
    }
}

impl Handler for Labels {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        let Some(tenant) = event.tenant else {
            return Ok(());
        };
        if let Some((transaction, kind)) = told(event)? {
            self.app
                .label((tenant, &transaction), kind, event.business_at, changes)
                .await?;
        }
        Ok(())
    }
}

/// The transaction and what became known of it; None for what does not concern risk.
fn told(event: &Event) -> Result<Option<(String, LabelKind)>, HandleError> {
    let told = match &*event.kind {
        TransactionChargedBack::TYPE => {
            let fact: TransactionChargedBack = read(event)?;
            let kind = match fact.stage() {
                ChargebackStage::Opened | ChargebackStage::Lost => Some(LabelKind::Fraud),
                ChargebackStage::Won => Some(LabelKind::Cleared),
                ChargebackStage::Unspecified => None,
            };
            let transaction = fact.transaction.map(|snapshot| snapshot.transaction_id);
            transaction.zip(kind)
        }
        TransactionFailed::TYPE => {
            let fact: TransactionFailed = read(event)?;
            fact.transaction
                .filter(|snapshot| {
                    snapshot.status() == TransactionStatus::Declined
                        && is_foreign(snapshot.decline_reason())
                })
                .map(|snapshot| (snapshot.transaction_id, LabelKind::Failed))
        }
        PaymentFailed::TYPE => {
            let fact: PaymentFailed = read(event)?;
            fact.attempt
                .map(|attempt| (attempt.transaction_id, LabelKind::Failed))
        }
        DisputeOpened::TYPE => {
            let fact: DisputeOpened = read(event)?;
            fact.dispute
                .map(|dispute| (dispute.transaction_id, LabelKind::Fraud))
        }
        DisputeWon::TYPE => {
            let fact: DisputeWon = read(event)?;
            fact.dispute
                .map(|dispute| (dispute.transaction_id, LabelKind::Cleared))
        }
        _ => None,
    };
    Ok(told.filter(|(transaction, _)| !transaction.is_empty()))
}

/// False for declines that are risk's own doing: they must not feed themselves.
const fn is_foreign(reason: DeclineReason) -> bool {
    !matches!(
        reason,
        DeclineReason::RiskDenied | DeclineReason::RiskUnavailable | DeclineReason::ReviewRejected
    )
}

fn read<F: Fact>(event: &Event) -> Result<F, HandleError> {
    F::decode(event.payload.as_slice())
        .map_err(|_| HandleError::reject("the payload is not the message that its kind names"))
}
