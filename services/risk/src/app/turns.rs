//! One at a time for each decision id: a repeat that comes while the first call is under way waits for it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::domain::DecisionId;

type Taken = Arc<Mutex<HashMap<DecisionId, Arc<Notify>>>>;

/// Who is at work.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    taken: Taken,
}

/// The right to work on one id, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    taken: Taken,
    id: DecisionId,
}

// === impl Turns ===

impl Turns {
    pub(crate) async fn take(&self, id: DecisionId) -> Turn {
        loop {
            let ended = {
                let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
                match taken.entry(id) {
                    Entry::Vacant(free) => {
                        free.insert(Arc::new(Notify::new()));
                        let taken = Arc::clone(&self.taken);
                        return Turn { taken, id };
                    }
                    // Made under the lock, so that the end of the turn cannot be missed.
                    Entry::Occupied(other) => Arc::clone(other.get()).notified_owned(),
                }
            };
            ended.await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = taken.remove(&self.id) {
            notify.notify_waiters();
        }
    }
}
