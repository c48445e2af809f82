//! Domain words as the contract has them, for answers and facts alike.

use paymesh_proto::{risk::v1 as wire, types::v1::Money};

use crate::domain::{
    Alert, AlertKind, Assessment, Decision, ListKind, ListSubject, Payment, Reason, RuleState,
    Source,
};

pub(crate) fn money(payment: &Payment) -> Option<Money> {
    Some(Money {
        minor: payment.amount.minor(),
        currency: payment.currency().code().to_owned(),
    })
}

pub(crate) const fn decision(decision: Decision) -> wire::Decision {
    match decision {
        Decision::Allow => wire::Decision::Allow,
        Decision::Challenge => wire::Decision::Challenge,
        Decision::Review => wire::Decision::Review,
        Decision::Deny => wire::Decision::Deny,
    }
}

pub(crate) const fn rule_state(state: RuleState) -> wire::RuleState {
    match state {
        RuleState::Enabled => wire::RuleState::Enabled,
        RuleState::Shadow => wire::RuleState::Shadow,
        RuleState::Disabled => wire::RuleState::Disabled,
    }
}

pub(crate) const fn list_kind(kind: ListKind) -> wire::ListKind {
    match kind {
        ListKind::Allow => wire::ListKind::Allow,
        ListKind::Review => wire::ListKind::Review,
        ListKind::Deny => wire::ListKind::Deny,
    }
}

pub(crate) const fn list_subject(subject: ListSubject) -> wire::ListSubject {
    match subject {
        ListSubject::Customer => wire::ListSubject::Customer,
        ListSubject::Method => wire::ListSubject::PaymentMethod,
        ListSubject::Merchant => wire::ListSubject::Merchant,
        ListSubject::Terminal => wire::ListSubject::Terminal,
        ListSubject::Country => wire::ListSubject::Country,
    }
}

pub(crate) const fn alert_kind(kind: AlertKind) -> wire::AlertKind {
    match kind {
        AlertKind::Denied => wire::AlertKind::Denied,
        AlertKind::Velocity => wire::AlertKind::Velocity,
        AlertKind::TerminalCompromised => wire::AlertKind::TerminalCompromised,
        AlertKind::Chargeback => wire::AlertKind::Chargeback,
        AlertKind::ListHit => wire::AlertKind::ListHit,
    }
}

pub(crate) fn reasons(reasons: &[Reason]) -> Vec<wire::Reason> {
    let reason = |reason: &Reason| wire::Reason {
        source: match reason.source {
            Source::Rule => wire::ReasonSource::Rule,
            Source::List => wire::ReasonSource::List,
            Source::Limit => wire::ReasonSource::Limit,
        }
        .into(),
        code: reason.code.clone(),
        text: reason.text.clone(),
        points: reason.points,
    };
    reasons.iter().map(reason).collect()
}

pub(crate) fn risk_decision(assessment: &Assessment) -> wire::RiskDecision {
    let payment = &assessment.payment;
    wire::RiskDecision {
        id: assessment.id.to_string(),
        transaction_id: assessment.transaction.clone(),
        decision: decision(assessment.verdict.decision).into(),
        score: assessment.verdict.score,
        reasons: reasons(&assessment.verdict.reasons),
        model_version: String::new(),
        amount: money(payment),
        customer_id: payment.customer.clone(),
        merchant_id: payment.merchant.clone(),
        terminal_id: payment.terminal.clone(),
        business_at_us: payment.business_at.as_micros(),
        decided_at_us: assessment.decided_at.as_micros(),
    }
}

pub(crate) fn alert(alert: &Alert) -> wire::Alert {
    wire::Alert {
        id: alert.id.to_string(),
        kind: alert_kind(alert.kind).into(),
        decision_id: alert.decision.to_string(),
        transaction_id: alert.transaction.clone(),
        customer_id: alert.customer.clone(),
        merchant_id: alert.merchant.clone(),
        terminal_id: alert.terminal.clone(),
        score: alert.score,
        text: alert.text.clone(),
        business_at_us: alert.business_at.as_micros(),
        raised_at_us: alert.raised_at.as_micros(),
    }
}
