//! Group commit: many requests, one commit.
//!
//! Requests queue; a single loop takes whatever waits when the last commit returned and hands it, in arrival order, to a
//! [`BatchCommit`], whose answers go back one by one. A lone request is committed at once; under load the batch grows by itself.
//! A linger makes the loop wait a little for more, which trades latency for CPU.

use std::{fmt, future::Future, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{Tasks, call};

/// Limits of one queue.
#[derive(Clone, Copy, Debug)]
pub struct GroupCommitConfig {
    /// Requests that may wait; one more is refused at once.
    pub queue: usize,
    /// Requests in one commit at most.
    pub batch: usize,
    /// How long to wait for more before a commit; zero is not at all.
    pub linger: Duration,
}

impl Default for GroupCommitConfig {
    fn default() -> Self {
        Self {
            queue: 4_096,
            batch: 256,
            linger: Duration::ZERO,
        }
    }
}

/// Commits a batch. Answers are in the order of the requests, one each.
pub trait BatchCommit<Q, R>: Send + 'static {
    /// Commits `batch` and answers each request.
    fn commit(&mut self, batch: Vec<Q>) -> impl Future<Output = Vec<R>> + Send;
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full. Nothing happened.
    #[error("the queue of writes is full")]
    Overloaded,
    /// The caller's deadline passed while the request waited. Nothing happened.
    #[error("the deadline passed before the write began")]
    DeadlineExceeded,
    /// The writer has stopped before it took the request. Nothing happened.
    #[error("the writer has stopped")]
    Stopped,
    /// The writer ended while the request was in its hands.
    #[error("the writer ended while it worked on the request")]
    Lost,
}

struct Pending<Q, R> {
    request: Q,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<R, SubmitError>>,
}

/// The front of a queue. Clones share it.
pub struct GroupCommit<Q, R> {
    sender: mpsc::Sender<Pending<Q, R>>,
}

// === impl GroupCommit ===

impl<Q: Send + 'static, R: Send + 'static> GroupCommit<Q, R> {
    /// Starts the loop under `tasks`.
    pub fn start(
        name: &'static str,
        config: GroupCommitConfig,
        tasks: &Tasks,
        committer: impl BatchCommit<Q, R>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(config.queue.max(1));
        let stop = tasks.stopping().clone();
        tasks.spawn(name, serve(config, receiver, stop, committer));
        Self { sender }
    }

    /// Queues `request` and waits for its answer. The deadline is that of the current [`call`].
    ///
    /// Dropping the future does not take back a request that was queued.
    ///
    /// # Errors
    /// See [`SubmitError`]; all but [`SubmitError::Lost`] mean that nothing happened.
    pub async fn submit(&self, request: Q) -> Result<R, SubmitError> {
        let (answer, answered) = oneshot::channel();
        let pending = Pending {
            request,
            deadline: call::deadline(),
            answer,
        };
        self.sender.try_send(pending).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
        })?;
        answered.await.unwrap_or(Err(SubmitError::Lost))
    }

    /// Requests that wait now.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

impl<Q, R> Clone for GroupCommit<Q, R> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
        }
    }
}

impl<Q, R> fmt::Debug for GroupCommit<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

async fn serve<Q, R>(
    config: GroupCommitConfig,
    mut receiver: mpsc::Receiver<Pending<Q, R>>,
    stop: CancellationToken,
    mut committer: impl BatchCommit<Q, R>,
) {
    let limit = config.batch.max(1);
    let mut waiting = Vec::with_capacity(limit);
    loop {
        let taken = tokio::select! {
            taken = receiver.recv_many(&mut waiting, limit) => taken,
            () = stop.cancelled(), if !receiver.is_closed() => {
                // What is queued already is still committed.
                receiver.close();
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        if !config.linger.is_zero() && waiting.len() < limit {
            tokio::time::sleep(config.linger).await;
            while waiting.len() < limit {
                match receiver.try_recv() {
                    Ok(pending) => waiting.push(pending),
                    Err(_) => break,
                }
            }
        }
        commit(&mut waiting, &mut committer).await;
    }
}

async fn commit<Q, R>(waiting: &mut Vec<Pending<Q, R>>, committer: &mut impl BatchCommit<Q, R>) {
    let now = Instant::now();
    let mut batch = Vec::with_capacity(waiting.len());
    let mut answers = Vec::with_capacity(waiting.len());
    for pending in waiting.drain(..) {
        if pending.deadline.is_some_and(|deadline| deadline <= now) {
            pending.answer.send(Err(SubmitError::DeadlineExceeded)).ok();
        } else {
            batch.push(pending.request);
            answers.push(pending.answer);
        }
    }
    if batch.is_empty() {
        return;
    }
    let results = committer.commit(batch).await;
    assert_eq!(
        results.len(),
        answers.len(),
        "a batch is answered request by request"
    );
    for (answer, result) in answers.into_iter().zip(results) {
        // A caller that has gone away does not want its answer.
        answer.send(Ok(result)).ok();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers, one batch per permit, and remembers the sizes of batches.
    struct Doubler {
        permits: Arc<Semaphore>,
        sizes: Arc<Mutex<Vec<usize>>>,
    }

    impl BatchCommit<u64, u64> for Doubler {
        async fn commit(&mut self, batch: Vec<u64>) -> Vec<u64> {
            self.permits.acquire().await.unwrap().forget();
            self.sizes.lock().unwrap().push(batch.len());
            batch.into_iter().map(|n| n * 2).collect()
        }
    }

    type Parts = (
        GroupCommit<u64, u64>,
        Arc<Semaphore>,
        Arc<Mutex<Vec<usize>>>,
        Tasks,
    );

    fn doubler(queue: usize) -> Parts {
        let permits = Arc::new(Semaphore::new(0));
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let tasks = Tasks::new();
        let config = GroupCommitConfig {
            queue,
            ..GroupCommitConfig::default()
        };
        let committer = Doubler {
            permits: Arc::clone(&permits),
            sizes: Arc::clone(&sizes),
        };
        let front = GroupCommit::start("doubler", config, &tasks, committer);
        (front, permits, sizes, tasks)
    }

    #[tokio::test(start_paused = true)]
    async fn what_queues_during_a_commit_shares_the_next_one() {
        let (front, permits, sizes, _tasks) = doubler(100);
        let mut answers = tokio::task::JoinSet::new();
        for n in 0..10 {
            let front = front.clone();
            answers.spawn(async move { front.submit(n).await.unwrap() == n * 2 });
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        permits.add_permits(10);
        assert!(answers.join_all().await.into_iter().all(|ok| ok));
        let sizes = sizes.lock().unwrap().clone();
        assert_eq!(sizes.iter().sum::<usize>(), 10);
        assert!(sizes.len() <= 3, "{sizes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_at_once() {
        let (front, _permits, _sizes, _tasks) = doubler(1);
        let mut waiting = tokio::task::JoinSet::new();
        let mut refused = 0;
        for n in 0..5 {
            let front = front.clone();
            waiting.spawn(async move { front.submit(n).await });
            tokio::task::yield_now().await;
        }
        while let Ok(Some(result)) =
            tokio::time::timeout(Duration::from_secs(1), waiting.join_next()).await
        {
            assert_eq!(result.unwrap(), Err(SubmitError::Overloaded));
            refused += 1;
        }
        assert!(refused >= 2, "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_deadline_passed_in_the_queue_is_not_executed() {
        let (front, permits, sizes, _tasks) = doubler(100);
        let blocker = front.clone();
        let mut set = tokio::task::JoinSet::new();
        set.spawn(async move { blocker.submit(1).await });
        tokio::task::yield_now().await;
        let scope = call::Scope::new("r").within(Duration::from_millis(5));
        let late = front.clone();
        set.spawn(scope.run(async move { late.submit(2).await }));
        tokio::time::sleep(Duration::from_millis(10)).await;
        permits.add_permits(2);
        let mut results = set.join_all().await;
        results.sort_by_key(Result::is_ok);
        assert_eq!(results, [Err(SubmitError::DeadlineExceeded), Ok(2)]);
        assert_eq!(sizes.lock().unwrap().iter().sum::<usize>(), 1);
    }
}
