//! Facts told to others, and what is made of theirs.

pub(crate) mod consumed;

use paymesh_bus::Event;
use paymesh_kernel::{
    ChangeSet, Ids, Timestamp, call,
    id::{TenantId, reexport::Uuid},
};
use paymesh_proto::risk::v1::{
    FraudAlert, ListEntryDeleted, ListEntryUpdated, RiskAssessmentCompleted, RuleDeleted,
    RuleUpdated,
};

use crate::{
    convert,
    domain::{Alert, Assessment, ListEntry, Rule},
};

/// What a fact is about.
struct About {
    tenant: TenantId,
    aggregate: Uuid,
    sequence: i64,
    occurred_at: Timestamp,
    business_at: Timestamp,
}

/// A decision, which has one fact.
pub(crate) fn publish_assessment(changes: &mut ChangeSet, ids: &Ids, assessment: &Assessment) {
    let about = About {
        tenant: assessment.tenant,
        aggregate: assessment.id.as_uuid(),
        sequence: 1,
        occurred_at: assessment.decided_at,
        business_at: assessment.payment.business_at,
    };
    let payment = &assessment.payment;
    let fact = RiskAssessmentCompleted {
        decision_id: assessment.id.to_string(),
        transaction_id: assessment.transaction.clone(),
        decision: convert::decision(assessment.verdict.decision).into(),
        score: assessment.verdict.score,
        reasons: convert::reasons(&assessment.verdict.reasons),
        model_version: String::new(),
        amount: convert::money(payment),
        customer_id: payment.customer.clone(),
        merchant_id: payment.merchant.clone(),
        terminal_id: payment.terminal.clone(),
        business_at_us: payment.business_at.as_micros(),
        decided_at_us: assessment.decided_at.as_micros(),
    };
    publish(changes, ids, &about, &fact);
}

/// An alert, which has one fact.
pub(crate) fn publish_alert(changes: &mut ChangeSet, ids: &Ids, alert: &Alert) {
    let about = About {
        tenant: alert.tenant,
        aggregate: alert.id.as_uuid(),
        sequence: 1,
        occurred_at: alert.raised_at,
        business_at: alert.business_at,
    };
    let fact = FraudAlert {
        alert: Some(convert::alert(alert)),
    };
    publish(changes, ids, &about, &fact);
}

/// A rule that was made or changed to `rule`; each version has one fact.
pub(crate) fn publish_rule(changes: &mut ChangeSet, ids: &Ids, rule: &Rule) {
    let fact = RuleUpdated {
        rule_id: rule.id.to_string(),
        version: u64::try_from(rule.version).unwrap_or_default(),
        state: convert::rule_state(rule.state).into(),
        updated_by: rule.updated_by.clone(),
        updated_at_us: rule.updated_at.as_micros(),
    };
    publish(changes, ids, &about_rule(rule), &fact);
}

/// A rule that is one no more.
pub(crate) fn publish_rule_deleted(changes: &mut ChangeSet, ids: &Ids, rule: &Rule) {
    let fact = RuleDeleted {
        rule_id: rule.id.to_string(),
        deleted_by: rule.updated_by.clone(),
        deleted_at_us: rule.updated_at.as_micros(),
    };
    publish(changes, ids, &about_rule(rule), &fact);
}

/// An entry that was made or changed to `entry`; each version has one fact.
pub(crate) fn publish_entry(changes: &mut ChangeSet, ids: &Ids, entry: &ListEntry, now: Timestamp) {
    let fact = ListEntryUpdated {
        entry_id: entry.id.to_string(),
        kind: convert::list_kind(entry.kind).into(),
        subject: convert::list_subject(entry.subject).into(),
        updated_by: entry.created_by.clone(),
        updated_at_us: now.as_micros(),
    };
    publish(changes, ids, &about_entry(entry, now), &fact);
}

/// An entry that is one no more.
pub(crate) fn publish_entry_deleted(
    changes: &mut ChangeSet,
    ids: &Ids,
    (entry, subject): (&ListEntry, &str),
    now: Timestamp,
) {
    let fact = ListEntryDeleted {
        entry_id: entry.id.to_string(),
        deleted_by: subject.to_owned(),
        deleted_at_us: now.as_micros(),
    };
    publish(changes, ids, &about_entry(entry, now), &fact);
}

fn about_rule(rule: &Rule) -> About {
    About {
        tenant: rule.tenant,
        aggregate: rule.id.as_uuid(),
        sequence: rule.version,
        occurred_at: rule.updated_at,
        business_at: rule.updated_at,
    }
}

fn about_entry(entry: &ListEntry, now: Timestamp) -> About {
    About {
        tenant: entry.tenant,
        aggregate: entry.id.as_uuid(),
        sequence: entry.version,
        occurred_at: now,
        business_at: now,
    }
}

fn publish<F: paymesh_proto::Fact>(changes: &mut ChangeSet, ids: &Ids, about: &About, payload: &F) {
    let request_id = call::current().map_or_else(String::new, |scope| scope.request_id.to_string());
    paymesh_bus::publish(
        changes,
        Event {
            id: ids.next(),
            tenant: Some(about.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: about.aggregate,
            sequence: about.sequence,
            causation_id: request_id.clone(),
            correlation_id: request_id,
            occurred_at: about.occurred_at,
            business_at: about.business_at,
            traceparent: None,
            payload: payload.encode_to_vec(),
        },
    );
}
