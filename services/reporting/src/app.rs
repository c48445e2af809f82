//! Use cases: load, decide, commit. The only place that begins writes; it knows no transport and no table.

pub(crate) mod definitions;
pub(crate) mod download;
mod due;
mod file;
mod format;
mod reports;
pub(crate) mod runs;
pub(crate) mod schedules;
mod upkeep;
mod worker;

use std::{sync::Arc, time::Duration};

use paymesh_kernel::{ChangeSet, Clock, CommitError, Database, Ids, Tasks, Timestamp, Writer};
use tokio::sync::{Semaphore, watch};

use crate::{
    clients::{Ledger, Settlement},
    config::Settings,
};

/// How often a decision is made again after somebody else changed the same row.
const DECISIONS: u32 = 5;

/// Everything a use case needs. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    pub(crate) tasks: Tasks,
    pub(crate) ledger: Ledger,
    pub(crate) settlement: Settlement,
    pub(crate) settings: Settings,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    /// Reports that may be made at once.
    slots: Arc<Semaphore>,
    /// Rises when runs change, for those who wait for an end.
    changed: watch::Sender<u64>,
}

// === impl App ===

impl App {
    /// Over its parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            inner: Arc::new(Inner {
                slots: Arc::new(Semaphore::new(parts.settings.concurrent_runs)),
                changed: watch::Sender::new(0),
                parts,
            }),
        }
    }

    fn settings(&self) -> &Settings {
        &self.inner.parts.settings
    }

    fn database(&self) -> &Database {
        &self.inner.parts.database
    }

    fn ids(&self) -> &Ids {
        &self.inner.parts.ids
    }

    fn ledger(&self) -> &Ledger {
        &self.inner.parts.ledger
    }

    fn settlement(&self) -> &Settlement {
        &self.inner.parts.settlement
    }

    fn now(&self) -> Timestamp {
        self.inner.parts.clock.now()
    }

    fn lease(&self) -> Duration {
        Duration::from_millis(self.settings().lease_ms)
    }

    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        self.inner.parts.writer.commit(changes).await
    }
}
