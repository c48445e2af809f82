//! Commands about accounts and periods, and the end of reservations whose time is over.

use std::sync::Arc;

use paymesh_kernel::id::TenantId;

use super::{
    Book,
    check::{Party, Posting},
};
use crate::domain::{
    Account, AccountId, AccountState, Bounds, Kind, PendingState, Side, Transfer, TransferId,
    account::{Change, ChangeRefused, Decision},
    batch::What,
    entry,
    key::AccountKey,
    period::{ClosePeriod, Closing, ClosingRefused},
    transfer::{ClosedCredit, Metadata, Pending},
};

/// A wish to open an account.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Its id, if it is new.
    pub id: AccountId,
    /// What makes it unique.
    pub key: AccountKey,
    /// Limits beyond those of its purpose.
    pub bounds: Option<Bounds>,
}

/// A reservation whose time is over, and the id of the transfer that releases it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The pending transfer.
    pub pending: TransferId,
    /// The release.
    pub void: TransferId,
}

/// What an opening comes to.
#[derive(Clone, Debug)]
pub enum Opened {
    /// It is new.
    New(Account),
    /// It was there.
    Already(Account),
    /// The id that the caller made belongs to another account.
    IdTaken,
}

impl Book {
    /// Opens an account, or finds the one that is there.
    pub fn open(&mut self, opening: &Opening, cause: usize) -> Opened {
        let known = self.references.get(&opening.key.reference());
        if let Some(slot) = known.and_then(|id| self.accounts.get(id)) {
            return Opened::Already(slot.account.clone());
        }
        if self.accounts.contains_key(&opening.id) {
            return Opened::IdTaken;
        }
        let bounds = opening.bounds.unwrap_or(opening.key.purpose().bounds());
        assert!(
            bounds.cover(opening.key.purpose().bounds()),
            "A3: an account has at least the bounds of its purpose"
        );
        let key = Arc::new(opening.key.clone());
        self.insert_account(Account::open(opening.id, key, bounds, self.at), cause);
        self.tell(opening.id, cause, What::Created);
        Opened::New(self.copy(opening.id))
    }

    /// Suspends, resumes or closes an account; None when the tenant has no such account. True when it changed.
    pub fn change(
        &mut self,
        tenant: TenantId,
        id: AccountId,
        wish: (Change, &str),
        cause: usize,
    ) -> Option<Result<(Account, bool), ChangeRefused>> {
        let (change, reason) = wish;
        let state = match self.account(tenant, id)?.decide(change) {
            Err(refused) => return Some(Err(refused)),
            Ok(Decision::Already) => return Some(Ok((self.copy(id), false))),
            Ok(Decision::Become(state)) => state,
        };
        let reason: Arc<str> = Arc::from(reason);
        let told = Arc::clone(&reason);
        let (kept, what) = match state {
            AccountState::Active => (Arc::from(""), What::Resumed(told)),
            AccountState::Suspended => (reason, What::Suspended(told)),
            AccountState::Closed => (reason, What::Closed(told)),
        };
        self.change_account(id, cause, |account| {
            account.state = state;
            account.state_reason = kept;
        });
        self.tell(id, cause, what);
        Some(Ok((self.copy(id), true)))
    }

    /// Closes a period.
    ///
    /// # Errors
    /// See [`ClosingRefused`].
    pub fn close_period(&mut self, wish: &ClosePeriod) -> Result<Closing, ClosingRefused> {
        // What this batch booked before belongs to the period's height.
        let height = if self.booked.is_empty() {
            self.head.height
        } else {
            self.height()
        };
        let closing = self.periods.close(wish, self.at, height)?;
        if let Closing::New(period) = &closing {
            self.periods.add(period.clone());
            self.closings.push(period.clone());
        }
        Ok(closing)
    }

    /// Releases a reservation whose time is over. False when it has ended already.
    pub fn expire(&mut self, expiry: Expiry, cause: usize) -> bool {
        let Some(pending) = self.transfers.get(&expiry.pending).cloned() else {
            return false;
        };
        let fate = self.pending(pending.id);
        if fate.state != PendingState::Pending || !fate.is_over(self.at) {
            return false;
        }
        self.mark();
        let delta = entry::delta(Kind::Void, pending.amount, pending.amount);
        let party = |id: AccountId, side: Side| {
            let slot = self.accounts.get(&id);
            let account = &slot
                .expect("both accounts of a reservation are loaded")
                .account;
            let balance = account.balance.with(side, delta);
            Party {
                id,
                opening: None,
                balance: balance.expect("A2: a release only makes sums smaller"),
                crossed: 0,
            }
        };
        let posting = Posting {
            id: expiry.void,
            kind: Kind::Void,
            debit: party(pending.debit, Side::Debit),
            credit: party(pending.credit, Side::Credit),
            redirected_from: pending.redirected_from,
            amount: pending.amount,
            released: pending.amount,
            currency: pending.currency,
            pending: Some(pending.id),
            code: pending.code,
            effective_at: self.at,
        };
        let release = Arc::new(Transfer {
            id: expiry.void,
            kind: Kind::Void,
            released: pending.amount,
            pending: Some(pending.id),
            group: expiry.void,
            metadata: Metadata::new(),
            closed_credit: ClosedCredit::Refuse,
            expires_at: None,
            effective_at: self.at,
            booked_at: self.at,
            leaf_index: self.next_leaf(),
            batch_height: self.height(),
            ..(*pending).clone()
        });
        self.book(posting, &release, cause);
        self.change_pending(Pending {
            state: PendingState::Expired,
            ..self.pending(pending.id)
        });
        self.tell(pending.debit, cause, What::HoldExpired(pending));
        true
    }

    fn copy(&self, id: AccountId) -> Account {
        let slot = self.accounts.get(&id);
        slot.expect("it was looked up a moment ago").account.clone()
    }
}
