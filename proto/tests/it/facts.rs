//! Facts and their routing keys.

use std::collections::BTreeSet;

use paymesh_proto::{FACTS, Fact, FactType, account, fact_type, transaction};
use prost_reflect::{ExtensionDescriptor, Kind, MessageDescriptor, Value};

/// What other components are known to wait for.
const EXPECTED: &[&str] = &[
    "account.created.v1",
    "account.overdrawn.v1",
    "account.suspended.v1",
    "balance.updated.v1",
    "dispute.lost.v1",
    "dispute.opened.v1",
    "dispute.won.v1",
    "exchange_rates.updated.v1",
    "fraud_alert.v1",
    "payment.failed.v1",
    "payment.processed.v1",
    "payout.confirmed.v1",
    "payout.created.v1",
    "payout.failed.v1",
    "payout.returned.v1",
    "payout.sent.v1",
    "reconciliation.completed.v1",
    "refund.initiated.v1",
    "risk_assessment.completed.v1",
    "settlement.processed.v1",
    "transaction.completed.v1",
    "transaction.failed.v1",
    "transaction.initiated.v1",
    "transaction.refunded.v1",
    "user.created.v1",
    "user.deleted.v1",
    "user.updated.v1",
];

fn is_sensitive(field: &prost_reflect::FieldDescriptor, sensitive: &ExtensionDescriptor) -> bool {
    matches!(
        field.options().get_extension(sensitive).as_ref(),
        Value::Bool(true)
    )
}

/// `dispute.evidence_submitted.v1` is the message `DisputeEvidenceSubmitted`.
fn message_name(key: &str) -> String {
    let (words, _version) = key.rsplit_once(".v").unwrap();
    let capitalized = words.split(['.', '_']).map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    });
    capitalized.collect()
}

fn fact_messages() -> Vec<MessageDescriptor> {
    let pool = super::pool();
    FACTS
        .iter()
        .map(|f| pool.get_message_by_name(f.message).unwrap())
        .collect()
}

#[test]
fn every_awaited_fact_is_in_the_contract() {
    for key in EXPECTED {
        assert_eq!(fact_type(key).map(|f| f.key), Some(*key));
    }
    assert_eq!(fact_type("account.unheard_of.v1"), None);
}

#[test]
fn facts_are_sorted_by_key_without_repeats() {
    let keys: Vec<&str> = FACTS.iter().map(|f| f.key).collect();
    assert!(keys.is_sorted());
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

#[test]
fn a_routing_key_spells_the_name_of_its_message() {
    for FactType {
        key,
        component,
        message,
        ..
    } in FACTS
    {
        assert_eq!(
            *message,
            format!("paymesh.{component}.v1.{}", message_name(key))
        );
    }
}

#[test]
fn every_fact_is_declared_in_its_components_events_file() {
    for message in fact_messages() {
        assert!(
            message.parent_file().name().ends_with("/events.proto"),
            "{}",
            message.full_name()
        );
    }
}

#[test]
fn the_trait_and_the_table_agree() {
    fn check<F: Fact>(message: &str) {
        let entry = fact_type(F::TYPE).unwrap();
        let found = (entry.component, entry.aggregate, entry.message);
        assert_eq!(found, (F::COMPONENT, F::AGGREGATE, message));
    }
    check::<account::v1::BalanceUpdated>("paymesh.account.v1.BalanceUpdated");
    check::<transaction::v1::TransactionCompleted>("paymesh.transaction.v1.TransactionCompleted");
}

#[test]
fn no_fact_reaches_a_sensitive_field() {
    let sensitive = super::pool()
        .get_extension_by_name("paymesh.options.v1.sensitive")
        .unwrap();
    let mut seen = BTreeSet::new();
    let mut waiting = fact_messages();
    while let Some(message) = waiting.pop() {
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            assert!(!is_sensitive(&field, &sensitive), "{}", field.full_name());
            if let Kind::Message(inner) = field.kind() {
                waiting.push(inner);
            }
        }
    }
    assert!(seen.len() > FACTS.len());
}
