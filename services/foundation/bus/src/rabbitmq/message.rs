//! Events as messages: the envelope in the headers, the payload alone in the body.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};
use paymesh_kernel::Timestamp;

use crate::{
    broker::DeadLetter,
    event::{CONTENT_TYPE, Event, MAX_PAYLOAD_BYTES, MalformedEvent},
};

/// All headers of an event together, so that they fit into one frame.
const MAX_HEADERS_BYTES: usize = 32 * 1024;
/// Characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 1_000;
const PERSISTENT: u8 = 2;

/// Why and when a consumer gave an event up. Beside the broker's own `x-death`.
const DEAD_REASON: &str = "paymesh-dead-reason";
const DEAD_AT: &str = "paymesh-dead-at-us";
/// The broker's words on a dead letter.
const DEATHS: &str = "x-death";
const FIRST_REASON: &str = "x-first-death-reason";

/// A message to publish.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Cow<'a, [u8]>,
}

/// What is kept of a delivery until it is settled.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// An event, shared with whoever handles it.
    Event(Arc<Event>),
    /// Something else.
    Raw(Box<Raw>),
}

/// A message as it is.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

// === impl Outgoing ===

impl<'a> Outgoing<'a> {
    /// The message of an event, or why no broker will ever take it.
    pub(super) fn of(event: &'a Event) -> Result<Self, String> {
        if event.payload.len() > MAX_PAYLOAD_BYTES {
            return Err(format!("a payload has at most {MAX_PAYLOAD_BYTES} bytes"));
        }
        let headers = event.headers();
        if headers.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_HEADERS_BYTES {
            return Err(format!("headers have at most {MAX_HEADERS_BYTES} bytes"));
        }
        let kind = ShortString::try_new(event.kind.as_ref()).map_err(|error| error.to_string())?;
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let seconds = event.occurred_at.as_micros() / 1_000_000;
        let properties = BasicProperties::default()
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(event.id.to_string().into())
            .with_timestamp(u64::try_from(seconds).unwrap_or(0))
            .with_type(kind.clone())
            .with_headers(table);
        Ok(Self {
            routing_key: kind,
            properties,
            body: Cow::Borrowed(&event.payload),
        })
    }

    /// A message that goes back to its queue, without what made it a dead letter.
    pub(super) fn again(raw: Raw, queue: ShortString) -> Outgoing<'static> {
        let mut headers = FieldTable::default();
        for (name, value) in table_of(&raw.properties)
            .into_iter()
            .flat_map(table_entries)
        {
            let name_text = name.as_str();
            let is_ours = name_text == DEAD_REASON || name_text == DEAD_AT;
            if !is_ours && !name_text.starts_with("x-") {
                headers.insert(name.clone(), value.clone());
            }
        }
        let properties = raw.properties.with_headers(headers);
        Outgoing {
            routing_key: queue,
            properties: properties.with_delivery_mode(PERSISTENT),
            body: Cow::Owned(raw.body),
        }
    }

    /// A message on its way to the dead letters.
    pub(super) fn dead(
        kept: &'a Kept,
        queue: ShortString,
        reason: &str,
        now: Timestamp,
    ) -> Result<Self, String> {
        let mut outgoing = match kept {
            Kept::Event(event) => Self::of(event)?,
            Kept::Raw(raw) => Self {
                routing_key: queue.clone(),
                properties: raw.properties.clone().with_delivery_mode(PERSISTENT),
                body: Cow::Borrowed(&raw.body),
            },
        };
        let mut headers = table_of(&outgoing.properties).cloned().unwrap_or_default();
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        headers.insert(DEAD_REASON.into(), AMQPValue::LongString(reason.into()));
        headers.insert(DEAD_AT.into(), AMQPValue::LongLongInt(now.as_micros()));
        outgoing.properties = outgoing.properties.with_headers(headers);
        outgoing.routing_key = queue;
        Ok(outgoing)
    }

    /// What names it when it is confirmed or returned.
    pub(super) fn id(&self) -> Option<&str> {
        message_id(&self.properties)
    }
}

// === impl Kept ===

impl Kept {
    /// Takes a delivery apart.
    pub(super) fn of(delivery: Delivery) -> (Self, Result<Arc<Event>, MalformedEvent>) {
        let headers = text_headers(&delivery.properties);
        match Event::from_headers(&headers, Vec::new()) {
            Ok(mut event) => {
                event.payload = delivery.data;
                let event = Arc::new(event);
                (Self::Event(Arc::clone(&event)), Ok(event))
            }
            Err(error) => (Self::Raw(Box::new(Raw::of(delivery))), Err(error)),
        }
    }
}

// === impl Raw ===

impl Raw {
    pub(super) fn of(delivery: Delivery) -> Self {
        Self {
            properties: delivery.properties,
            body: delivery.data,
        }
    }

    pub(super) fn into_event(self) -> Result<Event, MalformedEvent> {
        Event::from_headers(&text_headers(&self.properties), self.body)
    }

    /// True when it is the message of this event.
    pub(super) fn has_id(&self, id: &str) -> bool {
        message_id(&self.properties) == Some(id)
    }

    pub(super) fn into_letter(self) -> DeadLetter {
        let headers = table_of(&self.properties);
        let value = |name: &str| headers.and_then(|table| table.inner().get(name));
        let reason = match (value(DEAD_REASON), value(FIRST_REASON)) {
            (Some(AMQPValue::LongString(reason)), _) => reason.to_string(),
            (_, Some(AMQPValue::LongString(reason))) => format!("RabbitMQ gave it up: {reason}"),
            _ => "unknown".to_owned(),
        };
        let died_at = match value(DEAD_AT) {
            Some(AMQPValue::LongLongInt(micros)) => Some(Timestamp::from_micros(*micros)),
            _ => value(DEATHS).and_then(death_time),
        };
        DeadLetter {
            event: self.into_event().map(Arc::new),
            reason,
            died_at,
        }
    }
}

/// The time of the latest death that the broker noted.
fn death_time(deaths: &AMQPValue) -> Option<Timestamp> {
    let AMQPValue::FieldArray(deaths) = deaths else {
        return None;
    };
    let AMQPValue::FieldTable(latest) = deaths.as_slice().first()? else {
        return None;
    };
    let AMQPValue::Timestamp(seconds) = latest.inner().get("time")? else {
        return None;
    };
    let micros = i64::try_from(*seconds).ok()?.checked_mul(1_000_000)?;
    Some(Timestamp::from_micros(micros))
}

fn message_id(properties: &BasicProperties) -> Option<&str> {
    properties.message_id().as_ref().map(ShortString::as_str)
}

fn table_of(properties: &BasicProperties) -> Option<&FieldTable> {
    properties.headers().as_ref()
}

fn table_entries(table: &FieldTable) -> impl Iterator<Item = (&ShortString, &AMQPValue)> {
    table.inner().iter()
}

fn text_headers(properties: &BasicProperties) -> HashMap<String, String> {
    let entries = table_of(properties).into_iter().flat_map(table_entries);
    let texts = entries.filter_map(|(name, value)| {
        let text = value.as_long_string().map(ToString::to_string);
        let text = text.or_else(|| value.as_short_string().map(ToString::to_string));
        Some((name.to_string(), text?))
    });
    texts.collect()
}
