//! What happens by itself: payouts go to the bank, batches are closed, money that is due is released, statements and write-offs are
//! booked. All of it are rows with a time to wake up, so another process goes on where one ended.

use std::time::Duration;

use paymesh_kernel::{Fault as _, Tasks, Timestamp, error::chain};
use tokio::{sync::Notify, time::Instant};

use super::App;
use crate::{error::Error, store};

/// Old keys are taken away so often.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// Shortest time between the beginnings of two rounds over the books while movements keep coming: each looks at all that is due.
const PACE: Duration = Duration::from_millis(250);

// === impl App ===

impl App {
    /// Starts the tasks: one for the bank, whose answers may take long, and one for the books.
    pub(crate) fn start(&self, tasks: &Tasks) {
        let changed = self.parts.writer.watch("payouts");
        let (app, stop) = (self.clone(), tasks.stopping().clone());
        tasks.spawn("settlement-payouts", async move {
            while !stop.is_cancelled() {
                if app.payouts_round().await {
                    continue;
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = app.pause(&changed) => {}
                }
            }
        });
        let changed = self.parts.writer.watch("activities");
        let (app, stop) = (self.clone(), tasks.stopping().clone());
        tasks.spawn("settlement-books", async move {
            let mut purged_at = None;
            while !stop.is_cancelled() {
                let began = Instant::now();
                app.books_round().await;
                app.purge(&mut purged_at).await;
                let rest = async {
                    app.pause(&changed).await;
                    tokio::time::sleep(PACE.saturating_sub(began.elapsed())).await;
                };
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = rest => {}
                }
            }
        });
    }

    async fn pause(&self, changed: &Notify) {
        let poll = Duration::from_millis(self.parts.settings.poll_ms);
        // A timeout is as good as a commit: both mean to look again.
        tokio::time::timeout(poll, changed.notified()).await.ok();
    }

    async fn payouts_round(&self) -> bool {
        self.drive_payouts().await.unwrap_or_else(|error| {
            say("payouts", &error);
            false
        })
    }

    /// One part that fails does not keep the others from their work.
    async fn books_round(&self) {
        let rounds = [
            ("interrupted batches", self.close_interrupted().await),
            ("due batches", self.close_due().await),
            ("interrupted releases", self.finish_releases().await),
            ("due releases", self.release_due().await),
            ("statements", self.book_due_statements().await),
            ("write-offs", self.book_due_write_offs().await),
        ];
        for (what, result) in rounds {
            if let Err(error) = result {
                say(what, &error);
            }
        }
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

fn say(what: &str, error: &Error) {
    tracing::warn!(
        what,
        reason = error.reason(),
        error = chain(error),
        "what is due cannot be looked after now"
    );
}
