//! What every payment reads, kept in memory: bounded in number and age.
//!
//! Y5: an entry is replaced by a later version only, so a read that began before a commit cannot bring the old state back.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use paymesh_kernel::Timestamp;

/// Objects by id.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
    limit: usize,
    age: Duration,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    version: i64,
    read_at: Timestamp,
}

// === impl Cache ===

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    /// At most `limit` entries, none older than `age`.
    pub(crate) fn new(limit: usize, age: Duration) -> Self {
        Self {
            entries: Mutex::default(),
            limit,
            age,
        }
    }

    /// The object, when it was read not long ago.
    pub(crate) fn get(&self, key: K, now: Timestamp) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&key)?;
        (now.since(entry.read_at) < self.age).then(|| entry.value.clone())
    }

    /// An object as it was read or committed at `now`. A full cache is emptied, which costs some reads.
    pub(crate) fn put(&self, key: K, value: V, (version, now): (i64, Timestamp)) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries
            .get(&key)
            .is_some_and(|known| known.version > version)
        {
            return;
        }
        if entries.len() >= self.limit && !entries.contains_key(&key) {
            entries.clear();
        }
        let entry = Entry {
            value,
            version,
            read_at: now,
        };
        entries.insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_millis(millis))
    }

    #[test]
    fn y5_an_old_version_replaces_nothing_and_age_ends_everything() {
        let cache = Cache::new(10, Duration::from_millis(100));
        cache.put(1, "new", (2, at(0)));
        cache.put(1, "old", (1, at(1)));
        assert_eq!(cache.get(1, at(99)), Some("new"));
        assert_eq!(cache.get(1, at(100)), None);
    }

    #[test]
    fn it_never_holds_more_than_its_limit() {
        let cache = Cache::new(3, Duration::from_secs(1));
        for key in 0..100 {
            cache.put(key, key, (1, at(0)));
            assert!(
                cache
                    .entries
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .len()
                    <= 3
            );
            assert_eq!(cache.get(key, at(0)), Some(key));
        }
    }
}
