//! Closing: the positions of a batch, from the entries of merchants' accounts up to its height (S1, S2).
//!
//! Everything is computed anew when it is interrupted: nothing is written before the one commit that closes the batch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use paymesh_kernel::{ChangeSet, Fault as _, error::chain, id::MerchantId};

use super::App;
use crate::{
    clients::ledger::MerchantAccount,
    domain::{
        batch::{Batch, BatchState, Entry, Figures, Hint, Position, Share, slices},
        ids::{AccountId, TransactionId},
    },
    error::Error,
    events,
    store::{
        self,
        activities::{Activity, Cursor},
    },
};

const DAY: Duration = Duration::from_secs(86_400);
/// Batches looked after in one round.
const ROUND: u64 = 16;
/// Activities looked at in one round.
const NOTED: u64 = 1_000;

/// What is found of a merchant.
struct Found {
    positions: Vec<Position>,
    cursors: Vec<Cursor>,
}

// === impl App ===

impl App {
    /// Computes the positions of a batch that is cut, and closes it.
    pub(super) async fn compute(&self, batch: Batch, noted: &[Activity]) -> Result<Batch, Error> {
        let accounts = self
            .parts
            .ledger
            .merchant_accounts(batch.tenant, batch.currency)
            .await?;
        let cursors =
            store::activities::cursors(self.database(), accounts.iter().map(|of| of.id)).await?;
        let mut merchants: BTreeMap<MerchantId, Vec<MerchantAccount>> = BTreeMap::new();
        for account in accounts {
            // An account that did not change since it was looked at has no new entries.
            let known = cursors.get(&account.id);
            if known.is_none_or(|cursor| cursor.account_version != account.version) {
                merchants.entry(account.merchant).or_default().push(account);
            }
        }
        let mut changes = ChangeSet::new();
        let (mut positions, mut figures) = (Vec::new(), Figures::default());
        for (merchant, accounts) in merchants {
            let found = self
                .of_merchant(&batch, (merchant, &accounts), &cursors)
                .await?;
            for cursor in &found.cursors {
                store::activities::put_cursor(&mut changes, cursor);
            }
            for position in found.positions {
                figures = figures.plus(&position.figures)?;
                store::positions::insert(&mut changes, &position);
                positions.push(position);
            }
        }
        let now = self.now();
        let closed = Batch {
            state: BatchState::Closed,
            figures,
            next_wake_at: None,
            event_sequence: batch.event_sequence.saturating_add(1),
            version: batch.version.saturating_add(1),
            ..batch
        };
        store::batches::update(&mut changes, &closed);
        let ids = &self.parts.ids;
        events::batch_closed(&mut changes, ids, (&closed, &positions), now);
        self.commit(changes).await?;
        self.settle_noted(noted).await;
        Ok(closed)
    }

    async fn of_merchant(
        &self,
        batch: &Batch,
        (merchant, accounts): (MerchantId, &[MerchantAccount]),
        known: &HashMap<AccountId, Cursor>,
    ) -> Result<Found, Error> {
        let mut entries: Vec<(Share, Entry)> = Vec::new();
        let mut cursors = Vec::new();
        for account in accounts {
            let after = known.get(&account.id).map_or(0, |cursor| cursor.height);
            if after >= batch.until_height {
                continue;
            }
            let heights = (after, batch.until_height);
            let found = self
                .parts
                .ledger
                .entries_between(batch.tenant, account.id, heights)
                .await?;
            cursors.push(Cursor {
                account: account.id,
                tenant: batch.tenant,
                height: batch.until_height,
                account_version: found.version,
            });
            let of_share = found
                .entries
                .into_iter()
                .map(|entry| (account.share, entry));
            entries.extend(of_share);
        }
        let transactions: BTreeSet<TransactionId> = entries
            .iter()
            .filter_map(|(_, entry)| entry.transaction)
            .collect();
        let known =
            store::activities::find_all(self.database(), transactions.iter().copied()).await?;
        let is_known = |entry: &Entry| entry.transaction.is_some_and(|id| known.contains_key(&id));
        let delay = if entries.iter().all(|(_, entry)| is_known(entry)) {
            Duration::ZERO
        } else {
            self.delay_of(batch, merchant).await?
        };
        let hint = |entry: &Entry| {
            let activity = entry.transaction.and_then(|id| known.get(&id));
            Hint {
                available_at: activity
                    .map_or_else(|| entry.effective_at.plus(delay), |of| of.available_at),
                is_charged_back: activity.is_some_and(|of| of.is_charged_back),
            }
        };
        let positions = slices(&entries, hint)?
            .into_iter()
            .map(|slice| Position {
                id: self.parts.ids.next(),
                tenant: batch.tenant,
                batch: batch.id,
                merchant,
                currency: batch.currency,
                figures: slice.figures,
                pending_minor: slice.pending_minor,
                available_at: slice.available_at,
                release: None,
                released_at: None,
                version: 1,
            })
            .collect();
        Ok(Found { positions, cursors })
    }

    /// Of what no fact has come yet, the merchant's plan says when it is due.
    async fn delay_of(&self, batch: &Batch, merchant: MerchantId) -> Result<Duration, Error> {
        let found = self.parts.merchants.find(batch.tenant, merchant).await?;
        let days = found.map_or(self.parts.settings.delay_days, |of| of.delay_days);
        Ok(DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX)))
    }

    /// Goes on with batches whose closing was interrupted.
    pub(super) async fn close_interrupted(&self) -> Result<(), Error> {
        for batch in store::batches::due(self.database(), self.now(), ROUND).await? {
            let id = batch.id;
            let attempts = batch.attempts.saturating_add(1);
            let leased = Batch {
                attempts,
                next_wake_at: Some(self.again_at(attempts).max(self.lease())),
                version: batch.version.saturating_add(1),
                ..batch
            };
            let mut changes = ChangeSet::new();
            store::batches::update(&mut changes, &leased);
            if self.commit(changes).await.is_err() {
                // Another replica has it.
                continue;
            }
            if let Err(error) = self.compute(leased, &[]).await {
                tracing::warn!(batch = %id, reason = error.reason(), error = chain(&error), "a batch cannot be computed now");
            }
        }
        Ok(())
    }

    /// Closes a batch of each ledger in which something is due, so that merchants are paid without anybody asking for it.
    pub(super) async fn close_due(&self) -> Result<(), Error> {
        let every = self.parts.settings.close_every_ms;
        if every == 0 {
            return Ok(());
        }
        let now = self.now();
        let mut places = BTreeMap::new();
        for activity in store::activities::open(self.database(), NOTED).await? {
            let place = (activity.tenant, activity.currency.code());
            places
                .entry(place)
                .or_insert((activity.currency, activity.available_at));
        }
        for ((tenant, _), (currency, due_at)) in places {
            if due_at > now && !self.is_due_by_business(tenant, due_at).await? {
                continue;
            }
            let newest = store::batches::newest(self.database(), tenant, currency).await?;
            let closed_at = newest.as_ref().and_then(|batch| batch.closed_at);
            let is_too_soon =
                closed_at.is_some_and(|at| now.since(at) < Duration::from_millis(every));
            let is_closing = newest.is_some_and(|batch| batch.state == BatchState::Closing);
            if is_too_soon || is_closing {
                continue;
            }
            let id = self.parts.ids.next();
            let opened = self.open_batch(tenant, (id, currency)).await?;
            let (super::Outcome::Applied(batch) | super::Outcome::AlreadyApplied(batch)) = opened;
            self.cut_and_compute(batch).await?;
        }
        Ok(())
    }
}
