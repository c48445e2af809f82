//! Steps that this process works on, from before their commit until their answer is kept, so that a repeat of the same command
//! waits for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

type Table = Arc<Mutex<HashMap<String, watch::Receiver<()>>>>;

/// All of them. As many as the desks' limits allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    table: Table,
}

/// One of them; it has landed when this is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    table: Table,
    key: String,
    _landing: watch::Sender<()>,
}

// === impl Flights ===

impl Flights {
    /// Begins one, before its operation is committed, so that whoever finds the operation finds the flight; waits until an
    /// earlier one with the same key has landed.
    pub(super) async fn begin(&self, key: &str) -> Flight {
        loop {
            if let Some(flight) = self.try_begin(key) {
                return flight;
            }
            self.landed(key).await;
        }
    }

    /// Begins one; None when there is one with the same key.
    pub(super) fn try_begin(&self, key: &str) -> Option<Flight> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.contains_key(key) {
            return None;
        }
        let (landing, waiting) = watch::channel(());
        table.insert(key.to_owned(), waiting);
        Some(Flight {
            table: Arc::clone(&self.table),
            key: key.to_owned(),
            _landing: landing,
        })
    }

    /// True while the step has no answer.
    pub(super) fn is_under_way(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Waits until the step has its answer; at once when it is not under way here.
    pub(super) async fn landed(&self, key: &str) {
        if let Some(mut waiting) = self.find(key) {
            // The sender never sends; it is dropped at the landing, and then this ends.
            waiting.changed().await.ok();
        }
    }

    fn find(&self, key: &str) -> Option<watch::Receiver<()>> {
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }
}

// === impl Flight ===

impl Drop for Flight {
    fn drop(&mut self) {
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
