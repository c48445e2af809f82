//! Which message is the payload of which fact.

/// A message that is published as a fact, in an envelope of `bus::v1`.
pub trait Fact: prost::Message + Default {
    /// Routing key with its version: `transaction.completed.v1`.
    const TYPE: &'static str;
    /// The component that publishes it, on the exchange `<component>.events`.
    const COMPONENT: &'static str;
    /// Type of the aggregate whose sequence numbers it.
    const AGGREGATE: &'static str;
}

/// A fact of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactType {
    /// Routing key with its version.
    pub key: &'static str,
    /// The component that publishes it.
    pub component: &'static str,
    /// Type of its aggregate.
    pub aggregate: &'static str,
    /// Full protobuf name of the payload.
    pub message: &'static str,
}

/// Finds a fact by its routing key.
#[must_use]
pub fn fact_type(key: &str) -> Option<&'static FactType> {
    let index = FACTS.binary_search_by(|f| f.key.cmp(key)).ok()?;
    FACTS.get(index)
}

include!(concat!(env!("OUT_DIR"), "/facts.rs"));
