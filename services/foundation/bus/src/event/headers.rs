//! Events as CloudEvents 1.0 in binary mode: the envelope in headers, the payload alone in the body.
//!
//! Required attributes are `specversion`, `id`, `source`, `type`; `subject` and `time` are optional ones that we always send; the
//! rest are extensions, whose names may have lower-case letters and digits only. `traceparent` is that of the distributed
//! tracing extension, `sequence` that of the sequence extension.

use std::{borrow::Cow, collections::HashMap};

use paymesh_kernel::Timestamp;
use uuid::Uuid;

use super::Event;

/// The media type of every payload.
pub const CONTENT_TYPE: &str = "application/protobuf";

const SPEC_VERSION: &str = "1.0";
/// What stands before the name of the component in `ce-source`.
const SOURCE_PREFIX: &str = "/paymesh/";

const ID: &str = "ce-id";
const VERSION: &str = "ce-specversion";
const SOURCE: &str = "ce-source";
const TYPE: &str = "ce-type";
const SUBJECT: &str = "ce-subject";
const TIME: &str = "ce-time";
const TENANT: &str = "ce-tenant";
const SEQUENCE: &str = "ce-sequence";
const CAUSATION: &str = "ce-causationid";
const CORRELATION: &str = "ce-correlationid";
const BUSINESS_TIME: &str = "ce-businesstime";
const TRACEPARENT: &str = "ce-traceparent";

/// A message is not one of our events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// A header is missing.
    #[error("the header `{header}` is missing")]
    Missing {
        /// Its name.
        header: &'static str,
    },
    /// A header says what it cannot.
    #[error("the header `{header}` cannot be read")]
    Unreadable {
        /// Its name.
        header: &'static str,
    },
    /// The stored form cannot be decoded.
    #[error("the stored event cannot be decoded")]
    Stored,
}

impl Event {
    /// The envelope as headers.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (VERSION, SPEC_VERSION.to_owned()),
            (ID, self.id.to_string()),
            (SOURCE, format!("{SOURCE_PREFIX}{}", self.stream)),
            (TYPE, self.kind.to_string()),
            (
                SUBJECT,
                format!("{}/{}", self.aggregate_type, self.aggregate_id),
            ),
            (TIME, self.occurred_at.to_string()),
            (BUSINESS_TIME, self.business_at.to_string()),
            (SEQUENCE, self.sequence.to_string()),
            (CAUSATION, self.causation_id.clone()),
            (CORRELATION, self.correlation_id.clone()),
        ];
        if let Some(tenant) = self.tenant {
            headers.push((TENANT, tenant.to_string()));
        }
        if let Some(traceparent) = &self.traceparent {
            headers.push((TRACEPARENT, traceparent.clone()));
        }
        headers
    }

    /// The event of a message with these headers and this body.
    ///
    /// # Errors
    /// When a header is missing or cannot be read.
    pub fn from_headers(
        headers: &HashMap<String, String>,
        payload: Vec<u8>,
    ) -> Result<Self, MalformedEvent> {
        if text(headers, VERSION)? != SPEC_VERSION {
            return Err(MalformedEvent::Unreadable { header: VERSION });
        }
        let stream = text(headers, SOURCE)?
            .strip_prefix(SOURCE_PREFIX)
            .ok_or(MalformedEvent::Unreadable { header: SOURCE })?;
        let (aggregate_type, aggregate_id) = text(headers, SUBJECT)?
            .split_once('/')
            .ok_or(MalformedEvent::Unreadable { header: SUBJECT })?;
        let sequence = text(headers, SEQUENCE)?
            .parse()
            .ok()
            .filter(|&sequence: &i64| sequence > 0)
            .ok_or(MalformedEvent::Unreadable { header: SEQUENCE })?;
        let tenant = headers
            .get(TENANT)
            .map(|tenant| tenant.parse())
            .transpose()
            .map_err(|_| MalformedEvent::Unreadable { header: TENANT })?;
        Ok(Self {
            id: text(headers, ID)?
                .parse()
                .map_err(|_| MalformedEvent::Unreadable { header: ID })?,
            tenant,
            stream: Cow::Owned(stream.to_owned()),
            kind: Cow::Owned(text(headers, TYPE)?.to_owned()),
            aggregate_type: Cow::Owned(aggregate_type.to_owned()),
            aggregate_id: Uuid::parse_str(aggregate_id)
                .map_err(|_| MalformedEvent::Unreadable { header: SUBJECT })?,
            sequence,
            causation_id: text(headers, CAUSATION)?.to_owned(),
            correlation_id: text(headers, CORRELATION)?.to_owned(),
            occurred_at: moment(headers, TIME)?,
            business_at: moment(headers, BUSINESS_TIME)?,
            traceparent: headers.get(TRACEPARENT).cloned(),
            payload,
        })
    }
}

fn text<'a>(
    headers: &'a HashMap<String, String>,
    header: &'static str,
) -> Result<&'a str, MalformedEvent> {
    headers
        .get(header)
        .map(String::as_str)
        .ok_or(MalformedEvent::Missing { header })
}

fn moment(
    headers: &HashMap<String, String>,
    header: &'static str,
) -> Result<Timestamp, MalformedEvent> {
    Timestamp::parse(text(headers, header)?).map_err(|_| MalformedEvent::Unreadable { header })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn sample() -> Event {
        Event {
            id: "evt_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            tenant: Some("tnt_01h455vb4pex5vsknk084sn02q".parse().unwrap()),
            stream: "transaction".into(),
            kind: "transaction.completed.v1".into(),
            aggregate_type: "transaction".into(),
            aggregate_id: Uuid::from_u128(7),
            sequence: 3,
            causation_id: "req_1".to_owned(),
            correlation_id: "req_0".to_owned(),
            occurred_at: Timestamp::from_micros(1_789_000_000_123_456),
            business_at: Timestamp::from_micros(1_788_000_000_000_001),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            payload: vec![0, 1, 255],
        }
    }

    fn headers_of(event: &Event) -> HashMap<String, String> {
        let headers = event.headers().into_iter();
        headers
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    #[test]
    fn an_event_survives_its_headers_and_its_stored_form() {
        let bare = Event {
            tenant: None,
            traceparent: None,
            payload: Vec::new(),
            ..sample()
        };
        for event in [sample(), bare] {
            let payload = event.payload.clone();
            assert_eq!(
                Event::from_headers(&headers_of(&event), payload).unwrap(),
                event
            );
            assert_eq!(Event::decode(&event.encode()).unwrap(), event);
        }
    }

    #[test]
    fn attribute_names_are_those_that_cloud_events_allows() {
        for (name, _) in sample().headers() {
            let attribute = name.strip_prefix("ce-").unwrap();
            assert!(
                attribute.bytes().all(|b| b.is_ascii_lowercase()),
                "{attribute}"
            );
        }
    }

    #[test]
    fn a_missing_or_unreadable_header_is_named() {
        for header in [VERSION, ID, SOURCE, TYPE, SUBJECT, TIME, SEQUENCE] {
            let mut headers = headers_of(&sample());
            headers.remove(header);
            assert_eq!(
                Event::from_headers(&headers, Vec::new()),
                Err(MalformedEvent::Missing { header })
            );
        }
        for (header, value) in [
            (VERSION, "0.3"),
            (ID, "evt_1"),
            (SOURCE, "transaction"),
            (SUBJECT, "transaction"),
            (SUBJECT, "transaction/7"),
            (SEQUENCE, "0"),
            (SEQUENCE, "x"),
            (TENANT, "acct_01h455vb4pex5vsknk084sn02q"),
            (TIME, "yesterday"),
        ] {
            let mut headers = headers_of(&sample());
            headers.insert(header.to_owned(), value.to_owned());
            assert_eq!(
                Event::from_headers(&headers, Vec::new()),
                Err(MalformedEvent::Unreadable { header })
            );
        }
    }
}
