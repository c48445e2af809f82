//! Releases: what is due goes from merchant.pending to merchant.available (S3).
//!
//! The release with its transfer's id is committed before the ledger is asked, so a repeat after a crash is the same transfer.

use std::collections::BTreeMap;

use paymesh_kernel::{
    ChangeSet, CommitError, Fault as _, Timestamp,
    error::chain,
    id::{MerchantId, TenantId},
};
use paymesh_money::Money;

use super::{App, DECISIONS, contended};
use crate::{
    clients::ledger::{Account, Code, Leg, Move, Verdict},
    domain::{
        batch::{Batch, Position, Release, releasable},
        ids::BatchId,
    },
    error::Error,
    events, store,
};

/// Positions looked at in one round.
const POSITIONS: u64 = 1_000;
/// Releases finished in one round.
const ROUND: u64 = 100;

// === impl App ===

impl App {
    /// Goes on with releases that were interrupted.
    pub(super) async fn finish_releases(&self) -> Result<(), Error> {
        for release in store::positions::due_releases(self.database(), self.now(), ROUND).await? {
            let id = release.id;
            if let Err(error) = self.finish_release(release).await {
                tracing::warn!(release = %id, reason = error.reason(), error = chain(&error), "a release cannot be finished now");
            }
        }
        Ok(())
    }

    /// Releases what is due.
    pub(super) async fn release_due(&self) -> Result<(), Error> {
        let mut groups: BTreeMap<(MerchantId, &'static str), Vec<Position>> = BTreeMap::new();
        for position in self.due_positions().await? {
            let place = (position.merchant, position.currency.code());
            groups.entry(place).or_default().push(position);
        }
        for ((merchant, _), due) in groups {
            if let Err(error) = self.release(merchant, due).await {
                tracing::warn!(%merchant, reason = error.reason(), error = chain(&error), "what is due to a merchant cannot be released now");
            }
        }
        Ok(())
    }

    async fn due_positions(&self) -> Result<Vec<Position>, Error> {
        let now = self.now();
        let mut due = store::positions::unreleased(self.database(), now, None, POSITIONS).await?;
        // The business time of a sandbox may be ahead of the clock.
        for tenant in store::positions::tenants_waiting(self.database(), now).await? {
            let business = store::activities::business_time(self.database(), tenant).await?;
            if let Some(until) = business.filter(|at| *at > now) {
                let ahead = store::positions::unreleased(
                    self.database(),
                    until,
                    Some((tenant, now)),
                    POSITIONS,
                );
                due.extend(ahead.await?);
            }
        }
        Ok(due)
    }

    pub(super) async fn is_due_by_business(
        &self,
        tenant: TenantId,
        due_at: Timestamp,
    ) -> Result<bool, Error> {
        let business = store::activities::business_time(self.database(), tenant).await?;
        Ok(business.is_some_and(|at| at >= due_at))
    }

    async fn release(&self, merchant: MerchantId, due: Vec<Position>) -> Result<(), Error> {
        let (Some(amount_minor), Some(first)) = (releasable(&due), due.first()) else {
            return Ok(());
        };
        let (tenant, currency) = (first.tenant, first.currency);
        let found = self.parts.merchants.find(tenant, merchant).await?;
        let Some(found) = found.filter(|found| found.currency == currency) else {
            tracing::warn!(%merchant, %currency, "there is no merchant who settles in this currency");
            return Ok(());
        };
        let amount = Money::new(amount_minor, currency);
        let has = self.parts.ledger.available(tenant, found.pending).await?;
        if amount_minor > 0 && has.minor() < amount_minor {
            // A refund has drawn from it since the batch was cut; the next batch nets it (S3).
            tracing::debug!(%merchant, %amount, %has, "merchant.pending holds less than what is due");
            return Ok(());
        }
        let release = Release {
            id: self.parts.ids.next(),
            tenant,
            merchant,
            currency,
            amount_minor,
            pending: found.pending,
            available: found.available,
            transfer: self.parts.ids.next(),
            next_wake_at: Some(self.lease()),
            attempts: 0,
            created_at: self.now(),
            version: 1,
        };
        let mut changes = ChangeSet::new();
        store::positions::insert_release(&mut changes, &release);
        for position in due {
            let taken = Position {
                release: Some(release.id),
                version: position.version.saturating_add(1),
                ..position
            };
            store::positions::update(&mut changes, &taken);
        }
        match self.commit(changes).await {
            Ok(()) => self.finish_release(release).await,
            // Another replica releases them.
            Err(CommitError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn finish_release(&self, release: Release) -> Result<(), Error> {
        if release.amount_minor > 0 {
            let leg = Leg {
                id: release.transfer,
                by: Move::Single,
                debit: Account::Id(release.pending),
                credit: Account::Id(release.available),
                amount: Money::new(release.amount_minor, release.currency),
                code: Code::Release,
                effective_at: None,
            };
            let posted = self.parts.ledger.post_one(release.tenant, vec![leg]).await;
            let refusal = match posted {
                Ok(Verdict::Booked) => None,
                Ok(verdict) => Some(Error::Refused(format!("{verdict:?}"))),
                Err(error) => Some(error.into()),
            };
            if let Some(error) = refusal {
                return self.put_off_release(release, error).await;
            }
        }
        for _ in 0..DECISIONS {
            let mut changes = ChangeSet::new();
            self.released(&mut changes, &release).await?;
            match self.commit(changes).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        contended()
    }

    async fn released(&self, changes: &mut ChangeSet, release: &Release) -> Result<(), Error> {
        let now = self.now();
        let positions = store::positions::of_release(self.database(), release.id).await?;
        let mut batches: BTreeMap<BatchId, Batch> = BTreeMap::new();
        for position in positions {
            if position.released_at.is_some() {
                // Another replica was faster: its commit made this one stale, or there is nothing left to do.
                return Ok(());
            }
            let batch = match batches.remove(&position.batch) {
                Some(batch) => batch,
                None => {
                    let found = store::batches::find(self.database(), position.batch).await?;
                    let found = found.ok_or(Error::BatchNotFound)?;
                    Batch {
                        version: found.version.saturating_add(1),
                        ..found
                    }
                }
            };
            let batch = Batch {
                event_sequence: batch.event_sequence.saturating_add(1),
                ..batch
            };
            let released = Position {
                released_at: Some(now),
                version: position.version.saturating_add(1),
                ..position
            };
            store::positions::update(changes, &released);
            events::released(changes, &self.parts.ids, (&batch, &released), now);
            batches.insert(batch.id, batch);
        }
        for batch in batches.values() {
            store::batches::update(changes, batch);
        }
        let done = Release {
            next_wake_at: None,
            version: release.version.saturating_add(1),
            ..release.clone()
        };
        store::positions::update_release(changes, &done);
        Ok(())
    }

    async fn put_off_release(&self, release: Release, error: Error) -> Result<(), Error> {
        let attempts = release.attempts.saturating_add(1);
        let later = Release {
            attempts,
            next_wake_at: Some(self.again_at(attempts)),
            version: release.version.saturating_add(1),
            ..release
        };
        let mut changes = ChangeSet::new();
        store::positions::update_release(&mut changes, &later);
        self.commit(changes).await?;
        Err(error)
    }
}
