//! Who publishes and who consumes: one static description, declared on the broker before the first publish.
//!
//! A stream is one component's exchange; a queue is what one consumer reads of one stream. Because every known consumer's queue
//! exists before the first event, none is missed by a consumer that starts later.

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

/// All streams and queues of an installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    streams: BTreeSet<Cow<'static, str>>,
    queues: BTreeSet<Queue>,
}

/// What one consumer reads of one stream. Shown as `<consumer>.<stream>.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The component that reads.
    pub consumer: Cow<'static, str>,
    /// The component that publishes.
    pub stream: Cow<'static, str>,
    /// 0 for the facts as they happen. A replay has a generation of its own, with a queue and an inbox of its own
    /// (`<consumer>.<stream>.g2.v1`), which is bound to no exchange.
    pub generation: u32,
}

/// The text is not the name of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a queue is named <consumer>.<stream>.v1")]
pub struct ParseQueueError;

/// The description contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// A name has other characters than lower-case letters, digits and underscores.
    #[error("`{name}` is not a name of lower-case letters, digits and underscores")]
    Name {
        /// The name.
        name: String,
    },
    /// A queue reads a stream that nobody publishes.
    #[error("`{queue}` reads a stream that is not described")]
    UnknownStream {
        /// The queue.
        queue: Queue,
    },
}

// === impl Topology ===

impl Topology {
    /// Streams, and queues as pairs of consumer and stream.
    ///
    /// # Errors
    /// When a name has characters that names may not have, or a queue reads a stream that is not among `streams`.
    pub fn try_new(
        streams: &[&'static str],
        consumers: &[(&'static str, &'static str)],
    ) -> Result<Self, TopologyError> {
        let queues = consumers
            .iter()
            .map(|&(consumer, stream)| Queue::new(consumer, stream));
        let topology = Self {
            streams: streams.iter().copied().map(Cow::Borrowed).collect(),
            queues: queues.collect(),
        };
        let names = topology.streams.iter();
        let names = names.chain(topology.queues.iter().map(|queue| &queue.consumer));
        if let Some(name) = names.into_iter().find(|name| !is_name(name)) {
            let name = name.to_string();
            return Err(TopologyError::Name { name });
        }
        let mut queues = topology.queues.iter();
        match queues.find(|queue| !topology.has_stream(&queue.stream)) {
            Some(queue) => Err(TopologyError::UnknownStream {
                queue: queue.clone(),
            }),
            None => Ok(topology),
        }
    }

    /// The streams, in order of their names.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.streams.iter().map(AsRef::as_ref)
    }

    /// The queues, in order of their names.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.iter()
    }

    /// True when the stream is described.
    #[must_use]
    pub fn has_stream(&self, stream: &str) -> bool {
        self.streams.contains(stream)
    }

    /// True when the queue is described.
    #[must_use]
    pub fn has_queue(&self, queue: &Queue) -> bool {
        self.queues.contains(queue)
    }

    /// True when somebody reads the stream, so that an event which reaches no queue is lost.
    #[must_use]
    pub fn is_read(&self, stream: &str) -> bool {
        self.queues
            .iter()
            .any(|queue| queue.generation == 0 && queue.stream == stream)
    }

    /// Adds the queue of a replay.
    #[must_use]
    pub fn with_queue(mut self, queue: Queue) -> Self {
        self.queues.insert(queue);
        self
    }
}

/// The exchange of a stream.
#[must_use]
pub fn exchange(stream: &str) -> String {
    format!("{stream}.events")
}

// === impl Queue ===

impl Queue {
    /// The queue of the facts of `stream` as they happen.
    #[must_use]
    pub const fn new(consumer: &'static str, stream: &'static str) -> Self {
        Self {
            consumer: Cow::Borrowed(consumer),
            stream: Cow::Borrowed(stream),
            generation: 0,
        }
    }

    /// The queue of a replay.
    #[must_use]
    pub const fn of_generation(mut self, generation: u32) -> Self {
        self.generation = generation;
        self
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (consumer, stream) = (&self.consumer, &self.stream);
        match self.generation {
            0 => write!(f, "{consumer}.{stream}.v1"),
            generation => write!(f, "{consumer}.{stream}.g{generation}.v1"),
        }
    }
}

impl FromStr for Queue {
    type Err = ParseQueueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('.').collect();
        let (consumer, stream, generation) = match parts.as_slice() {
            [consumer, stream, "v1"] => (consumer, stream, 0),
            [consumer, stream, generation, "v1"] => {
                let generation = generation.strip_prefix('g').ok_or(ParseQueueError)?;
                let generation = generation.parse().map_err(|_| ParseQueueError)?;
                (consumer, stream, generation)
            }
            _ => return Err(ParseQueueError),
        };
        if !is_name(consumer) || !is_name(stream) {
            return Err(ParseQueueError);
        }
        Ok(Self {
            consumer: Cow::Owned((*consumer).to_owned()),
            stream: Cow::Owned((*stream).to_owned()),
            generation,
        })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_read_back_from_its_name() {
        let queue = Queue::new("settlement", "transaction");
        for (queue, name) in [
            (queue.clone(), "settlement.transaction.v1"),
            (queue.of_generation(2), "settlement.transaction.g2.v1"),
        ] {
            assert_eq!(queue.to_string(), name);
            assert_eq!(name.parse::<Queue>().unwrap(), queue);
        }
        for wrong in [
            "",
            "a.v1",
            "a.b.v2",
            "a.b.2.v1",
            "A.b.v1",
            "a..v1",
            "a.b.c.d.v1",
        ] {
            assert_eq!(wrong.parse::<Queue>(), Err(ParseQueueError), "{wrong}");
        }
    }

    #[test]
    fn a_description_that_contradicts_itself_is_refused() {
        let unknown = Topology::try_new(&["account"], &[("risk", "payment")]);
        assert!(matches!(unknown, Err(TopologyError::UnknownStream { .. })));
        let name = Topology::try_new(&["account.events"], &[]);
        assert!(matches!(name, Err(TopologyError::Name { .. })));
        let topology =
            Topology::try_new(&["account", "risk"], &[("reporting", "account")]).unwrap();
        assert!(topology.is_read("account") && !topology.is_read("risk"));
    }
}
