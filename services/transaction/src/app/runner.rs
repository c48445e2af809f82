//! The runner: takes up sagas that are due, a bounded number at once. One that cannot be read, or whose steps break, is put off
//! with a line in the log and stands in nobody's way (T14).

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use paymesh_chassis::idempotency;
use paymesh_kernel::ChangeSet;
use tokio::sync::Semaphore;

use super::App;
use crate::{
    domain::OperationId,
    store::{self, BadRow},
};

/// Due sagas read at once.
const BATCH: u64 = 128;
/// How long a row that cannot be read is put off.
const BAD_ROW_WAIT: Duration = Duration::from_secs(300);
/// How often old idempotency keys are taken away.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);

// === impl App ===

impl App {
    /// Starts the runner and the purge of keys.
    pub(crate) fn start(&self) {
        let runner = self.clone();
        self.inner
            .tasks
            .spawn("transaction-runner", async move { runner.run().await });
        let purger = self.clone();
        self.inner
            .tasks
            .spawn("transaction-keys", async move { purger.purge().await });
    }

    async fn run(self) {
        let stopping = self.inner.tasks.stopping().clone();
        self.take_over_from_myself().await;
        let permits = Arc::new(Semaphore::new(self.inner.config.runner_concurrency));
        let poll = Duration::from_millis(self.inner.config.poll_ms);
        while !stopping.is_cancelled() {
            let found = self.run_due(&permits).await;
            if found >= BATCH {
                // More wait; those just taken up are leased and not found again.
                continue;
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = self.inner.due.notified() => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
    }

    /// What this replica drove before it was killed is due at once: nobody else waits for the end of those leases.
    async fn take_over_from_myself(&self) {
        let stopping = self.inner.tasks.stopping();
        while !stopping.is_cancelled() {
            match store::end_leases_of(&self.inner.database, &self.inner.instance, self.now()).await
            {
                Ok(0) => return,
                Ok(count) => {
                    tracing::info!(count, "takes up the sagas of its life before");
                    return;
                }
                Err(error) => tracing::warn!(
                    error = paymesh_kernel::error::chain(&error),
                    "sagas of the life before wait"
                ),
            }
            tokio::time::sleep(Duration::from_millis(self.inner.config.poll_ms)).await;
        }
    }

    /// Takes up what is due and waits until all of it is leased; driving goes on by itself. Says how many were found.
    async fn run_due(&self, permits: &Arc<Semaphore>) -> u64 {
        let (good, bad) = match store::due(&self.inner.database, self.now(), BATCH).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(
                    error = paymesh_kernel::error::chain(&error),
                    "due sagas cannot be read"
                );
                return 0;
            }
        };
        let found = good.len().saturating_add(bad.len());
        for row in bad {
            self.put_off(row).await;
        }
        for operation in good {
            let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
                return 0;
            };
            let app = self.clone();
            let (leased, is_leased) = tokio::sync::oneshot::channel();
            self.inner.tasks.spawn_once(async move {
                app.run_one(operation.id, leased).await;
                drop(permit);
            });
            // Until it is leased it would be found again.
            is_leased.await.ok();
        }
        u64::try_from(found).unwrap_or(0)
    }

    async fn run_one(&self, id: OperationId, leased: tokio::sync::oneshot::Sender<()>) {
        let work = async {
            let taken = self.take_up(id).await;
            leased.send(()).ok();
            if let Some((work, origin)) = taken {
                self.drive(work, &origin).await;
            }
        };
        if AssertUnwindSafe(work).catch_unwind().await.is_err() {
            tracing::error!(operation = %id, "a saga broke a rule; it is left to its lease and others go on");
        }
    }

    async fn put_off(&self, row: BadRow) {
        tracing::error!(operation = %row.id(), "a saga cannot be read; it is put off and others go on");
        let mut changes = ChangeSet::new();
        row.put_off(&mut changes, self.now().plus(BAD_ROW_WAIT));
        self.inner.writer.commit(changes).await.ok();
    }

    async fn purge(self) {
        let stopping = self.inner.tasks.stopping().clone();
        while !stopping.is_cancelled() {
            if let Err(error) = idempotency::purge(&self.inner.database, self.now()).await {
                tracing::warn!(
                    error = paymesh_kernel::error::chain(&error),
                    "old idempotency keys stay"
                );
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(PURGE_EVERY) => {}
            }
        }
    }
}
