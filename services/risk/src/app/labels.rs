//! What becomes known of payments after they were decided on.

use paymesh_kernel::{ChangeSet, Timestamp, id::TenantId};

use super::App;
use crate::{
    domain::{Alert, AlertKind, Assessment, Decision, Label, LabelKind, ids::derived},
    error::Error,
    events, store,
};

// === impl App ===

impl App {
    /// Puts into `changes` what became known of a transaction at a moment of business time. The first time counts; what was never
    /// assessed has no label.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn label(
        &self,
        (tenant, transaction): (TenantId, &str),
        kind: LabelKind,
        known_at: Timestamp,
        changes: &mut ChangeSet,
    ) -> Result<(), Error> {
        let found =
            store::payments::find_by_transaction(self.database(), tenant, transaction).await?;
        let Some(assessment) = found else {
            return Ok(());
        };
        if store::labels::has(self.database(), assessment.id, kind).await? {
            return Ok(());
        }
        let payment = &assessment.payment;
        let label = Label {
            payment: assessment.id,
            tenant,
            kind,
            known_at,
            customer: payment.customer.clone(),
            method: payment.method.clone(),
            terminal: payment.terminal.clone(),
            business_at: payment.business_at,
        };
        store::labels::put(changes, &label, self.now());
        if kind == LabelKind::Fraud && assessment.verdict.decision != Decision::Deny {
            self.raise_chargeback(&assessment, known_at, changes);
        }
        Ok(())
    }

    fn raise_chargeback(
        &self,
        assessment: &Assessment,
        known_at: Timestamp,
        changes: &mut ChangeSet,
    ) {
        let decision = assessment.verdict.decision.as_str();
        // Two facts may tell of the same dispute at the same time: of two alerts with this id one is refused and looked at again.
        let id = derived(
            assessment.tenant,
            &[b"chargeback", assessment.id.as_uuid().as_bytes()],
        );
        let alert = Alert {
            id: id.into(),
            kind: AlertKind::Chargeback,
            text: format!("the payer disputes a payment whose decision was {decision}"),
            business_at: known_at,
            ..self.blank_alert(assessment)
        };
        store::alerts::insert(changes, &alert);
        events::publish_alert(changes, self.ids(), &alert);
    }
}
