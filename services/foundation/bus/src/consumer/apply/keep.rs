//! Rows of the inbox that an event leaves behind: its cursor, or the event itself while it waits.

use std::sync::atomic::Ordering;

use paymesh_kernel::{ChangeSet, CommitError, error::chain};

use super::{Applier, Attempt, Outcome, Work, progress::Progress};
use crate::{
    consumer::HandleError,
    event::Event,
    inbox::entity::{
        cursor,
        waiting::{self, State},
    },
};

impl Applier {
    /// Keeps an event whose handler failed: to be tried again, or dead.
    pub(super) async fn fail(
        &self,
        work: &Work,
        state: &mut Progress,
        error: HandleError,
    ) -> Attempt {
        let now = self.clock.now();
        let attempts = work.row.as_ref().map_or(0, |row| row.attempts) + 1;
        let (is_final, reason) = match error {
            HandleError::Retry { reason } => (attempts >= self.config.attempts, reason),
            HandleError::Reject { reason } => (true, reason),
        };
        let mut row = self.row(&work.event, reason);
        row.attempts = attempts;
        if is_final {
            row.state = State::Dead;
        } else {
            let failures = u32::try_from(attempts).unwrap_or(u32::MAX);
            let wait = self.config.backoff.wait(failures, self.ids.entropy());
            row.state = State::Retry;
            row.retry_at = Some(now.plus(wait));
        }
        if let Err(error) = self.keep(&row, state).await {
            return Attempt::Outage(chain(&error));
        }
        tracing::warn!(
            queue = self.queue, kind = %work.event.kind, event = %work.event.id, attempts, is_final,
            reason = row.reason, "an event could not be applied"
        );
        match row.retry_at {
            Some(at) => {
                self.next_due.fetch_min(at.as_micros(), Ordering::Relaxed);
                self.metrics.retried.inc();
            }
            None => self.metrics.died.inc(),
        }
        Attempt::Ended(Outcome::Kept)
    }

    pub(super) async fn park(&self, work: &Work, state: &mut Progress) -> Attempt {
        if work.row.is_some() {
            return Attempt::Ended(Outcome::Kept);
        }
        let row = self.row(&work.event, String::new());
        if let Err(error) = self.keep(&row, state).await {
            return Attempt::Outage(chain(&error));
        }
        self.metrics.parked.inc();
        Attempt::Ended(Outcome::Kept)
    }

    pub(super) async fn drop_known(&self, work: &Work) -> Attempt {
        if let Some(row) = &work.row {
            let mut changes = ChangeSet::new();
            changes.delete(row);
            if let Err(error) = self.writer.commit(changes).await {
                return Attempt::Outage(chain(&error));
            }
        }
        self.metrics.dropped.inc();
        Attempt::Ended(Outcome::Kept)
    }

    pub(super) fn put_cursor(&self, changes: &mut ChangeSet, event: &Event, state: &Progress) {
        let cursor = cursor::Model {
            aggregate_id: event.aggregate_id,
            aggregate_type: event.aggregate_type.to_string(),
            queue: self.queue.clone(),
            sequence: event.sequence,
            updated_at: self.clock.now(),
            version: state.version + 1,
        };
        if state.version == 0 {
            changes.insert(&cursor);
        } else {
            changes.update(&cursor);
        }
    }

    fn row(&self, event: &Event, reason: String) -> waiting::Model {
        waiting::Model {
            aggregate_id: event.aggregate_id,
            aggregate_type: event.aggregate_type.to_string(),
            queue: self.queue.clone(),
            sequence: event.sequence,
            event_id: event.id,
            state: State::Gap,
            attempts: 0,
            retry_at: None,
            reason,
            since: self.clock.now(),
            event: event.encode(),
        }
    }

    async fn keep(&self, row: &waiting::Model, state: &mut Progress) -> Result<(), CommitError> {
        let mut changes = ChangeSet::new();
        changes.upsert(row);
        self.writer.commit(changes).await?;
        self.may_wait.store(true, Ordering::Relaxed);
        let lowest = state.lowest_waiting.unwrap_or(row.sequence);
        state.lowest_waiting = Some(lowest.min(row.sequence));
        Ok(())
    }
}
