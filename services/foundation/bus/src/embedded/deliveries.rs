//! One consumer of a queue of the embedded broker.

use std::{collections::HashSet, sync::Arc};

use futures::future::BoxFuture;

use super::{
    Shared,
    commit::{Letter, Write},
    queue::{DELIVERY_LIMIT, QueueState, Source, Taken},
};
use crate::broker::{BrokerError, Deliveries, Delivery, Settled, Verdict};

/// Deliveries of a queue. Dropping it puts back what is not settled.
pub(super) struct QueueDeliveries {
    shared: Arc<Shared>,
    queue: Arc<QueueState>,
    prefetch: usize,
    unsettled: HashSet<u64>,
}

// === impl QueueDeliveries ===

impl QueueDeliveries {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<QueueState>, prefetch: usize) -> Self {
        Self {
            shared,
            queue,
            prefetch: prefetch.max(1),
            unsettled: HashSet::new(),
        }
    }

    async fn take(&mut self, limit: usize) -> Result<Vec<Delivery>, BrokerError> {
        loop {
            let room = self.prefetch.saturating_sub(self.unsettled.len());
            if room == 0 {
                // Only a settlement makes room, and it cannot come while this is waited for.
                return Err(self.stopped().await);
            }
            let (deliveries, exhausted) = self.queue.take(limit.clamp(1, room));
            if !exhausted.is_empty() {
                self.bury_exhausted(exhausted).await?;
            }
            if !deliveries.is_empty() {
                self.unsettled
                    .extend(deliveries.iter().map(|delivery| delivery.tag));
                return Ok(deliveries);
            }
            if room > 0
                && let Some(after) = self.queue.page_after()
            {
                let page = self.shared.store.page(self.queue.log, after).await?;
                self.queue.append_page(after, page);
                continue;
            }
            tokio::select! {
                () = self.queue.arrived.notified() => {}
                error = self.stopped() => return Err(error),
            }
        }
    }

    async fn stopped(&self) -> BrokerError {
        self.shared.stop.cancelled().await;
        BrokerError::unavailable(std::io::Error::other("the broker has stopped"))
    }

    async fn bury_exhausted(&self, exhausted: Vec<Taken>) -> Result<(), BrokerError> {
        let reason = format!("came back {DELIVERY_LIMIT} times");
        let sources: Vec<Source> = exhausted.iter().map(|taken| taken.source).collect();
        let letters = exhausted.into_iter();
        let letters = letters.filter_map(|taken| self.letter(taken, reason.clone()));
        self.bury(letters.collect()).await?;
        self.queue.give_up(sources);
        Ok(())
    }

    async fn bury(&self, letters: Vec<Letter>) -> Result<(), BrokerError> {
        if letters.is_empty() {
            return Ok(());
        }
        let queue = self.queue.id;
        self.shared.write(Write::Bury { queue, letters }).await
    }

    /// The dead letter of a delivery. What is no event cannot be replayed and is only said in the log.
    fn letter(&self, taken: Taken, reason: String) -> Option<Letter> {
        match taken.content {
            Ok(event) => Some(Letter { event, reason }),
            Err(error) => {
                tracing::error!(queue = self.queue.name, %error, reason, "an unreadable event was dropped");
                None
            }
        }
    }

    async fn settle_all(&mut self, settled: Vec<Settled>) -> Result<(), BrokerError> {
        let (mut done, mut again) = (Vec::new(), Vec::new());
        let (mut letters, mut replayed) = (Vec::new(), Vec::new());
        for Settled { tag, verdict } in settled {
            let Some(taken) = self
                .queue
                .in_flight(tag)
                .filter(|_| self.unsettled.contains(&tag))
            else {
                continue;
            };
            match verdict {
                Verdict::Again => {
                    again.push(tag);
                    continue;
                }
                Verdict::Done => {
                    if let Source::Letter(id) = taken.source {
                        replayed.push(id);
                    }
                }
                Verdict::Dead { reason } => letters.extend(self.letter(taken, reason)),
            }
            done.push(tag);
        }
        let is_any_dead = !letters.is_empty();
        self.bury(letters).await?;
        if !replayed.is_empty() {
            let (queue, events) = (self.queue.id, replayed);
            self.shared.write(Write::Forget { queue, events }).await?;
        }
        for tag in done.iter().chain(&again) {
            self.unsettled.remove(tag);
        }
        self.queue.finish(done);
        self.queue.put_back(again);
        if is_any_dead {
            // So that a restart does not bring a dead letter back beside itself.
            return self.shared.write(Write::Flush).await;
        }
        self.shared.registry.moved.notify_one();
        Ok(())
    }
}

impl Deliveries for QueueDeliveries {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Vec<Delivery>, BrokerError>> {
        Box::pin(self.take(limit))
    }

    fn settle(&mut self, settled: Vec<Settled>) -> BoxFuture<'_, Result<(), BrokerError>> {
        Box::pin(self.settle_all(settled))
    }
}

impl Drop for QueueDeliveries {
    fn drop(&mut self) {
        self.queue.put_back(self.unsettled.drain());
    }
}
