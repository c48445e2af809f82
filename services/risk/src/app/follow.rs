//! Following what other replicas write, so that the windows, rules and lists of each are those of all (R8).
//!
//! Rows are read again for a while after they were first seen, because clocks differ and commits take time; what was taken in already
//! is remembered for as long.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use paymesh_kernel::{Fault as _, Timestamp, error::chain, id::TenantId};
use tokio::sync::Notify;

use super::{App, tenants::label_key};
use crate::{
    domain::{DecisionId, LabelKind},
    error::Error,
    store,
};

/// Rows read at once.
const PAGE: u64 = 5_000;

/// A payment, or a label of it.
pub(super) type Key = (DecisionId, Option<LabelKind>);

/// What was taken in a short time ago.
#[derive(Debug)]
pub(super) struct Recent {
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    keys: HashMap<Key, Timestamp>,
    /// What was recorded before is not asked for again.
    since: Timestamp,
}

impl Default for Recent {
    fn default() -> Self {
        let (keys, since) = (HashMap::new(), Timestamp::EPOCH);
        Self {
            seen: Mutex::new(Seen { keys, since }),
        }
    }
}

// === impl Recent ===

impl Recent {
    /// True when it was not taken in before. What is older than anything that is asked for is not remembered.
    pub(super) fn first_time(&self, key: Key, recorded_at: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded_at < seen.since {
            return true;
        }
        seen.keys.insert(key, recorded_at).is_none()
    }

    /// Forgets what was recorded before `since`.
    fn forget_before(&self, since: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.since = since;
        seen.keys.retain(|_, recorded_at| *recorded_at >= since);
    }
}

// === impl App ===

impl App {
    /// Starts following. Labels are waited for, the rest is looked for now and then.
    pub(crate) fn start_follow(&self) {
        let labels = self.parts().writer.watch(store::labels::NAME);
        let (app, stop) = (self.clone(), self.parts().tasks.stopping().clone());
        let overlap = Duration::from_millis(app.settings().follow_overlap_ms);
        let mut since = app.now().minus(overlap);
        app.inner.recent.forget_before(since);
        self.parts().tasks.spawn("risk-follow", async move {
            while !stop.is_cancelled() {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = app.pause(&labels) => {}
                }
                match app.follow(since).await {
                    Ok(reached) => {
                        since = reached.minus(overlap).max(since);
                        app.inner.recent.forget_before(since);
                    }
                    Err(error) => {
                        tracing::warn!(
                            reason = error.reason(),
                            error = chain(&error),
                            "others cannot be followed now"
                        );
                    }
                }
            }
        });
    }

    async fn pause(&self, labels: &Notify) {
        let poll = Duration::from_millis(self.settings().follow_ms);
        // A timeout is as good as a commit: both mean to look again.
        tokio::time::timeout(poll, labels.notified()).await.ok();
    }

    /// Takes in what was recorded since; gives the moment up to which nothing is missing.
    async fn follow(&self, since: Timestamp) -> Result<Timestamp, Error> {
        let reached = self.now();
        self.follow_payments(since).await?;
        self.follow_labels(since).await?;
        for tenant in store::rules::changed_since(self.database(), since).await? {
            if let Some(tenant) = self.inner.tenants.get(tenant) {
                self.read_rules(&tenant).await?;
            }
        }
        self.follow_lists(since).await?;
        Ok(reached)
    }

    async fn follow_payments(&self, since: Timestamp) -> Result<(), Error> {
        let mut done = 0;
        loop {
            let span = (since, done, PAGE);
            let page =
                store::payments::of_others_since(self.database(), self.inner.node, span).await?;
            for past in &page {
                let key = (past.id, None);
                if self.is_loaded(past.tenant).await
                    && self.inner.recent.first_time(key, past.recorded_at)
                {
                    self.inner.windows.count(past.tenant, &past.payment);
                    self.learn_of(past);
                }
            }
            if is_last(page.len(), &mut done) {
                return Ok(());
            }
        }
    }

    async fn follow_labels(&self, since: Timestamp) -> Result<(), Error> {
        let mut done = 0;
        loop {
            let page = store::labels::recorded_since(self.database(), (since, done, PAGE)).await?;
            for (label, recorded_at) in &page {
                let key = label_key(label);
                if self.is_loaded(label.tenant).await
                    && self.inner.recent.first_time(key, *recorded_at)
                {
                    self.inner.windows.learn(label);
                }
            }
            if is_last(page.len(), &mut done) {
                return Ok(());
            }
        }
    }

    async fn follow_lists(&self, since: Timestamp) -> Result<(), Error> {
        let mut done = 0;
        loop {
            let page = store::lists::changed_since(self.database(), (since, done, PAGE)).await?;
            for stored in &page {
                if let Some(tenant) = self.inner.tenants.get(stored.entry.tenant) {
                    tenant.change_lists(|lists| match stored.deleted_at {
                        Some(_) => lists.take_out(stored.entry.id, stored.entry.version),
                        None => lists.put(&stored.entry),
                    });
                }
            }
            if is_last(page.len(), &mut done) {
                return Ok(());
            }
        }
    }

    /// True when the tenant is in memory; one that is being loaded is waited for, and one that nobody asked for yet reads all of it
    /// when somebody does.
    async fn is_loaded(&self, id: TenantId) -> bool {
        self.inner.tenants.get(id).is_some() && self.tenant(id).await.is_ok()
    }
}

/// True when a page was not full; counts what it had.
fn is_last(count: usize, done: &mut u64) -> bool {
    let count = u64::try_from(count).unwrap_or(0);
    *done += count;
    count < PAGE
}
