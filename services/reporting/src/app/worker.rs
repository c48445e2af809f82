//! Making reports: runs that are due are taken up under a lease, a bounded number at once, and end with a file or a reason (P4).

use std::{sync::Arc, time::Duration};

use paymesh_kernel::{ChangeSet, CommitError, Timestamp, error::chain};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::{App, file::File, reports::Halt};
use crate::{
    domain::{Run, run::Claim},
    events, metrics, store,
};

// === impl App ===

impl App {
    /// Starts the tasks.
    pub(crate) fn start(&self) {
        let writer = &self.inner.parts.writer;
        let (runs, schedules) = (writer.watch(store::RUNS), writer.watch(store::SCHEDULES));
        let ended = writer.watch(store::RUNS);
        let (app, stop) = (self.clone(), self.inner.parts.tasks.stopping().clone());
        self.inner.parts.tasks.spawn("report-waits", async move {
            while !stop.is_cancelled() {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = ended.notified() => app.inner.changed.send_modify(|count| *count = count.wrapping_add(1)),
                }
            }
        });
        let (app, stop) = (self.clone(), self.inner.parts.tasks.stopping().clone());
        self.inner.parts.tasks.spawn("report-runs", async move {
            let freed = Arc::new(Notify::new());
            let mut purged_at: Option<Timestamp> = None;
            while !stop.is_cancelled() {
                while app.make_due_runs().await {}
                app.take_up_due(&freed).await;
                app.purge(&mut purged_at).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = runs.notified() => {}
                    () = schedules.notified() => {}
                    () = freed.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(app.settings().poll_ms)) => {}
                }
            }
        });
    }

    /// Takes up what is due, as many as there are slots.
    async fn take_up_due(&self, freed: &Arc<Notify>) {
        let free = u64::try_from(self.inner.slots.available_permits()).unwrap_or(0);
        if free == 0 {
            return;
        }
        let due = match store::runs::due(self.database(), self.now(), free).await {
            Ok(due) => due,
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "runs that are due cannot be found");
                return;
            }
        };
        for run in due {
            let Ok(slot) = Arc::clone(&self.inner.slots).try_acquire_owned() else {
                return;
            };
            self.take_up(&run, (slot, Arc::clone(freed))).await;
        }
    }

    async fn take_up(&self, run: &Run, (slot, freed): (OwnedSemaphorePermit, Arc<Notify>)) {
        let claim = run.claim(self.now(), self.lease(), self.settings().attempts);
        let taken = match claim {
            None => return,
            Some(Claim::Exhausted(failed)) => {
                self.end(&failed).await;
                return;
            }
            Some(Claim::Taken(taken)) => taken,
        };
        let mut changes = ChangeSet::new();
        store::runs::update(&mut changes, &taken);
        match self.commit(changes).await {
            Ok(()) => {}
            // Another replica was faster.
            Err(CommitError::Stale) => return,
            Err(error) => {
                tracing::warn!(run = %run.id, error = chain(&error), "a run cannot be taken up now");
                return;
            }
        }
        let (app, stop) = (self.clone(), self.inner.parts.tasks.stopping().clone());
        self.inner.parts.tasks.spawn_once(async move {
            // What is dropped in the middle is taken up again when the lease has run out.
            tokio::select! {
                () = stop.cancelled() => {}
                () = app.make(taken) => {}
            }
            drop(slot);
            freed.notify_one();
        });
    }

    async fn make(&self, run: Run) {
        let mut file = File::new(self, run);
        let made = self.report(&mut file).await;
        let finished = match made {
            Ok(()) => file.finish().await,
            Err(halt) => Err(halt),
        };
        let (run, now) = (file.into_run(), self.now());
        match finished {
            Ok(content) => {
                let done = run.completed(content, now);
                self.end(&done).await;
                self.drop_other_attempts(&done).await;
            }
            Err(Halt::Final(reason)) => {
                tracing::warn!(run = %run.id, reason, "a report failed");
                let failed = run.failed(reason, now);
                self.end(&failed).await;
                self.drop_other_attempts(&failed).await;
            }
            Err(Halt::Passing(reason)) => {
                tracing::info!(run = %run.id, reason, "a report is put back");
                let mut changes = ChangeSet::new();
                store::runs::update(&mut changes, &run.put_back(reason, now));
                if let Err(error) = self.commit(changes).await {
                    tracing::warn!(run = %run.id, error = chain(&error), "a run waits for the end of its lease");
                }
            }
            Err(Halt::Lost) => {
                tracing::info!(run = %run.id, "a run was taken over by another process");
            }
        }
    }

    /// The end of a run with its fact, in one commit. When it is not committed the lease runs out and the run is made again.
    async fn end(&self, run: &Run) {
        let mut changes = ChangeSet::new();
        store::runs::update(&mut changes, run);
        events::publish_run(&mut changes, self.ids(), run);
        match self.commit(changes).await {
            Ok(()) => metrics::ended(run),
            Err(error) => {
                tracing::warn!(run = %run.id, error = chain(&error), "the end of a run is not committed");
            }
        }
    }

    /// Pieces of attempts that did not end the run are of no use. What a crash leaves is found by the upkeep.
    async fn drop_other_attempts(&self, run: &Run) {
        if run.attempts <= 1 && run.file_attempt != 0 {
            return;
        }
        // Only what is stored as ended tells which attempt counts.
        let stored = store::runs::find(self.database(), run.id).await;
        let Ok(Some(stored)) = stored else { return };
        if !stored.state.is_end() {
            return;
        }
        if let Err(error) = store::files::delete_others(self.database(), &stored).await {
            tracing::warn!(run = %run.id, error = chain(&error), "pieces of other attempts stay for now");
        }
    }
}
