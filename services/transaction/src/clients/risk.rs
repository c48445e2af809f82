//! Calls to risk.

use paymesh_kernel::Timestamp;
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::risk::v1::{AssessRequest, Decision, risk_service_client::RiskServiceClient};

use super::wire::{contradiction, to_money};
use crate::domain::{
    answer::{Assessment, Verdict},
    transaction::Transaction,
};

/// Risk.
#[derive(Clone, Debug)]
pub(crate) struct Risk {
    channel: Channel,
}

/// What risk is told beside the transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Of the payment method.
    pub(crate) fingerprint: String,
    /// Of the payment method.
    pub(crate) issuer_country: String,
    /// First use of it by this customer.
    pub(crate) is_new: bool,
}

// === impl Risk ===

impl Risk {
    pub(super) const fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// Decides on a transaction. `decision_id` was stored before.
    ///
    /// # Errors
    /// When risk does not answer.
    pub(crate) async fn assess(
        &self,
        transaction: &Transaction,
        decision_id: &str,
        hints: Hints,
        business_at: Timestamp,
    ) -> Result<Assessment, CallError> {
        let text = |id: Option<String>| id.unwrap_or_default();
        let payer = &transaction.payer;
        let payee = &transaction.payee;
        let terminal = match payee {
            crate::domain::party::Party::Merchant { terminal, .. } => {
                terminal.map(|id| id.to_string())
            }
            crate::domain::party::Party::Account { .. }
            | crate::domain::party::Party::Method { .. }
            | crate::domain::party::Party::Bank { .. } => None,
        };
        let request = AssessRequest {
            decision_id: decision_id.to_owned(),
            transaction_id: transaction.id.to_string(),
            transaction_kind: transaction.kind.as_str().to_owned(),
            amount: Some(to_money(transaction.amount)),
            customer_id: text(payer.user().map(|id| id.to_string())),
            payee_user_id: text(payee.user().map(|id| id.to_string())),
            payment_method_id: text(payer.method().map(|id| id.to_string())),
            payment_method_fingerprint: hints.fingerprint,
            issuer_country: hints.issuer_country,
            merchant_id: text(payee.merchant().map(|id| id.to_string())),
            terminal_id: text(terminal),
            country: transaction.details.country.clone(),
            business_at_us: business_at.as_micros(),
            payment_method_is_new: hints.is_new,
        };
        let mut client = RiskServiceClient::new(self.channel.clone());
        let answer = client.assess(request).await?.into_inner();
        let decision = answer
            .decision
            .ok_or_else(|| contradiction("risk answered no decision"))?;
        let verdict = match decision.decision() {
            Decision::Allow => Verdict::Allow,
            Decision::Challenge => Verdict::Challenge,
            Decision::Review => Verdict::Review,
            Decision::Deny => Verdict::Deny,
            Decision::Unspecified => return Err(contradiction("risk answered no decision")),
        };
        let detail = decision.reasons.first().map(|reason| reason.code.clone());
        Ok(Assessment {
            verdict,
            score: decision.score,
            detail: detail.unwrap_or_default(),
        })
    }
}
