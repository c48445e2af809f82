//! Batches: opened once for each ledger, cut at a height of its chain (S1).

use paymesh_kernel::{
    ChangeSet, CommitError, Principal,
    id::{MerchantId, TenantId},
};
use paymesh_money::Currency;

use super::{App, DECISIONS, Outcome, contended};
use crate::{
    domain::{
        batch::{Batch, BatchState, Figures, Position},
        ids::BatchId,
    },
    error::Error,
    store::{self, BATCH_INDEX, NUMBER_INDEX, Wanted, activities::Activity},
};

/// Activities that one batch takes note of at most; the rest waits for the next one.
const ACTIVITIES: u64 = 10_000;

// === impl App ===

impl App {
    /// Opens a batch for a currency, or finds the open one.
    ///
    /// # Errors
    /// When the id was used for another batch.
    pub(crate) async fn open_batch(
        &self,
        tenant: TenantId,
        (id, currency): (BatchId, Currency),
    ) -> Result<Outcome<Batch>, Error> {
        for _ in 0..DECISIONS {
            let newest = store::batches::newest(self.database(), tenant, currency).await?;
            if let Some(open) = newest
                .as_ref()
                .filter(|batch| batch.state == BatchState::Open)
            {
                return Ok(Outcome::AlreadyApplied(open.clone()));
            }
            if store::batches::find(self.database(), id).await?.is_some() {
                return Err(Error::IdReused);
            }
            let batch = Batch {
                id,
                tenant,
                currency,
                number: newest
                    .as_ref()
                    .map_or(0, |batch| batch.number)
                    .saturating_add(1),
                state: BatchState::Open,
                from_height: newest.as_ref().map_or(0, |batch| batch.until_height),
                until_height: 0,
                figures: Figures::default(),
                next_wake_at: None,
                attempts: 0,
                opened_at: self.now(),
                closed_at: None,
                event_sequence: 0,
                version: 1,
            };
            let mut changes = ChangeSet::new();
            store::batches::insert(&mut changes, &batch);
            match self.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(batch)),
                Err(error)
                    if error.is_duplicate(NUMBER_INDEX) || error.is_duplicate(BATCH_INDEX) => {}
                Err(error) => return Err(error.into()),
            }
        }
        contended()
    }

    /// Cuts a batch at the ledger's present height and computes its positions. When the ledger does not answer any more, the batch
    /// is closing and its positions follow.
    ///
    /// # Errors
    /// When there is no such batch, or the ledger does not say its height.
    pub(crate) async fn close_batch(
        &self,
        principal: &Principal,
        id: BatchId,
    ) -> Result<Outcome<Batch>, Error> {
        let batch = self.batch(principal, id).await?;
        self.cut_and_compute(batch).await
    }

    pub(super) async fn cut_and_compute(&self, batch: Batch) -> Result<Outcome<Batch>, Error> {
        let (id, place) = (batch.id, (batch.tenant, batch.currency));
        // What is noted before the cut was booked before it.
        let noted = store::activities::open_in(self.database(), place, ACTIVITIES).await?;
        let batch = match self.cut(batch).await? {
            Outcome::AlreadyApplied(batch) if batch.state == BatchState::Closed => {
                return Ok(Outcome::AlreadyApplied(batch));
            }
            Outcome::Applied(batch) | Outcome::AlreadyApplied(batch) => batch,
        };
        match self.compute(batch, &noted).await {
            Ok(batch) => Ok(Outcome::Applied(batch)),
            Err(error) => {
                tracing::warn!(batch = %id, error = paymesh_kernel::error::chain(&error), "a batch cannot be computed now; it is tried again");
                let batch = store::batches::find(self.database(), id).await?;
                batch.map(Outcome::Applied).ok_or(Error::BatchNotFound)
            }
        }
    }

    /// Nothing is locked and nobody waits: payments go on above the height.
    async fn cut(&self, mut batch: Batch) -> Result<Outcome<Batch>, Error> {
        for _ in 0..DECISIONS {
            if batch.state != BatchState::Open {
                return Ok(Outcome::AlreadyApplied(batch));
            }
            let height = self.parts.ledger.height(batch.tenant).await?;
            let closing = Batch {
                state: BatchState::Closing,
                until_height: height.max(batch.from_height),
                closed_at: Some(self.now()),
                next_wake_at: Some(self.lease()),
                version: batch.version.saturating_add(1),
                ..batch.clone()
            };
            let mut changes = ChangeSet::new();
            store::batches::update(&mut changes, &closing);
            match self.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(closing)),
                Err(CommitError::Stale) => {
                    let found = store::batches::find(self.database(), batch.id).await?;
                    batch = found.ok_or(Error::BatchNotFound)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        contended()
    }

    /// What was noted of these transactions is in a batch now. Facts that came meanwhile keep theirs open.
    pub(super) async fn settle_noted(&self, noted: &[Activity]) {
        let close = |activity: &Activity| {
            let mut changes = ChangeSet::new();
            let closed = Activity {
                is_open: false,
                version: activity.version.saturating_add(1),
                ..*activity
            };
            store::activities::update(&mut changes, &closed);
            self.commit(changes)
        };
        for chunk in noted.chunks(256) {
            let results = futures::future::join_all(chunk.iter().map(close)).await;
            let failed = results.into_iter().filter_map(Result::err);
            for error in failed.filter(|error| *error != CommitError::Stale) {
                // At worst another, empty batch is closed for it.
                tracing::debug!(
                    error = paymesh_kernel::error::chain(&error),
                    "an activity stays open"
                );
            }
        }
    }

    /// One batch.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn batch(&self, principal: &Principal, id: BatchId) -> Result<Batch, Error> {
        let found = store::batches::find(self.database(), id).await?;
        found
            .filter(|batch| batch.tenant == principal.tenant)
            .ok_or(Error::BatchNotFound)
    }

    /// Batches, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn batches(
        &self,
        wanted: Wanted,
        filter: store::batches::Filter,
    ) -> Result<Vec<Batch>, Error> {
        Ok(store::batches::list(self.database(), wanted, filter).await?)
    }

    /// Positions of closed batches.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn positions(
        &self,
        wanted: Wanted,
        of: (Option<BatchId>, Option<MerchantId>),
    ) -> Result<Vec<Position>, Error> {
        Ok(store::positions::list(self.database(), wanted, of).await?)
    }
}
