//! What goes by itself: files that were kept their time, pieces of attempts that were given up, sums of accounts within days that are
//! long past.

use std::time::Duration;

use paymesh_kernel::{ChangeSet, CommitError, Timestamp, error::chain};

use super::App;
use crate::{error::Error, store};

/// How often it is looked for.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// Attempts that were given up are looked for among the runs that ended within this time.
const LEFT_OVER: Duration = Duration::from_secs(2 * 24 * 3_600);
/// Runs looked at in one round.
const ROUND: u64 = 200;
/// Old sums taken away in one statement.
const AT_ONCE: u64 = 5_000;
const DAY_SECONDS: u64 = 86_400;

// === impl App ===

impl App {
    pub(super) async fn purge(&self, purged_at: &mut Option<Timestamp>) {
        let now = self.now();
        if purged_at.is_some_and(|before| now.since(before) < PURGE_EVERY) {
            return;
        }
        *purged_at = Some(now);
        if let Err(error) = self.purge_files(now).await {
            let error = chain(&error);
            tracing::warn!(error, "old files cannot be taken away now");
        }
        if let Err(error) = self.thin_balances(now).await {
            let error = chain(&error);
            tracing::warn!(error, "old sums of accounts cannot be taken away now");
        }
    }

    /// From this moment on the sums after each batch are there; before it those at the end of each day (P10).
    pub(super) fn every_batch_since(&self, now: Timestamp) -> Timestamp {
        let days = self.settings().balance_days;
        let kept = Duration::from_secs(days.saturating_mul(DAY_SECONDS));
        Timestamp::from_day(now.minus(kept).day())
    }

    async fn thin_balances(&self, now: Timestamp) -> Result<(), Error> {
        let end = self.every_batch_since(now);
        let mut from = Timestamp::EPOCH;
        while let Some(first) = store::ledger::first_booked(self.database(), from).await? {
            if first >= end {
                break;
            }
            let next = Timestamp::from_day(first.day().saturating_add(1));
            let day = (Timestamp::from_day(first.day()), next);
            while store::ledger::thin(self.database(), day, AT_ONCE).await? >= AT_ONCE {}
            from = next;
        }
        Ok(())
    }

    async fn purge_files(&self, now: Timestamp) -> Result<(), Error> {
        let days = self.settings().file_days;
        let kept = Duration::from_secs(days.saturating_mul(DAY_SECONDS));
        loop {
            let expired = store::runs::expired(self.database(), now.minus(kept), ROUND).await?;
            if expired.is_empty() {
                break;
            }
            for run in expired {
                // First the pieces: a run that says it has a file is found again.
                store::files::delete_all(self.database(), run.id).await?;
                let mut changes = ChangeSet::new();
                store::runs::update(&mut changes, &run.without_file());
                match self.commit(changes).await {
                    Ok(()) | Err(CommitError::Stale) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        store::files::delete_left_over(self.database(), now.minus(LEFT_OVER)).await?;
        Ok(())
    }
}
