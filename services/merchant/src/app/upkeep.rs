//! What happens by itself: interrupted registrations are finished or taken back, old keys of commands go.

use std::time::Duration;

use paymesh_kernel::{Fault as _, Tasks, Timestamp, error::chain};
use tokio::sync::Notify;

use super::App;
use crate::{error::Error, store};

/// Merchants looked after in one round.
const ROUND: u64 = 100;
/// Old keys are taken away so often.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);

// === impl App ===

impl App {
    /// Starts the task.
    pub(crate) fn start_upkeep(&self, tasks: &Tasks) {
        let changed = self.parts.writer.watch("merchants");
        let (app, stop) = (self.clone(), tasks.stopping().clone());
        tasks.spawn("merchant-upkeep", async move {
            let mut purged_at = None;
            while !stop.is_cancelled() {
                app.look_after_due().await;
                app.purge(&mut purged_at).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = app.pause(&changed) => {}
                }
            }
        });
    }

    async fn pause(&self, changed: &Notify) {
        let poll = Duration::from_millis(self.parts.settings.poll_ms);
        // A timeout is as good as a commit: both mean to look again.
        tokio::time::timeout(poll, changed.notified()).await.ok();
    }

    async fn look_after_due(&self) {
        if let Err(error) = self.look_after_round().await {
            tracing::warn!(
                error = chain(&error),
                "merchants that are due cannot be found"
            );
        }
    }

    async fn look_after_round(&self) -> Result<(), Error> {
        for id in store::merchants::due(&self.parts.database, self.now(), ROUND).await? {
            let Some(merchant) = store::merchants::find(&self.parts.database, id).await? else {
                continue;
            };
            if let Err(error) = self.look_after(merchant).await {
                tracing::warn!(merchant = %id, reason = error.reason(), error = chain(&error), "a merchant cannot be looked after now");
            }
        }
        Ok(())
    }

    async fn purge(&self, purged_at: &mut Option<Timestamp>) {
        let now = self.now();
        if purged_at.is_some_and(|before| now.since(before) < PURGE_EVERY) {
            return;
        }
        *purged_at = Some(now);
        if let Err(error) = store::purge(&self.parts.database, now).await {
            tracing::warn!(
                error = chain(&error),
                "old keys of commands cannot be taken away now"
            );
        }
    }
}
