//! A broker with moods: it refuses chosen events, is away for a while, or stores events and does not say so.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures::future::BoxFuture;
use paymesh_bus::{
    Event, Queue, Selection, Tail, Topology,
    broker::{Broker, BrokerError, Confirm, DeadLetter, Deliveries, Depth, Target},
    embedded::EmbeddedBroker,
};
use paymesh_kernel::id::EventId;

/// Clones share their moods.
#[derive(Clone, Debug)]
pub(crate) struct PickyBroker {
    inner: EmbeddedBroker,
    pub(crate) refused: Arc<Mutex<HashSet<EventId>>>,
    /// Nothing is published.
    pub(crate) is_away: Arc<AtomicBool>,
    /// This many batches are stored, and the confirms are lost.
    pub(crate) lost_confirms: Arc<AtomicUsize>,
    /// Batches that were handed in.
    pub(crate) batches: Arc<AtomicUsize>,
}

impl PickyBroker {
    pub(crate) fn new(inner: EmbeddedBroker) -> Self {
        Self {
            inner,
            refused: Arc::default(),
            is_away: Arc::default(),
            lost_confirms: Arc::default(),
            batches: Arc::default(),
        }
    }

    async fn try_publish(
        &self,
        target: Target<'_>,
        events: &[Arc<Event>],
    ) -> Result<Vec<Confirm>, BrokerError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(away());
        }
        let mut confirms = Vec::new();
        for event in events {
            let is_refused = self.refused.lock().unwrap().contains(&event.id);
            if is_refused {
                let reason = "not this one".to_owned();
                confirms.push(Confirm::Refused { reason });
            } else {
                let event = std::slice::from_ref(event);
                confirms.extend(self.inner.publish(target, event).await?);
            }
        }
        let lost = self
            .lost_confirms
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if lost.is_ok() {
            Err(away())
        } else {
            Ok(confirms)
        }
    }
}

impl Broker for PickyBroker {
    fn declare<'a>(&'a self, topology: &'a Topology) -> BoxFuture<'a, Result<(), BrokerError>> {
        self.inner.declare(topology)
    }

    fn publish<'a>(
        &'a self,
        target: Target<'a>,
        events: &'a [Arc<Event>],
    ) -> BoxFuture<'a, Result<Vec<Confirm>, BrokerError>> {
        Box::pin(self.try_publish(target, events))
    }

    fn consume<'a>(
        &'a self,
        queue: &'a Queue,
        prefetch: u16,
    ) -> BoxFuture<'a, Result<Box<dyn Deliveries>, BrokerError>> {
        self.inner.consume(queue, prefetch)
    }

    fn tail<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<Tail, BrokerError>> {
        self.inner.tail(stream)
    }

    fn depth<'a>(&'a self, queue: &'a Queue) -> BoxFuture<'a, Result<Depth, BrokerError>> {
        self.inner.depth(queue)
    }

    fn dead_letters<'a>(
        &'a self,
        queue: &'a Queue,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeadLetter>, BrokerError>> {
        self.inner.dead_letters(queue, limit)
    }

    fn replay<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>> {
        self.inner.replay(queue, selection)
    }

    fn purge<'a>(
        &'a self,
        queue: &'a Queue,
        selection: Selection,
    ) -> BoxFuture<'a, Result<usize, BrokerError>> {
        self.inner.purge(queue, selection)
    }

    fn is_connected(&self) -> bool {
        !self.is_away.load(Ordering::SeqCst)
    }
}

fn away() -> BrokerError {
    BrokerError::Unavailable(Arc::new(std::io::Error::other("away")))
}
