//! Decisions.

use paymesh_bus::{Event, HandleError};
use paymesh_kernel::{ChangeSet, Timestamp, id::TenantId};
use paymesh_proto::{Fact as _, risk::v1::RiskAssessmentCompleted};

use super::read;
use crate::{
    store::risk::{self, Decision},
    wire::{currency, minor, word},
};

pub(super) fn take(
    event: &Event,
    tenant: TenantId,
    changes: &mut ChangeSet,
) -> Result<(), HandleError> {
    if event.kind != RiskAssessmentCompleted::TYPE {
        return Ok(());
    }
    let fact: RiskAssessmentCompleted = read(event)?;
    let codes: Vec<&str> = fact
        .reasons
        .iter()
        .map(|reason| reason.code.as_str())
        .collect();
    let decision = Decision {
        tenant_id: tenant,
        decision: word(fact.decision().as_str_name(), "DECISION_"),
        score: fact.score,
        reasons: codes.join(" "),
        amount_minor: minor(fact.amount.as_ref()),
        currency: currency(fact.amount.as_ref()),
        id: fact.decision_id,
        transaction_id: fact.transaction_id,
        customer_id: fact.customer_id,
        merchant_id: fact.merchant_id,
        terminal_id: fact.terminal_id,
        business_at: Timestamp::from_micros(fact.business_at_us),
        decided_at: Timestamp::from_micros(fact.decided_at_us),
    };
    risk::put(changes, &decision);
    Ok(())
}
