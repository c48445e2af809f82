//! The one writer of a component: change sets queue, and one commit takes what waits.
//!
//! A batch that the database refuses is halved until the set at fault stands alone, so that one stale or duplicate set costs its
//! neighbours a little time and nothing else.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use prometheus::{Histogram, IntCounter};
use tokio::sync::Notify;

use crate::{
    ChangeSet, Database, ErrorKind, Fault, Outcome, Tasks,
    changes::Operation,
    database::{Backend, DatabaseError, bulk},
    error::chain,
    group_commit::{BatchCommit, GroupCommit, GroupCommitConfig, SubmitError},
    metrics,
};

/// How often a deadlock or a busy file is tried again.
const RETRIES: u32 = 5;
/// Wait before such a retry, times its number.
const RETRY_WAIT: Duration = Duration::from_millis(5);

/// Why a change set was not committed, or is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A row that it updates was changed meanwhile: load again and decide again.
    #[error("a row was changed meanwhile")]
    Stale,
    /// A row that it inserts exists; the unique index is named as `<table>_pkey` or `<table>_<columns>_key`.
    #[error("a row with the same value exists ({constraint})")]
    Duplicate {
        /// The index.
        constraint: String,
    },
    /// A check refused a row: the domain let through what it should have refused.
    #[error("a check refused a row ({constraint})")]
    Check {
        /// The check.
        constraint: String,
    },
    /// Too many writes wait.
    #[error("too many writes are waiting; try again shortly")]
    Overloaded,
    /// The caller's deadline passed before the write began.
    #[error("the deadline passed before the write began")]
    DeadlineExceeded,
    /// The database cannot be reached, or the process is stopping. Nothing was written.
    #[error("the database cannot be reached")]
    Unavailable,
    /// The connection broke during the commit: it may or may not have happened.
    #[error("the connection to the database broke during the commit")]
    Unknown,
    /// The statement is wrong. A defect of ours; logged where it was found.
    #[error("the database refused a statement")]
    Internal,
}

impl CommitError {
    /// True when the named unique index refused the set.
    #[must_use]
    pub fn is_duplicate(&self, index: &str) -> bool {
        matches!(self, Self::Duplicate { constraint } if constraint == index)
    }
}

impl Fault for CommitError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Stale | Self::Duplicate { .. } => ErrorKind::Aborted,
            Self::Check { .. } | Self::Internal => ErrorKind::Internal,
            Self::Overloaded => ErrorKind::ResourceExhausted,
            Self::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            Self::Unavailable | Self::Unknown => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Stale | Self::Duplicate { .. } => "CONCURRENT_CHANGE",
            Self::Check { .. } | Self::Internal => "STORAGE_REFUSED",
            Self::Overloaded => "WRITER_OVERLOADED",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Unavailable => "STORAGE_UNAVAILABLE",
            Self::Unknown => "COMMIT_UNKNOWN",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Unknown => Outcome::Unknown,
            Self::Stale
            | Self::Duplicate { .. }
            | Self::Check { .. }
            | Self::Internal
            | Self::Overloaded
            | Self::DeadlineExceeded
            | Self::Unavailable => Outcome::NotProcessed,
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Overloaded => Some(100),
            Self::Unavailable => Some(1_000),
            Self::Stale | Self::Duplicate { .. } => Some(10),
            Self::Check { .. } | Self::Internal | Self::DeadlineExceeded | Self::Unknown => None,
        }
    }
}

/// Commits change sets, many at once. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: GroupCommit<ChangeSet, Result<(), CommitError>>,
    watchers: Watchers,
}

/// Who wants to know of commits into which table.
type Watchers = Arc<RwLock<Vec<(&'static str, Arc<Notify>)>>>;

// === impl Writer ===

impl Writer {
    /// Starts the writer of `component`.
    #[must_use]
    pub fn start(
        component: &'static str,
        config: GroupCommitConfig,
        database: Database,
        tasks: &Tasks,
    ) -> Self {
        let watchers = Watchers::default();
        let committer = Committer {
            database,
            watchers: Arc::clone(&watchers),
            batch_size: metrics::commit_batch_size(component),
            seconds: metrics::commit_seconds(component),
            bisections: metrics::commit_bisections(component),
        };
        Self {
            queue: GroupCommit::start("writer", config, tasks, committer),
            watchers,
        }
    }

    /// Notified after each commit that inserted or changed rows of `table`, so that a task which works on them need not poll.
    #[must_use]
    pub fn watch(&self, table: &'static str) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        self.watchers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push((table, Arc::clone(&notify)));
        notify
    }

    /// Commits `changes`, together with others that wait. An empty set is committed without a word.
    ///
    /// Dropping the future does not take the changes back.
    ///
    /// # Errors
    /// See [`CommitError`]; only [`CommitError::Unknown`] may have written something.
    pub async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        if changes.is_empty() {
            return Ok(());
        }
        match self.queue.submit(changes).await {
            Ok(result) => result,
            Err(SubmitError::Overloaded) => Err(CommitError::Overloaded),
            Err(SubmitError::DeadlineExceeded) => Err(CommitError::DeadlineExceeded),
            Err(SubmitError::Stopped) => Err(CommitError::Unavailable),
            Err(SubmitError::Lost) => Err(CommitError::Unknown),
        }
    }

    /// Change sets that wait now.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queue.depth()
    }
}

struct Committer {
    database: Database,
    watchers: Watchers,
    batch_size: Histogram,
    seconds: Histogram,
    bisections: IntCounter,
}

impl BatchCommit<ChangeSet, Result<(), CommitError>> for Committer {
    async fn commit(&mut self, batch: Vec<ChangeSet>) -> Vec<Result<(), CommitError>> {
        let timer = self.seconds.start_timer();
        self.batch_size
            .observe(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        let mut results = vec![Ok(()); batch.len()];
        let mut waiting: Vec<usize> = (0..batch.len()).collect();
        while !waiting.is_empty() {
            let (now, later) = without_common_rows(&batch, waiting);
            self.commit_sets(&batch, now, &mut results).await;
            waiting = later;
        }
        self.notify(&batch, &results);
        timer.observe_duration();
        results
    }
}

impl Committer {
    fn notify(&self, batch: &[ChangeSet], results: &[Result<(), CommitError>]) {
        let watchers = self.watchers.read().unwrap_or_else(PoisonError::into_inner);
        for (table, notify) in watchers.iter() {
            let written = batch.iter().zip(results).any(|(set, result)| {
                // A commit of unknown outcome may have written: a needless look costs less than a missed one.
                matches!(result, Ok(()) | Err(CommitError::Unknown))
                    && set.changes.iter().any(|change| {
                        change.table.name == *table && change.operation != Operation::Delete
                    })
            });
            if written {
                notify.notify_one();
            }
        }
    }

    /// Commits the sets at `places`, halving what is refused.
    async fn commit_sets(
        &self,
        batch: &[ChangeSet],
        places: Vec<usize>,
        results: &mut [Result<(), CommitError>],
    ) {
        let mut parts = vec![places];
        while let Some(part) = parts.pop() {
            let sets: Vec<&ChangeSet> = part.iter().map(|&place| &batch[place]).collect();
            let Err(error) = self.commit_once(&sets).await else {
                continue;
            };
            let (verdict, is_about_one_set) = judge(&error);
            if is_about_one_set && part.len() > 1 {
                self.bisections.inc();
                let (left, right) = part.split_at(part.len().div_euclid(2));
                // The left half is tried first: arrival order decides who wins.
                parts.push(right.to_vec());
                parts.push(left.to_vec());
                continue;
            }
            if !matches!(verdict, CommitError::Stale | CommitError::Duplicate { .. }) {
                tracing::error!(error = chain(&error), sets = part.len(), "a commit failed");
            }
            for place in part {
                results[place] = Err(verdict.clone());
            }
        }
    }

    async fn commit_once(&self, sets: &[&ChangeSet]) -> Result<(), DatabaseError> {
        let mut attempt = 0;
        loop {
            let result = match self.database.backend() {
                Backend::Postgres => bulk::commit_postgres(self.database.writer(), sets)
                    .await
                    .map_err(DatabaseError::from),
                Backend::Sqlite => self.commit_in_tx(sets).await,
            };
            match result {
                Err(DatabaseError::Retry(_)) if attempt < RETRIES => {
                    attempt += 1;
                    tokio::time::sleep(RETRY_WAIT.saturating_mul(attempt)).await;
                }
                other => return other,
            }
        }
    }

    async fn commit_in_tx(&self, sets: &[&ChangeSet]) -> Result<(), DatabaseError> {
        let tx = self.database.begin().await?;
        match bulk::write_in_tx(&tx, sets).await {
            Ok(()) => Ok(tx.commit().await?),
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }
}

/// The answer for the callers, and whether it may be the fault of one set among several.
fn judge(error: &DatabaseError) -> (CommitError, bool) {
    match error {
        DatabaseError::Stale => (CommitError::Stale, true),
        DatabaseError::Duplicate { constraint } => (
            CommitError::Duplicate {
                constraint: constraint.clone(),
            },
            true,
        ),
        DatabaseError::Check { constraint } => (
            CommitError::Check {
                constraint: constraint.clone(),
            },
            true,
        ),
        DatabaseError::Other(_) | DatabaseError::UnknownEngine => (CommitError::Internal, true),
        DatabaseError::Retry(_) => (CommitError::Overloaded, false),
        DatabaseError::Unavailable(_) => (CommitError::Unavailable, false),
        DatabaseError::Lost(_) => (CommitError::Unknown, false),
    }
}

/// Splits `places` so that no two sets of the first part write the same existing row; order is kept.
fn without_common_rows(batch: &[ChangeSet], places: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    let mut taken: HashSet<(&'static str, Vec<u8>)> = HashSet::new();
    let (mut now, mut later) = (Vec::with_capacity(places.len()), Vec::new());
    for place in places {
        let keys: Vec<_> = batch[place]
            .changes
            .iter()
            .filter(|change| change.operation != Operation::Insert)
            .map(|change| (change.table.name, change.table.key_bytes(&change.values)))
            .collect();
        if keys.iter().any(|key| taken.contains(key)) {
            later.push(place);
        } else {
            now.push(place);
        }
        // A set that waits keeps its place in the order before those that come after it.
        taken.extend(keys);
    }
    (now, later)
}
