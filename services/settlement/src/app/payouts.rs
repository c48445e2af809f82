//! Payouts: asked for, recorded with their key, reserved. The rest is the saga's.

use std::time::Duration;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{ChangeSet, Principal, Timestamp, id::MerchantId};
use paymesh_mesh::CallError;
use paymesh_money::{Currency, Money};

use super::{App, Outcome, may_see};
use crate::{
    clients::merchants::Merchant,
    domain::{
        ids::{AccountId, BatchId, PayoutId},
        payout::{Owner, OwnerKind, Payout, State, Step, Word},
    },
    error::Error,
    store::{self, Wanted},
};

/// The reason of a payout that the account did not cover.
pub(super) const NOT_COVERED: &str = "INSUFFICIENT_FUNDS";

/// What somebody wants paid out.
#[derive(Clone, Debug)]
pub(crate) struct NewPayout {
    /// To whom.
    pub(crate) owner: Owner,
    /// None: all that is available.
    pub(crate) amount: Option<Money>,
    /// Its ledger.
    pub(crate) currency: Currency,
    /// Empty, or the owner's own bank account.
    pub(crate) destination: String,
    /// Asked for with a batch.
    pub(crate) batch: Option<BatchId>,
    /// None: the clock's.
    pub(crate) business_at: Option<Timestamp>,
}

/// Where the money of an owner is, and where it goes.
struct Place {
    account: AccountId,
    destination: String,
    /// The destination is a new one until then.
    held_until: Option<Timestamp>,
}

// === impl App ===

impl App {
    /// Records a payout and reserves its money.
    ///
    /// # Errors
    /// When the owner is not there or not the caller's, the destination is not its own, or its account does not cover the payout: then
    /// nothing happened.
    pub(crate) async fn create_payout(
        &self,
        principal: &Principal,
        (key, wish): (IdempotencyKey, NewPayout),
    ) -> Result<Outcome<Payout>, Error> {
        if let Some(id) = key.find(self.database()).await? {
            return self.repeated(id.into()).await;
        }
        if !may_see(principal, &wish.owner) {
            return Err(Error::OwnerNotFound);
        }
        if let Some(batch) = wish.batch {
            self.batch(principal, batch).await?;
        }
        let place = self.place_of(principal, &wish).await?;
        let amount = match wish.amount {
            Some(amount) => amount,
            None => {
                self.parts
                    .ledger
                    .available(principal.tenant, place.account)
                    .await?
            }
        };
        if !amount.is_positive() {
            return Err(Error::InsufficientFunds);
        }
        let payout = self.new_payout(principal, wish, (place, amount));
        let mut changes = ChangeSet::new();
        store::payouts::insert(&mut changes, &payout);
        key.record(&mut changes, payout.id.as_uuid(), payout.created_at);
        match self.commit(changes).await {
            Ok(()) => self.reserve(payout).await.map(Outcome::Applied),
            Err(error) if IdempotencyKey::lost(&error) => match key.find(self.database()).await? {
                Some(id) => self.repeated(id.into()).await,
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn new_payout(
        &self,
        principal: &Principal,
        wish: NewPayout,
        (place, amount): (Place, Money),
    ) -> Payout {
        let now = self.now();
        Payout {
            id: self.parts.ids.next(),
            tenant: principal.tenant,
            owner: wish.owner,
            account: place.account,
            amount,
            destination: place.destination,
            batch: wish.batch,
            transaction: None,
            reason: String::new(),
            created_by: principal.subject.clone(),
            state: State::Reserved,
            step: Step::Reserve,
            transfers: self.parts.ids.next(),
            attempts: 0,
            held_until: place.held_until,
            is_seen: false,
            seen_line: None,
            returned_line: None,
            asked_at: None,
            // Whoever asked reserves it; after that time somebody else does.
            next_wake_at: Some(self.lease()),
            business_at: wish.business_at.unwrap_or(now),
            created_at: now,
            sent_at: None,
            finished_at: None,
            event_sequence: 0,
            version: 1,
        }
    }

    /// Money goes to the bank account that its owner has registered, whoever asks for the payout.
    async fn place_of(&self, principal: &Principal, wish: &NewPayout) -> Result<Place, Error> {
        match wish.owner.kind {
            OwnerKind::Merchant => {
                let id: MerchantId = wish.owner.id.parse().map_err(|_| Error::OwnerNotFound)?;
                let found = self.parts.merchants.find(principal.tenant, id).await?;
                let found = found
                    .filter(|found| found.currency == wish.currency)
                    .ok_or(Error::OwnerNotFound)?;
                if found.destination.is_empty() {
                    return Err(Error::DestinationMissing);
                }
                if !wish.destination.is_empty() && wish.destination != found.destination {
                    return Err(Error::DestinationForeign);
                }
                Ok(Place {
                    account: found.available,
                    held_until: self.held_until(&found, wish.business_at),
                    destination: found.destination,
                })
            }
            OwnerKind::User => Err(Error::PersonWithdraws),
        }
    }

    /// Until when a merchant's bank account is too new to be paid to; None when it is not. A sandbox's business time may be ahead of
    /// the clock; then it decides.
    fn held_until(&self, of: &Merchant, business_at: Option<Timestamp>) -> Option<Timestamp> {
        let wait = Duration::from_millis(self.parts.settings.destination_cooling_off_ms);
        let until = of.destination_changed_at?.plus(wait);
        let now = self.now();
        let is_over = until <= business_at.map_or(now, |at| at.max(now));
        (!is_over).then_some(until)
    }

    /// What becomes of a payout to a merchant whose bank account was a new one, or may be another than the transaction says (V2, V3).
    pub(super) async fn step_hold(&self, payout: &Payout) -> Result<(), Error> {
        let word = match self.merchant_of(payout).await {
            Ok(Some(found)) if found.destination == payout.destination => {
                match self.held_until(&found, Some(payout.business_at)) {
                    Some(until) => Word::Held { until },
                    None => Word::Released,
                }
            }
            Ok(_) => Word::Misdirected,
            Err(error) => {
                self.delay(payout).await?;
                return Err(error.into());
            }
        };
        if word == Word::Misdirected {
            tracing::warn!(payout = %payout.id, "a payout goes to no bank account that its merchant has registered; it is not sent");
        }
        self.told(payout.id, word).await.map(|_| ())
    }

    async fn merchant_of(&self, payout: &Payout) -> Result<Option<Merchant>, CallError> {
        match payout.owner.id.parse() {
            Ok(id) => self.parts.merchants.find(payout.tenant, id).await,
            Err(_) => Ok(None),
        }
    }

    /// The same key again: what came of it, or the rest of it.
    async fn repeated(&self, id: PayoutId) -> Result<Outcome<Payout>, Error> {
        let found = store::payouts::find(self.database(), id).await?;
        let payout = found.ok_or(Error::PayoutNotFound)?;
        self.reserve(payout).await.map(Outcome::AlreadyApplied)
    }

    async fn reserve(&self, payout: Payout) -> Result<Payout, Error> {
        let payout = if payout.step == Step::Reserve {
            self.step_reserve(&payout).await?
        } else {
            payout
        };
        let is_refused = payout.state == State::Failed && payout.event_sequence == 0;
        match (is_refused, payout.reason.as_str()) {
            (false, _) => Ok(payout),
            (true, NOT_COVERED) => Err(Error::InsufficientFunds),
            (true, reason) => Err(Error::ReservationRefused(reason.to_owned())),
        }
    }

    /// One payout that the caller may see.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn payout(
        &self,
        principal: &Principal,
        id: PayoutId,
    ) -> Result<Payout, Error> {
        let found = store::payouts::find(self.database(), id).await?;
        found
            .filter(|payout| payout.tenant == principal.tenant && may_see(principal, &payout.owner))
            .ok_or(Error::PayoutNotFound)
    }

    /// Payouts that the caller may see, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn payouts(
        &self,
        principal: &Principal,
        wanted: Wanted,
        mut filter: store::payouts::Filter,
    ) -> Result<Vec<Payout>, Error> {
        if !principal.sees_whole_tenant() {
            let Some(merchant) = principal.merchant else {
                return Ok(Vec::new());
            };
            let own = Owner {
                kind: OwnerKind::Merchant,
                id: merchant.to_string(),
            };
            if filter.owner.as_ref().is_some_and(|owner| *owner != own) {
                return Ok(Vec::new());
            }
            filter.owner = Some(own);
        }
        Ok(store::payouts::list(self.database(), wanted, &filter).await?)
    }
}
