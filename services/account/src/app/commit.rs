//! The ledger's one writer: takes what waits, folds it in the order of its arrival, and commits it with one write.
//!
//! A batch that the database refuses is halved until the command at fault stands alone. When the connection breaks during a commit, the
//! next tx waits for the head's lock and reads there whether it happened: nobody is told of an unknown outcome unless the database stays
//! away.

use std::{sync::Arc, time::Duration};

use paymesh_bus::Bus;
use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Database, Ids, database::DatabaseError, error::chain,
    group_commit::BatchCommit,
};
use uuid::Uuid;

use super::{
    Parts,
    command::{Answer, Command, Request},
    load::{References, load},
    metrics::Metrics,
};
use crate::{
    config::Settings,
    domain::{Account, Batch, Book},
    events,
    store::{StoreError, ledger::LedgerTx},
};

/// Whose relay is woken.
const COMPONENT: &str = "account";
/// How often a deadlock, a busy file or a broken connection is tried again.
const ATTEMPTS: u32 = 6;
/// Wait before such an attempt, times its number squared.
const WAIT: Duration = Duration::from_millis(10);

/// Commits batches of commands.
#[derive(Debug)]
pub(super) struct Committer {
    database: Database,
    bus: Bus,
    clock: Arc<dyn Clock>,
    ids: Ids,
    references: References,
    batch_transfers: usize,
    metrics: Metrics,
}

/// A batch that was not committed, or is not known to be.
struct Failed {
    error: StoreError,
    /// The commit that was on its way, and what it would have answered.
    on_its_way: Option<(Uuid, Vec<Answer>)>,
}

/// Why commands were not committed, or are not known to be.
struct Refused {
    error: StoreError,
    /// What the callers are told.
    verdict: CommitError,
    /// One command among several may be at fault.
    is_about_one: bool,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            on_its_way: None,
        }
    }
}

impl BatchCommit<Request, Result<Answer, CommitError>> for Committer {
    async fn commit(&mut self, batch: Vec<Request>) -> Vec<Result<Answer, CommitError>> {
        let mut results = Vec::with_capacity(batch.len());
        let mut rest = batch.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest));
            rest = later;
            self.commit_part(now, &mut results).await;
        }
        // Facts are committed here and not by the component's writer, which would wake the relay by itself.
        self.bus.wake_relay(COMPONENT);
        results
    }
}

impl Committer {
    pub(super) fn new(settings: &Settings, parts: &Parts) -> Self {
        Self {
            database: parts.database.clone(),
            bus: parts.bus.clone(),
            clock: Arc::clone(&parts.clock),
            ids: parts.ids.clone(),
            references: References::new(settings.remembered_references),
            batch_transfers: settings.batch_transfers,
            metrics: Metrics::new(),
        }
    }

    /// How many of the requests fit into one commit; at least one.
    fn fitting(&self, requests: &[Request]) -> usize {
        let mut weight = 0_usize;
        let fits = |request: &&Request| {
            weight = weight.saturating_add(request.command.weight());
            weight <= self.batch_transfers
        };
        requests.iter().take_while(fits).count().max(1)
    }

    /// Commits requests, halving what is refused. Results are in their order.
    async fn commit_part(
        &mut self,
        requests: &[Request],
        results: &mut Vec<Result<Answer, CommitError>>,
    ) {
        let mut parts = vec![requests];
        while let Some(part) = parts.pop() {
            let refused = match self.commit_persistently(part).await {
                Ok(answers) => {
                    results.extend(answers.into_iter().map(Ok));
                    continue;
                }
                Err(refused) => refused,
            };
            if refused.is_about_one && part.len() > 1 {
                self.metrics.bisections.inc();
                let (left, right) = part.split_at(part.len().div_euclid(2));
                parts.push(right);
                parts.push(left);
                continue;
            }
            tracing::error!(
                error = chain(&refused.error),
                commands = part.len(),
                "the ledger could not commit"
            );
            results.extend(part.iter().map(|_| Err(refused.verdict.clone())));
        }
    }

    /// Commits requests; tries again what may work then, and finds out what became of a commit that broke off.
    async fn commit_persistently(&mut self, requests: &[Request]) -> Result<Vec<Answer>, Refused> {
        let mut attempt = 1;
        // Once a commit broke off and others have committed since, only the same again can tell.
        let mut in_doubt = false;
        loop {
            let failed = match self.commit_once(requests).await {
                Ok(answers) => return Ok(answers),
                Err(failed) => failed,
            };
            in_doubt |= failed.on_its_way.is_some();
            let may_work = matches!(
                failed.error,
                StoreError::Database(
                    DatabaseError::Retry(_) | DatabaseError::Stale | DatabaseError::Lost(_)
                )
            );
            if !may_work || attempt >= ATTEMPTS {
                return Err(Refused::new(failed.error, in_doubt));
            }
            self.wait(&mut attempt).await;
            if let Some((commit_id, answers)) = failed.on_its_way {
                self.metrics.unknown_commits.inc();
                match self.newest_commit(&mut attempt).await {
                    Some(newest) if newest == commit_id => return Ok(answers),
                    Some(_) => {}
                    None => return Err(Refused::new(failed.error, in_doubt)),
                }
            }
        }
    }

    async fn wait(&self, attempt: &mut u32) {
        tokio::time::sleep(WAIT.saturating_mul(attempt.saturating_mul(*attempt))).await;
        *attempt = attempt.saturating_add(1);
    }

    /// The id of the newest commit, read under the head's lock; None when the database stays away.
    async fn newest_commit(&self, attempt: &mut u32) -> Option<Uuid> {
        loop {
            let error = match LedgerTx::begin(&self.database).await {
                Ok((tx, _, newest)) => {
                    tx.roll_back().await.ok();
                    return Some(newest);
                }
                Err(error) => error,
            };
            tracing::warn!(
                error = chain(&error),
                "a commit's outcome is being looked up"
            );
            if *attempt >= ATTEMPTS {
                return None;
            }
            self.wait(attempt).await;
        }
    }

    async fn commit_once(&mut self, requests: &[Request]) -> Result<Vec<Answer>, Failed> {
        let timer = self.metrics.seconds.start_timer();
        let (tx, head, _) = LedgerTx::begin(&self.database).await?;
        let source = (head, &*self.clock, &self.ids);
        let mut book = load(&tx, source, &mut self.references, requests).await?;
        let answers = fold(&mut book, requests);
        let batch = book.seal();
        if batch.is_empty() {
            tx.roll_back().await?;
            return Ok(answers);
        }
        let mut changes = ChangeSet::new();
        events::publish_batch(&mut changes, &self.ids, &batch, requests);
        let commit_id = self.ids.next();
        if let Err(error) = tx.commit(changes, &batch, commit_id).await {
            let is_unknown = matches!(error, DatabaseError::Lost(_));
            return Err(Failed {
                error: error.into(),
                on_its_way: is_unknown.then_some((commit_id, answers)),
            });
        }
        timer.observe_duration();
        self.committed(&batch);
        Ok(answers)
    }

    fn committed(&mut self, batch: &Batch) {
        for account in &batch.opened {
            self.references
                .remember(account.key.reference(), account.id);
        }
        let booked = u32::try_from(batch.transfers.len()).unwrap_or(u32::MAX);
        self.metrics.transfers.inc_by(u64::from(booked));
        if booked > 0 {
            self.metrics.batch_transfers.observe(f64::from(booked));
        }
    }
}

/// Folds the requests in the order of their arrival.
fn fold(book: &mut Book, requests: &[Request]) -> Vec<Answer> {
    let boxed = |(account, changed): (Account, bool)| (Box::new(account), changed);
    requests
        .iter()
        .enumerate()
        .map(|(cause, request)| match &request.command {
            Command::Post { tenant, groups } => {
                Answer::Posted(book.post_groups(*tenant, groups, cause))
            }
            Command::Open(opening) => Answer::Opened(Box::new(book.open(opening, cause))),
            Command::Change {
                tenant,
                account,
                change,
                reason,
            } => {
                let changed = book.change(*tenant, *account, (*change, reason), cause);
                Answer::Changed(changed.map(|result| result.map(boxed)))
            }
            Command::ClosePeriod(wish) => {
                Answer::PeriodClosed(book.close_period(wish).map(Box::new))
            }
            Command::Expire(expiries) => {
                let ended = expiries
                    .iter()
                    .filter(|expiry| book.expire(**expiry, cause));
                Answer::Expired(ended.count())
            }
        })
        .collect()
}

// === impl Refused ===

impl Refused {
    /// What to say of an error. Without doubt, a connection that broke before the commit was sent has changed nothing.
    fn new(error: StoreError, in_doubt: bool) -> Self {
        let (verdict, is_about_one) = match &error {
            StoreError::Corrupt { .. } => (CommitError::Internal, true),
            StoreError::Database(error) => match error {
                DatabaseError::Unavailable(_) | DatabaseError::Lost(_) => {
                    (CommitError::Unavailable, false)
                }
                DatabaseError::Retry(_) | DatabaseError::Stale => (CommitError::Overloaded, false),
                DatabaseError::Duplicate { .. }
                | DatabaseError::Check { .. }
                | DatabaseError::Other(_)
                | DatabaseError::UnknownEngine => (CommitError::Internal, true),
            },
        };
        if in_doubt {
            return Self {
                error,
                verdict: CommitError::Unknown,
                is_about_one: false,
            };
        }
        Self {
            error,
            verdict,
            is_about_one,
        }
    }
}
