//! Background tasks under supervision: a task that ends before it is told to ends the process.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The tasks of one process (or of one test). Clones share them.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    failed: Arc<watch::Sender<Option<&'static str>>>,
}

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            failed: Arc::new(watch::Sender::new(None)),
        }
    }

    /// Runs `task` until it ends or the process stops. It must watch [`Tasks::stopping`] and end soon after.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the supervised way to spawn"
    )]
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let failed = Arc::clone(&self.failed);
        self.tracker.spawn(async move {
            let guard = DiedGuard { name, stop, failed };
            task.await;
            drop(guard);
        });
    }

    /// Runs a piece of work that ends by itself and whose end is no failure, such as serving one connection.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the supervised way to spawn"
    )]
    pub fn spawn_once(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// The token that is cancelled when the process stops.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// Waits until a task has died; gives its name.
    pub async fn died(&self) -> &'static str {
        let mut failed = self.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(name) => name.unwrap_or("unnamed"),
            // The sender lives as long as self.
            Err(_) => std::future::pending().await,
        }
    }

    /// Tells every task to stop and waits at most `grace`. True when all ended in time.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_ok()
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

/// Reports the task when it is dropped before the stop, be it by return or by panic.
struct DiedGuard {
    name: &'static str,
    stop: CancellationToken,
    failed: Arc<watch::Sender<Option<&'static str>>>,
}

impl Drop for DiedGuard {
    fn drop(&mut self) {
        if self.stop.is_cancelled() {
            return;
        }
        tracing::error!(
            task = self.name,
            "a background task died; the process will end"
        );
        let failed = AssertUnwindSafe(&self.failed);
        failed.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(self.name);
            is_first
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_returns_early_is_named() {
        let tasks = Tasks::new();
        tasks.spawn("relay", async {});
        assert_eq!(tasks.died().await, "relay");
    }

    #[tokio::test]
    async fn a_task_that_panics_is_named() {
        let tasks = Tasks::new();
        tasks.spawn("relay", async { assert_eq!(1, 2, "on purpose") });
        assert_eq!(tasks.died().await, "relay");
    }

    #[tokio::test]
    async fn tasks_that_end_after_the_stop_are_no_failure() {
        let tasks = Tasks::new();
        let stop = tasks.stopping().clone();
        tasks.spawn("relay", async move { stop.cancelled().await });
        assert!(tasks.stop(Duration::from_secs(5)).await);
        assert!(tasks.failed.borrow().is_none());
    }
}
