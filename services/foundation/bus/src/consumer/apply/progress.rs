//! How far aggregates are, as the inbox says.

use std::{collections::HashMap, sync::atomic::Ordering};

use paymesh_kernel::{database::DatabaseError, error::chain};

use super::{Applier, OUTAGE};
use crate::event::Aggregate;

/// How far an aggregate is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// The last event applied; 0 when there is none.
    pub(super) sequence: i64,
    /// Version of the cursor's row; 0 when there is none.
    pub(super) version: i64,
    /// The lowest event that waits in a row, as far as is known.
    pub(super) lowest_waiting: Option<i64>,
}

impl Applier {
    /// How far these aggregates are. Waits until the database answers; None when the process stops before.
    pub(super) async fn load(
        &self,
        aggregates: &[Aggregate],
    ) -> Option<HashMap<Aggregate, Progress>> {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            match self.try_load(aggregates).await {
                Ok(progress) => return Some(progress),
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(
                            queue = self.queue,
                            error = chain(&error),
                            "the inbox cannot be read"
                        );
                    }
                    self.pause(OUTAGE.wait(failures, self.ids.entropy())).await;
                }
            }
        }
        None
    }

    async fn try_load(
        &self,
        aggregates: &[Aggregate],
    ) -> Result<HashMap<Aggregate, Progress>, DatabaseError> {
        let cursors = self.inbox.cursors(aggregates).await?;
        let waiting = if self.may_wait.load(Ordering::Relaxed) {
            self.inbox.lowest_waiting(aggregates).await?
        } else {
            HashMap::new()
        };
        let progress = aggregates.iter().map(|aggregate| {
            let cursor = cursors.get(aggregate);
            let progress = Progress {
                sequence: cursor.map_or(0, |cursor| cursor.sequence),
                version: cursor.map_or(0, |cursor| cursor.version),
                lowest_waiting: waiting.get(aggregate).copied(),
            };
            (aggregate.clone(), progress)
        });
        Ok(progress.collect())
    }
}
