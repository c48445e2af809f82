//! What is under way.

use crate::{
    broker::Depth,
    bus::{Bus, BusError, locked},
    inbox::{InboxDepth, store::Inbox},
    outbox::read::{self, OutboxDepth},
    topology::Queue,
};

/// What is under way in this process: nothing, when every fact has had its effects.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// By publishing component.
    pub outboxes: Vec<(&'static str, OutboxDepth)>,
    /// By queue.
    pub queues: Vec<(Queue, QueuePending)>,
}

/// What is under way in one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueuePending {
    /// At the broker.
    pub broker: Depth,
    /// In the consumer's inbox.
    pub inbox: InboxDepth,
}

// === impl Bus ===

impl Bus {
    /// What is under way in the components of this process.
    ///
    /// # Errors
    /// When a database or the broker does not answer.
    pub async fn pending(&self) -> Result<Pending, BusError> {
        let mut pending = Pending::default();
        let publishers = locked(&self.inner.publishers).clone();
        for publisher in publishers {
            let depth = read::depth(&publisher.database).await?;
            pending.outboxes.push((publisher.component, depth));
        }
        let consumers = locked(&self.inner.consumers).clone();
        for consumer in consumers {
            let broker = self.inner.broker.depth(&consumer.queue).await?;
            let inbox = Inbox::new(consumer.database, consumer.queue.to_string());
            let inbox = inbox.depth().await?;
            let depth = QueuePending { broker, inbox };
            pending.queues.push((consumer.queue, depth));
        }
        Ok(pending)
    }
}

// === impl Pending ===

impl Pending {
    /// Events whose effects are not all committed, dead ones included.
    #[must_use]
    pub fn total(&self) -> u64 {
        let unsent = self.outboxes.iter().map(|(_, depth)| depth.unsent);
        let queued = self.queues.iter().map(|(_, depth)| {
            let inbox = depth.inbox.gaps + depth.inbox.retries + depth.inbox.dead;
            depth.broker.waiting + depth.broker.dead + inbox
        });
        unsent.chain(queued).sum()
    }
}
