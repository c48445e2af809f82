//! Logs and queues in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, RwLock},
};

use futures::future::BoxFuture;
use tokio::sync::{Notify, broadcast};

use super::{locked, queue::QueueState, read};
use crate::{
    broker::{TailSource, Tailed},
    event::Event,
};

/// Logs and queues, by name.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) logs: RwLock<HashMap<String, Arc<Log>>>,
    pub(super) queues: RwLock<HashMap<String, Arc<QueueState>>>,
    /// Told when a cursor has moved.
    pub(super) moved: Notify,
}

/// A stream, or the private log of a replay.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) id: i64,
    pub(super) queues: RwLock<Vec<Arc<QueueState>>>,
    /// Everything up to here is deleted.
    pub(super) pruned: Mutex<i64>,
    pub(super) tail: broadcast::Sender<Arc<Event>>,
}

// === impl Registry ===

impl Registry {
    pub(super) fn log(&self, name: &str) -> Option<Arc<Log>> {
        read(&self.logs).get(name).cloned()
    }

    pub(super) fn queue(&self, name: &str) -> Option<Arc<QueueState>> {
        read(&self.queues).get(name).cloned()
    }

    /// Queues whose cursor is further than the file says.
    pub(super) fn moved_cursors(&self) -> Vec<(Arc<QueueState>, i64)> {
        let queues = read(&self.queues);
        let moved = queues.values().filter_map(|queue| {
            let cursor = queue.unsaved_cursor()?;
            Some((Arc::clone(queue), cursor))
        });
        moved.collect()
    }

    /// Per log, up to where it may be deleted, when that has moved.
    pub(super) fn prunable(&self) -> Vec<(Arc<Log>, i64)> {
        let logs = read(&self.logs);
        let prunable = logs.values().filter_map(|log| {
            let passed = read(&log.queues).iter().map(|queue| queue.cursor()).min()?;
            let pruned = *locked(&log.pruned);
            (passed > pruned).then(|| (Arc::clone(log), passed))
        });
        prunable.collect()
    }
}

// === impl Log ===

impl Log {
    pub(super) fn append(&self, entries: &[(i64, Arc<Event>)]) {
        for queue in read(&self.queues).iter() {
            queue.append(entries);
        }
        for (_, event) in entries {
            // Nobody may be watching.
            self.tail.send(Arc::clone(event)).ok();
        }
    }

    pub(super) fn send_to_tails(&self, events: &[Arc<Event>]) {
        for event in events {
            self.tail.send(Arc::clone(event)).ok();
        }
    }
}

pub(super) struct LogTail(pub(super) broadcast::Receiver<Arc<Event>>);

impl TailSource for LogTail {
    fn next(&mut self) -> BoxFuture<'_, Option<Tailed>> {
        Box::pin(async move {
            match self.0.recv().await {
                Ok(event) => Some(Tailed::Event(event)),
                Err(broadcast::error::RecvError::Lagged(missed)) => Some(Tailed::Missed(missed)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })
    }
}
