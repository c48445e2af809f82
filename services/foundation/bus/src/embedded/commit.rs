//! The only writer of the broker's file: many publishers, one commit.

use std::sync::Arc;

use paymesh_kernel::{error::chain, group_commit::BatchCommit, id::EventId};

use super::{
    locked,
    registry::{Log, Registry},
    store::Store,
};
use crate::{broker::BrokerError, event::Event};

/// Something to be written.
#[derive(Debug)]
pub(super) enum Write {
    /// Events at the end of a log.
    Publish {
        log: Arc<Log>,
        events: Vec<Arc<Event>>,
    },
    /// Dead letters of a queue.
    Bury { queue: i64, letters: Vec<Letter> },
    /// Dead letters that were replayed and are done with.
    Forget { queue: i64, events: Vec<EventId> },
    /// Cursors, which every commit takes along.
    Flush,
}

/// A dead letter.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) event: Arc<Event>,
    pub(super) reason: String,
}

/// Writes batches.
pub(super) struct Committer {
    store: Store,
    registry: Arc<Registry>,
    /// The highest position given, over all logs; None when the file has to be asked.
    position: Option<i64>,
}

/// Events with their positions, by log.
type Appended = Vec<(Arc<Log>, Vec<(i64, Arc<Event>)>)>;

// === impl Committer ===

impl Committer {
    pub(super) const fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self {
            position: None,
            store,
            registry,
        }
    }

    async fn try_commit(&mut self, batch: Vec<Write>) -> Result<(), BrokerError> {
        // A commit that failed may have happened all the same: until the next one is done, only the file knows.
        let mut position = match self.position.take() {
            Some(position) => position,
            None => self.store.last_position().await?,
        };
        let mut appended: Appended = Vec::new();
        let (mut buried, mut forgotten) = (Vec::new(), Vec::new());
        for write in batch {
            match write {
                Write::Publish { log, events } => {
                    let entries = events.into_iter().map(|event| {
                        position += 1;
                        (position, event)
                    });
                    appended.push((log, entries.collect()));
                }
                Write::Bury { queue, letters } => buried.push((queue, letters)),
                Write::Forget { queue, events } => forgotten.push((queue, events)),
                Write::Flush => {}
            }
        }
        // In this order, so that nothing beyond a saved cursor is pruned.
        let prunable = self.registry.prunable();
        let cursors = self.registry.moved_cursors();
        let tx = self.store.begin().await?;
        for (log, entries) in &appended {
            Store::append_in_tx(&tx, log.id, entries).await?;
        }
        for (queue, letters) in &buried {
            self.store.bury_in_tx(&tx, *queue, letters).await?;
        }
        for (queue, events) in &forgotten {
            Store::forget_in_tx(&tx, *queue, events).await?;
        }
        for (queue, cursor) in &cursors {
            Store::save_cursor_in_tx(&tx, queue.id, *cursor).await?;
        }
        for (log, passed) in &prunable {
            Store::prune_in_tx(&tx, log.id, *passed).await?;
        }
        tx.commit().await.map_err(BrokerError::unavailable)?;
        self.position = Some(position);
        cursors
            .iter()
            .for_each(|(queue, cursor)| queue.saved(*cursor));
        for (log, passed) in &prunable {
            *locked(&log.pruned) = *passed;
        }
        appended
            .iter()
            .for_each(|(log, entries)| log.append(entries));
        Ok(())
    }
}

impl BatchCommit<Write, Result<(), BrokerError>> for Committer {
    async fn commit(&mut self, batch: Vec<Write>) -> Vec<Result<(), BrokerError>> {
        let count = batch.len();
        let result = self.try_commit(batch).await;
        if let Err(error) = &result {
            tracing::error!(error = chain(error), "the broker's file cannot be written");
        }
        vec![result; count]
    }
}
