//! Results as responses.

use paymesh_kernel::Timestamp;
use paymesh_proto::{risk::v1 as wire, types::v1 as types};

use crate::{
    convert,
    domain::{Assessment, Feature, ListEntry, Outcome, Rule, backtest::Tally},
};

/// The object, and whether an earlier call made it so.
pub(super) fn parted<T>(outcome: Outcome<T>) -> (T, i32) {
    match outcome {
        Outcome::Applied(object) => (object, types::Outcome::Applied.into()),
        Outcome::AlreadyApplied(object) => (object, types::Outcome::AlreadyApplied.into()),
    }
}

pub(super) fn rule(rule: &Rule) -> wire::Rule {
    wire::Rule {
        id: rule.id.to_string(),
        name: rule.name.clone(),
        expression: rule.expression.clone(),
        decision: rule
            .decision
            .map_or(wire::Decision::Unspecified, convert::decision)
            .into(),
        points: rule.points,
        priority: rule.priority,
        state: convert::rule_state(rule.state).into(),
        version: u64::try_from(rule.version).unwrap_or_default(),
        updated_by: rule.updated_by.clone(),
        updated_at_us: rule.updated_at.as_micros(),
    }
}

pub(super) fn entry(entry: &ListEntry) -> wire::ListEntry {
    wire::ListEntry {
        id: entry.id.to_string(),
        kind: convert::list_kind(entry.kind).into(),
        subject: convert::list_subject(entry.subject).into(),
        value: entry.value.clone(),
        note: entry.note.clone(),
        created_by: entry.created_by.clone(),
        expires_at_us: entry.expires_at.map_or(0, Timestamp::as_micros),
        created_at_us: entry.created_at.as_micros(),
    }
}

pub(super) fn explanation(assessment: &Assessment) -> wire::ExplainResponse {
    let feature = |feature: Feature| wire::Feature {
        name: feature.name().to_owned(),
        value: assessment.features.real(feature),
        contribution: 0.0,
    };
    wire::ExplainResponse {
        decision: Some(convert::risk_decision(assessment)),
        features: Feature::all().map(feature).collect(),
        matched_rule_ids: assessment
            .verdict
            .matched
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

pub(super) fn tally(tally: &Tally) -> wire::BacktestResponse {
    wire::BacktestResponse {
        payment_count: tally.payments,
        fraud_count: tally.frauds,
        lines: tally
            .lines
            .iter()
            .map(|line| wire::BacktestLine {
                rule_name: line.name.clone(),
                matched_count: line.matched,
                fraud_count: line.frauds,
                precision_bp: line.precision_bp(),
                recall_bp: line.recall_bp(tally.frauds),
            })
            .collect(),
        decision_counts: tally
            .decisions
            .iter()
            .map(|(decision, count)| ((*decision).to_owned(), *count))
            .collect(),
    }
}
