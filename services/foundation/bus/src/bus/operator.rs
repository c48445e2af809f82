//! What an operator asks of the bus.

use paymesh_kernel::id::EventId;

use crate::{
    broker::{DeadLetter, Selection},
    bus::{Bus, BusError},
    inbox,
    outbox::operator::{self, BlockedAggregate},
    topology::Queue,
};

// === impl Bus ===

impl Bus {
    /// Dead events of a queue, those in the consumer's inbox first, at most `limit` of each.
    ///
    /// # Errors
    /// When the queue is neither read nor observed by this process, or its database or the broker fails.
    pub async fn dead_letters(
        &self,
        queue: &Queue,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, BusError> {
        let consumer = self.consumer(queue)?;
        let rows = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut letters =
            inbox::operator::dead(&consumer.database, &queue.to_string(), rows).await?;
        letters.extend(self.inner.broker.dead_letters(queue, limit).await?);
        Ok(letters)
    }

    /// Has dead events handled again; says how many.
    ///
    /// # Errors
    /// When the queue is neither read nor observed by this process, or its database or the broker fails.
    pub async fn replay(&self, queue: &Queue, selection: Selection) -> Result<u64, BusError> {
        let consumer = self.consumer(queue)?;
        let now = self.inner.context.clock.now();
        let name = queue.to_string();
        let rows = inbox::operator::replay(&consumer.database, &name, selection, now).await?;
        consumer.wake.notify_one();
        let letters = self.inner.broker.replay(queue, selection).await?;
        Ok(rows.saturating_add(u64::try_from(letters).unwrap_or(u64::MAX)))
    }

    /// Gives dead events up: their aggregates go on without their effect. Says how many.
    ///
    /// A dead letter of the broker leaves a gap in its aggregate, which a replay would have closed.
    ///
    /// # Errors
    /// When the queue is neither read nor observed by this process, or its database or the broker fails.
    pub async fn purge(&self, queue: &Queue, selection: Selection) -> Result<u64, BusError> {
        let consumer = self.consumer(queue)?;
        let now = self.inner.context.clock.now();
        let name = queue.to_string();
        let rows = inbox::operator::purge(&consumer.database, &name, selection, now).await?;
        consumer.wake.notify_one();
        let letters = self.inner.broker.purge(queue, selection).await?;
        Ok(rows.saturating_add(u64::try_from(letters).unwrap_or(u64::MAX)))
    }

    /// Aggregates of a component whose next event the broker refuses, longest first.
    ///
    /// # Errors
    /// When the component is neither run nor observed by this process, or its database fails.
    pub async fn blocked(
        &self,
        component: &str,
        limit: usize,
    ) -> Result<Vec<BlockedAggregate>, BusError> {
        let publisher = self.publisher(component)?;
        let rows = u64::try_from(limit).unwrap_or(u64::MAX);
        Ok(operator::blocked(&publisher.database, rows).await?)
    }

    /// Has a refused event published again now. False when no such event is refused.
    ///
    /// # Errors
    /// When the component is neither run nor observed by this process, or its database fails.
    pub async fn retry_publish(&self, component: &str, event: EventId) -> Result<bool, BusError> {
        let publisher = self.publisher(component)?;
        let found = operator::retry(&publisher.database, event).await?;
        publisher.wake();
        Ok(found)
    }

    /// Takes a refused event out of the stream: consumers pass over its place. False when no such event is refused.
    ///
    /// # Errors
    /// When the component is neither run nor observed by this process, or its database fails.
    pub async fn skip_publish(&self, component: &str, event: EventId) -> Result<bool, BusError> {
        let publisher = self.publisher(component)?;
        let found = operator::skip(&publisher.database, event).await?;
        publisher.wake();
        Ok(found)
    }
}
