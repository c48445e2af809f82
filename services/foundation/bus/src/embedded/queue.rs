//! One queue in memory: what is ready, what is with a consumer, and how far the cursor is.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use paymesh_kernel::id::EventId;
use tokio::sync::Notify;

use super::{locked, store::StoredQueue};
use crate::{
    broker::Delivery,
    event::{Event, MalformedEvent},
};

use std::sync::Arc;

/// Events kept ready in memory; what exceeds it stays in the file until there is room.
const READY_LIMIT: usize = 1_024;
/// An event that comes back more often than this goes to the dead letters.
pub(super) const DELIVERY_LIMIT: u32 = 20;

/// What is delivered: an event, or what should have been one.
pub(super) type Content = Result<Arc<Event>, MalformedEvent>;

/// A queue.
#[derive(Debug)]
pub(super) struct QueueState {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) log: i64,
    /// The cursor as it is in the file.
    saved: AtomicI64,
    inner: Mutex<Inner>,
    /// Told when something is ready.
    pub(super) arrived: Notify,
}

#[derive(Debug)]
struct Inner {
    /// Highest position of the log.
    head: i64,
    /// Positions up to here are settled, ready or in flight.
    loaded: i64,
    /// Of the loaded positions those that are not settled.
    open: BTreeSet<i64>,
    ready: VecDeque<Entry>,
    flight: HashMap<u64, Entry>,
    next_tag: u64,
    /// Events not settled, loaded or not.
    waiting: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    source: Source,
    content: Content,
    deliveries: u32,
}

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// This position of the log.
    Log(i64),
    /// A dead letter that is replayed.
    Letter(EventId),
}

/// A delivery taken from the queue for good.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) source: Source,
    pub(super) content: Content,
}

// === impl QueueState ===

impl QueueState {
    pub(super) fn new(name: String, log: i64, stored: &StoredQueue) -> Self {
        Self {
            id: stored.id,
            name,
            log,
            saved: AtomicI64::new(stored.cursor),
            inner: Mutex::new(Inner {
                head: stored.head,
                loaded: stored.cursor,
                open: BTreeSet::new(),
                ready: VecDeque::new(),
                flight: HashMap::new(),
                next_tag: 1,
                waiting: stored.waiting,
            }),
            arrived: Notify::new(),
        }
    }

    /// Events that were appended to the log and are on disk.
    pub(super) fn append(&self, entries: &[(i64, Arc<Event>)]) {
        let Some((last, _)) = entries.last() else {
            return;
        };
        let mut inner = locked(&self.inner);
        inner.waiting += u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let keeps_up = inner.loaded >= inner.head;
        inner.head = *last;
        if keeps_up && inner.ready.len() + entries.len() <= READY_LIMIT {
            for (position, event) in entries {
                inner.load(*position, Ok(Arc::clone(event)));
            }
        }
        drop(inner);
        self.arrived.notify_one();
    }

    /// A page of the log that was read after position `after`.
    pub(super) fn append_page(&self, after: i64, page: Vec<(i64, Content)>) {
        let mut inner = locked(&self.inner);
        // Another reader may have been faster.
        if inner.loaded != after {
            return;
        }
        if page.is_empty() {
            inner.loaded = inner.head;
        }
        for (position, content) in page {
            inner.load(position, content);
        }
    }

    /// A dead letter to be delivered again.
    pub(super) fn push_letter(&self, event: Arc<Event>) {
        let mut inner = locked(&self.inner);
        inner.waiting += 1;
        inner.ready.push_back(Entry {
            source: Source::Letter(event.id),
            content: Ok(event),
            deliveries: 0,
        });
        drop(inner);
        self.arrived.notify_one();
    }

    /// Where to read the log from, when nothing is ready and there is more.
    pub(super) fn page_after(&self) -> Option<i64> {
        let inner = locked(&self.inner);
        (inner.ready.is_empty() && inner.loaded < inner.head).then_some(inner.loaded)
    }

    /// Takes at most `limit` events into flight. Those that came back too often are given apart.
    pub(super) fn take(&self, limit: usize) -> (Vec<Delivery>, Vec<Taken>) {
        let mut inner = locked(&self.inner);
        let (mut deliveries, mut exhausted) = (Vec::new(), Vec::new());
        while deliveries.len() < limit
            && let Some(entry) = inner.ready.pop_front()
        {
            if entry.deliveries >= DELIVERY_LIMIT {
                exhausted.push(Taken {
                    source: entry.source,
                    content: entry.content,
                });
                continue;
            }
            let tag = inner.next_tag;
            inner.next_tag += 1;
            deliveries.push(Delivery {
                tag,
                event: entry.content.clone(),
            });
            inner.flight.insert(tag, entry);
        }
        let is_left = !inner.ready.is_empty();
        drop(inner);
        if is_left {
            self.arrived.notify_one();
        }
        (deliveries, exhausted)
    }

    /// What a delivery in flight is.
    pub(super) fn in_flight(&self, tag: u64) -> Option<Taken> {
        let inner = locked(&self.inner);
        inner.flight.get(&tag).map(|entry| Taken {
            source: entry.source,
            content: entry.content.clone(),
        })
    }

    /// Deliveries that are done with.
    pub(super) fn finish(&self, tags: impl IntoIterator<Item = u64>) {
        let mut inner = locked(&self.inner);
        for tag in tags {
            if let Some(entry) = inner.flight.remove(&tag) {
                inner.close(entry.source);
            }
        }
    }

    /// Events that never came to a consumer again.
    pub(super) fn give_up(&self, sources: impl IntoIterator<Item = Source>) {
        let mut inner = locked(&self.inner);
        sources.into_iter().for_each(|source| inner.close(source));
    }

    /// Deliveries that are to come again, in their old order.
    pub(super) fn put_back(&self, tags: impl IntoIterator<Item = u64>) {
        let mut inner = locked(&self.inner);
        let mut entries: Vec<(u64, Entry)> = tags
            .into_iter()
            .filter_map(|tag| inner.flight.remove(&tag).map(|entry| (tag, entry)))
            .collect();
        entries.sort_unstable_by_key(|(tag, _)| *tag);
        for (_, mut entry) in entries.into_iter().rev() {
            entry.deliveries += 1;
            inner.ready.push_front(entry);
        }
        drop(inner);
        self.arrived.notify_one();
    }

    /// Up to where every position is settled.
    pub(super) fn cursor(&self) -> i64 {
        locked(&self.inner).cursor()
    }

    /// The cursor, when the file does not have it yet.
    pub(super) fn unsaved_cursor(&self) -> Option<i64> {
        let cursor = self.cursor();
        (cursor > self.saved.load(Ordering::Relaxed)).then_some(cursor)
    }

    /// The cursor is in the file.
    pub(super) fn saved(&self, cursor: i64) {
        self.saved.fetch_max(cursor, Ordering::Relaxed);
    }

    /// Events not settled.
    pub(super) fn waiting(&self) -> u64 {
        locked(&self.inner).waiting
    }
}

// === impl Inner ===

impl Inner {
    fn load(&mut self, position: i64, content: Content) {
        self.loaded = position;
        self.open.insert(position);
        self.ready.push_back(Entry {
            source: Source::Log(position),
            content,
            deliveries: 0,
        });
    }

    fn close(&mut self, source: Source) {
        if let Source::Log(position) = source {
            self.open.remove(&position);
        }
        self.waiting = self.waiting.saturating_sub(1);
    }

    fn cursor(&self) -> i64 {
        self.open
            .first()
            .map_or(self.loaded, |position| position - 1)
    }
}
