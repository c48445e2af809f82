//! Background work: operations whose outcome is missing, webhooks, and what is kept for a while only.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use paymesh_chassis::idempotency;
use paymesh_kernel::error::chain;

use super::App;
use crate::error::Error;

/// Operations looked after side by side.
const CONCURRENT_LOOKS: usize = 16;
/// How often old rows are taken away.
const UPKEEP: Duration = Duration::from_secs(3_600);
/// Wait after the database could not be read.
const PAUSE: Duration = Duration::from_secs(1);

// === impl App ===

impl App {
    /// Starts the background work; it ends when the process stops.
    pub(crate) fn start_workers(&self) {
        let tasks = &self.inner.tasks;
        tasks.spawn("payment-resolver", self.clone().resolve_always());
        tasks.spawn("payment-upkeep", self.clone().keep_up());
    }

    async fn resolve_always(self) {
        let stop = self.inner.tasks.stopping().clone();
        let poll = Duration::from_millis(self.inner.config.resolve.poll_ms);
        let full = usize::try_from(self.inner.config.resolve.batch).unwrap_or(usize::MAX);
        while !stop.is_cancelled() {
            let wait = match self.work_on_due().await {
                // There may be more.
                Ok(count) if count >= full => Duration::ZERO,
                Ok(_) => poll,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "due work cannot be read");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.inner.due.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn work_on_due(&self) -> Result<usize, Error> {
        let (operations, webhooks) =
            tokio::join!(self.work_on_operations(), self.work_on_webhooks());
        Ok(operations?.max(webhooks?))
    }

    async fn work_on_operations(&self) -> Result<usize, Error> {
        let most = self.inner.config.resolve.batch;
        let due = self.store().due_operations(self.now(), most).await?;
        let count = due.len();
        stream::iter(due)
            .for_each_concurrent(CONCURRENT_LOOKS, |(id, key)| async move {
                if self.inner.flights.is_under_way(&key) {
                    return;
                }
                let looked = match self.reload(id).await {
                    Ok(book) => self.look(book, &key).await.map(|_| ()),
                    Err(error) => Err(error),
                };
                if let Err(error) = looked {
                    tracing::warn!(attempt = %id, error = chain(&error), "an operation stays due");
                }
            })
            .await;
        Ok(count)
    }

    async fn keep_up(self) {
        let stop = self.inner.tasks.stopping().clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(UPKEEP) => {}
            }
            let now = self.now();
            let retention = Duration::from_millis(self.inner.config.webhooks.retention_ms);
            let purged = self.store().purge_webhooks(now.minus(retention)).await;
            if let Err(error) = purged {
                tracing::warn!(error = chain(&error), "old webhooks stay");
            }
            if let Err(error) = idempotency::purge(self.store().database(), now).await {
                tracing::warn!(error = chain(&error), "old idempotency keys stay");
            }
        }
    }
}
