//! Events as one compact value, for the tables that keep whole events: the embedded broker's log, and events that wait.

use std::borrow::Cow;

use paymesh_kernel::{Timestamp, id::EventId, id::TenantId};
use prost::Message as _;
use uuid::Uuid;

use super::{Event, MalformedEvent};

/// The stored form. Field numbers are never used again for anything else.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Stored {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    tenant: Vec<u8>,
    #[prost(string, tag = "3")]
    stream: String,
    #[prost(string, tag = "4")]
    kind: String,
    #[prost(string, tag = "5")]
    aggregate_type: String,
    #[prost(bytes = "vec", tag = "6")]
    aggregate_id: Vec<u8>,
    #[prost(int64, tag = "7")]
    sequence: i64,
    #[prost(string, tag = "8")]
    causation_id: String,
    #[prost(string, tag = "9")]
    correlation_id: String,
    #[prost(int64, tag = "10")]
    occurred_at_us: i64,
    #[prost(int64, tag = "11")]
    business_at_us: i64,
    #[prost(string, optional, tag = "12")]
    traceparent: Option<String>,
    #[prost(bytes = "vec", tag = "13")]
    payload: Vec<u8>,
}

impl Event {
    /// The stored form.
    #[must_use]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let stored = Stored {
            id: self.id.as_uuid().as_bytes().to_vec(),
            tenant: self
                .tenant
                .map(|tenant| tenant.as_uuid().as_bytes().to_vec())
                .unwrap_or_default(),
            stream: self.stream.to_string(),
            kind: self.kind.to_string(),
            aggregate_type: self.aggregate_type.to_string(),
            aggregate_id: self.aggregate_id.as_bytes().to_vec(),
            sequence: self.sequence,
            causation_id: self.causation_id.clone(),
            correlation_id: self.correlation_id.clone(),
            occurred_at_us: self.occurred_at.as_micros(),
            business_at_us: self.business_at.as_micros(),
            traceparent: self.traceparent.clone(),
            payload: self.payload.clone(),
        };
        stored.encode_to_vec()
    }

    /// The event of a stored form.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, MalformedEvent> {
        let stored = Stored::decode(bytes).map_err(|_| MalformedEvent::Stored)?;
        let tenant = match stored.tenant.as_slice() {
            [] => None,
            tenant => Some(TenantId::from(uuid(tenant)?)),
        };
        Ok(Self {
            id: EventId::from(uuid(&stored.id)?),
            tenant,
            stream: Cow::Owned(stored.stream),
            kind: Cow::Owned(stored.kind),
            aggregate_type: Cow::Owned(stored.aggregate_type),
            aggregate_id: uuid(&stored.aggregate_id)?,
            sequence: stored.sequence,
            causation_id: stored.causation_id,
            correlation_id: stored.correlation_id,
            occurred_at: Timestamp::from_micros(stored.occurred_at_us),
            business_at: Timestamp::from_micros(stored.business_at_us),
            traceparent: stored.traceparent,
            payload: stored.payload,
        })
    }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, MalformedEvent> {
    Uuid::from_slice(bytes).map_err(|_| MalformedEvent::Stored)
}
