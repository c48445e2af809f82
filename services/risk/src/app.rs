//! Use cases: load, decide, commit. The only place that begins writes; it knows no transport and no table.

pub(crate) mod assess;
pub(crate) mod backtest;
pub(crate) mod decisions;
pub(crate) mod follow;
pub(crate) mod history;
pub(crate) mod labels;
pub(crate) mod lists;
pub(crate) mod rules;
pub(crate) mod tenants;
mod turns;

use std::sync::Arc;

use paymesh_kernel::{ChangeSet, Clock, CommitError, Database, Ids, Tasks, Timestamp, Writer};
use tokio::sync::Semaphore;

use crate::{
    config::Settings,
    domain::{Windows, alert::Quiet},
};

use follow::Recent;
use tenants::Tenants;
use turns::Turns;

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
    pub(crate) settings: Settings,
}

/// Parts with what is kept in memory.
#[derive(Debug)]
struct Inner {
    parts: Parts,
    windows: Windows,
    quiet: Quiet,
    tenants: Tenants,
    turns: Turns,
    recent: Recent,
    backtests: Semaphore,
    /// Names this process in the rows that it writes.
    node: i64,
}

// === impl App ===

impl App {
    /// Over its parts.
    pub(crate) fn new(parts: Parts) -> Self {
        let windows = Windows::new(parts.settings.limits());
        let node = i64::try_from(parts.ids.entropy() >> 1).unwrap_or(i64::MAX);
        Self {
            inner: Arc::new(Inner {
                windows,
                quiet: Quiet::default(),
                tenants: Tenants::default(),
                turns: Turns::default(),
                recent: Recent::default(),
                backtests: Semaphore::new(1),
                node,
                parts,
            }),
        }
    }

    fn parts(&self) -> &Parts {
        &self.inner.parts
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

    fn now(&self) -> Timestamp {
        self.inner.parts.clock.now()
    }

    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        self.inner.parts.writer.commit(changes).await
    }
}
