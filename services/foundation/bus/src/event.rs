//! The envelope that every fact travels in.
//!
//! An event is named by its id for good: each delivery of it, on any broker, carries the same one. Its place among the events
//! of its aggregate is `sequence`, which begins at 1 and has no gaps; consumers rely on it, not on the order of a broker.

mod headers;
mod stored;

use std::borrow::Cow;

use paymesh_kernel::{
    Timestamp,
    id::{EventId, TenantId},
};
use uuid::Uuid;

pub use headers::{CONTENT_TYPE, MalformedEvent};

/// The largest payload that a broker takes.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// The kind of an event that an operator took out of the stream. It keeps its place in the sequence and has no payload.
pub const SKIPPED: &str = "event.skipped.v1";

/// One fact, as it is published and consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same for each delivery.
    pub id: EventId,
    /// Whose fact it is; None for facts of the whole platform, such as exchange rates.
    pub tenant: Option<TenantId>,
    /// The component that publishes it; its exchange is `<stream>.events`.
    pub stream: Cow<'static, str>,
    /// The routing key, with a version: `transaction.completed.v1`.
    pub kind: Cow<'static, str>,
    /// What the aggregate is: `transaction`.
    pub aggregate_type: Cow<'static, str>,
    /// Which one it is.
    pub aggregate_id: Uuid,
    /// 1 for the first event of the aggregate, then without gaps.
    pub sequence: i64,
    /// The event or the request that led to this one.
    pub causation_id: String,
    /// The request that all began with.
    pub correlation_id: String,
    /// Clock time of the decision.
    pub occurred_at: Timestamp,
    /// Business time; differs from `occurred_at` in sandboxes only.
    pub business_at: Timestamp,
    /// W3C trace context of the publisher.
    pub traceparent: Option<String>,
    /// The encoded protobuf message that `kind` names.
    pub payload: Vec<u8>,
}

/// Whose events are in one order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Aggregate {
    /// Which one.
    pub id: Uuid,
    /// What it is.
    pub kind: Cow<'static, str>,
}

// === impl Event ===

impl Event {
    /// The aggregate that it is about.
    #[must_use]
    pub fn aggregate(&self) -> Aggregate {
        Aggregate {
            id: self.aggregate_id,
            kind: self.aggregate_type.clone(),
        }
    }

    /// True when an operator took it out of the stream: handlers never see it.
    #[must_use]
    pub fn is_skipped(&self) -> bool {
        self.kind == SKIPPED
    }
}
