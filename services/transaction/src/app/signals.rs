//! Who waits for a transaction in this process is told when its saga has come to rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::domain::TransactionId;

/// Waiting requests by transaction.
#[derive(Debug, Default)]
pub(super) struct Signals {
    waiting: Mutex<HashMap<TransactionId, Arc<Notify>>>,
}

/// One who waits. Dropping it gives the place up.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    signals: &'a Signals,
    id: TransactionId,
    notify: Arc<Notify>,
}

// === impl Signals ===

impl Signals {
    /// Begins to wait.
    pub(super) fn wait_for(&self, id: TransactionId) -> Waiter<'_> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let notify = Arc::clone(waiting.entry(id).or_default());
        Waiter {
            signals: self,
            id,
            notify,
        }
    }

    /// Tells all who wait.
    pub(super) fn tell(&self, id: TransactionId) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = waiting.get(&id) {
            notify.notify_waiters();
        }
    }
}

// === impl Waiter ===

impl Waiter<'_> {
    /// The signal. Take it before looking at the state, so that nothing is missed.
    pub(super) fn notify(&self) -> Arc<Notify> {
        Arc::clone(&self.notify)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self
            .signals
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // The map, this waiter, and nobody else.
        if waiting
            .get(&self.id)
            .is_some_and(|notify| Arc::strong_count(notify) <= 2)
        {
            waiting.remove(&self.id);
        }
    }
}
