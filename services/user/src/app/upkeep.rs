//! What happens by itself: interrupted registrations are finished, retentions end, old rows go.

use std::time::Duration;

use paymesh_kernel::{Fault as _, Tasks, Timestamp, error::chain, id::UserId};
use tokio::sync::Notify;

use super::App;
use crate::{config::days, domain::State, error::Error, store};

/// Users looked after in one round.
const ROUND: u64 = 100;
/// Old rows are taken away so often.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// Attempts to sign in are forgotten after so many days.
const ATTEMPT_DAYS: u64 = 2;

// === impl App ===

impl App {
    /// Starts the tasks.
    pub(crate) fn start_upkeep(&self, tasks: &Tasks) {
        let changed = self.parts.writer.watch("users");
        let (app, stop) = (self.clone(), tasks.stopping().clone());
        tasks.spawn("user-upkeep", async move {
            let mut purged_at = None;
            while !stop.is_cancelled() {
                app.look_after().await;
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

    async fn look_after(&self) {
        let due = match store::users::due(&self.parts.database, self.now(), ROUND).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(error = chain(&error), "users that are due cannot be found");
                return;
            }
        };
        for id in due {
            if let Err(error) = self.look_after_one(id).await {
                tracing::warn!(user = %id, reason = error.reason(), error = chain(&error), "a user cannot be looked after now");
            }
        }
    }

    async fn look_after_one(&self, id: UserId) -> Result<(), Error> {
        let Some(user) = store::users::find(&self.parts.database, id).await? else {
            return Ok(());
        };
        match user.state {
            State::Opening => self.resume_opening(user).await,
            State::Restricted => self.finish_erasure(&user).await,
            State::Active | State::Suspended | State::Erased | State::Refused => Ok(()),
        }
    }

    async fn purge(&self, purged_at: &mut Option<Timestamp>) {
        let now = self.now();
        if purged_at.is_some_and(|before| now.since(before) < PURGE_EVERY) {
            return;
        }
        *purged_at = Some(now);
        let database = &self.parts.database;
        let old = now.minus(days(ATTEMPT_DAYS));
        let sessions = store::credentials::purge(database, now, old).await;
        let keys = store::purge_idempotency_keys(database, now).await;
        for result in [sessions, keys] {
            if let Err(error) = result {
                tracing::warn!(error = chain(&error), "old rows cannot be taken away now");
            }
        }
    }
}
