//! What other components answer about things that change seldom, for a bounded time and in a bounded number.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use paymesh_kernel::{Clock, Timestamp};

/// Bounds of a cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Entries; a full cache is emptied, which costs some calls.
    pub(crate) entries: usize,
    /// Age at which an entry is read again.
    pub(crate) age: Duration,
}

/// A cache. Clones share the entries.
#[derive(Clone)]
pub(crate) struct Cache<K, V> {
    limits: Limits,
    clock: Arc<dyn Clock>,
    entries: Arc<Mutex<HashMap<K, (V, Timestamp)>>>,
}

// === impl Cache ===

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            entries: Arc::default(),
        }
    }

    /// The entry, unless it is too old.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let now = self.clock.now();
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, at) = entries.get(key)?;
        (now.since(*at) < self.limits.age).then(|| value.clone())
    }

    /// Keeps an entry.
    pub(crate) fn put(&self, key: K, value: V) {
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.limits.entries {
            entries.clear();
        }
        entries.insert(key, (value, now));
    }

    /// Forgets an entry.
    pub(crate) fn remove(&self, key: &K) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use paymesh_testkit::FakeClock;

    use super::*;

    #[test]
    fn an_entry_is_read_again_when_it_is_old_and_a_full_cache_begins_anew() {
        let clock = FakeClock::new();
        let limits = Limits {
            entries: 2,
            age: Duration::from_secs(30),
        };
        let cache: Cache<u8, u8> = Cache::new(limits, Arc::new(clock.clone()));
        cache.put(1, 10);
        assert_eq!(cache.get(&1), Some(10));
        clock.advance(Duration::from_secs(30));
        assert_eq!(cache.get(&1), None);
        cache.put(2, 20);
        cache.put(3, 30);
        assert_eq!((cache.get(&2), cache.get(&3)), (None, Some(30)));
    }
}
