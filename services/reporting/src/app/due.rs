//! Schedules that are due become runs.

use std::time::Duration;

use paymesh_kernel::{ChangeSet, CommitError, Fault as _, error::chain};

use super::{
    App,
    runs::{Order, queued},
};
use crate::{
    domain::{Schedule, Span, ids},
    error::Error,
    store,
};

/// Schedules taken up in one round.
const ROUND: u64 = 100;

// === impl App ===

impl App {
    /// Makes the runs that are due. True when there may be more.
    pub(super) async fn make_due_runs(&self) -> bool {
        let grace = Duration::from_millis(self.settings().schedule_grace_ms);
        let now = self.now().minus(grace);
        let due = match store::schedules::due(self.database(), now, ROUND).await {
            Ok(due) => due,
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "schedules that are due cannot be found");
                return false;
            }
        };
        let is_full = u64::try_from(due.len()).is_ok_and(|count| count >= ROUND);
        for schedule in due {
            if let Err(error) = self.make_due_run(&schedule).await {
                tracing::warn!(
                    schedule = %schedule.id,
                    reason = error.reason(),
                    error = chain(&error),
                    "a schedule cannot be run now"
                );
                return false;
            }
        }
        is_full
    }

    /// One commit has the run and the schedule's next time, so two replicas make one run (P3).
    async fn make_due_run(&self, schedule: &Schedule) -> Result<(), Error> {
        let now = self.now();
        let grace = Duration::from_millis(self.settings().schedule_grace_ms);
        let mut changes = ChangeSet::new();
        let definition = store::definitions::find(self.database(), schedule.definition)
            .await?
            .filter(|found| found.deleted_at.is_none());
        match (definition, schedule.due(now.minus(grace))) {
            (_, None) => return Ok(()),
            (None, Some(_)) => store::schedules::update(&mut changes, &schedule.deleted(now)),
            (Some(definition), Some(due)) => {
                let order = Order {
                    id: ids::scheduled(schedule.id, due.until),
                    schedule: Some(schedule.id),
                    span: Span {
                        from: Some(due.from),
                        until: Some(due.until),
                    },
                    created_by: schedule.created_by.clone(),
                    created_at: now,
                };
                store::runs::insert(&mut changes, &queued(&definition, order));
                store::schedules::update(&mut changes, &due.schedule);
            }
        }
        match self.commit(changes).await {
            Ok(()) => Ok(()),
            // Another replica was faster.
            Err(CommitError::Stale) => Ok(()),
            Err(error) if error.is_duplicate(store::RUNS_KEY) => self.skip_due_run(schedule).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The run is there already: only the schedule goes on.
    async fn skip_due_run(&self, schedule: &Schedule) -> Result<(), Error> {
        let grace = Duration::from_millis(self.settings().schedule_grace_ms);
        let Some(due) = schedule.due(self.now().minus(grace)) else {
            return Ok(());
        };
        let mut changes = ChangeSet::new();
        store::schedules::update(&mut changes, &due.schedule);
        match self.commit(changes).await {
            Ok(()) | Err(CommitError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
