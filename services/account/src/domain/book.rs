//! The fold: commands in the order of their arrival against a working set of rows, the same whatever the batches are cut to (A7).
//!
//! The caller loads everything that the commands may touch and fills it in; the book changes its own copies and says at the end what
//! to write. A group that is rejected leaves no trace: each change is journaled and taken back.

mod apply;
mod body;
mod check;
mod command;
mod result;
mod seal;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;
use uuid::Uuid;

use super::{
    account::Account,
    batch::Fact,
    chain::Head,
    chart::Purpose,
    entry::Entry,
    ids::{AccountId, TransferId},
    key::AccountKey,
    period::{Period, Periods},
    transfer::{Pending, Tombstone, Transfer},
};

pub use command::{Expiry, Opened, Opening};
pub use result::{GroupResult, ResultCode, TransferResult};

/// An account in the working set.
#[derive(Clone, Debug)]
struct Slot {
    account: Account,
    origin: Origin,
    /// Sums or state differ from what is stored.
    touched: bool,
    /// Which command touched it last.
    cause: usize,
}

/// A pending transfer in the working set.
#[derive(Clone, Debug)]
struct PendingSlot {
    pending: Pending,
    origin: Origin,
    touched: bool,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It was loaded.
    Stored,
    /// It is new in this batch.
    New,
}

/// How to take a change back.
#[derive(Debug)]
enum Undo {
    Account(AccountId, Option<Box<Slot>>),
    Reference(Uuid),
    Transfer(TransferId),
    Pending(TransferId, Option<PendingSlot>),
    Tombstone(Tombstone),
}

/// Lengths of what grows, to cut back to.
#[derive(Clone, Copy, Debug)]
struct Mark {
    transfers: usize,
    entries: usize,
    facts: usize,
    tombstones: usize,
}

/// The working set of one batch.
#[derive(Debug)]
pub struct Book {
    head: Head,
    /// The moment that everything in the batch is booked at.
    at: Timestamp,
    accounts: HashMap<AccountId, Slot>,
    /// Accounts that exist, by reference.
    references: HashMap<Uuid, AccountId>,
    /// Ids for accounts that do not exist yet, by reference.
    prospects: HashMap<Uuid, AccountId>,
    transfers: HashMap<TransferId, Arc<Transfer>>,
    pendings: HashMap<TransferId, PendingSlot>,
    /// By the id that must not be booked.
    tombstones: HashMap<(TenantId, TransferId), Tombstone>,
    /// By the void that left the tombstone.
    voids: HashMap<(TenantId, TransferId), Tombstone>,
    periods: Periods,
    journal: Vec<Undo>,
    booked: Vec<Arc<Transfer>>,
    entries: Vec<Entry>,
    facts: Vec<Fact>,
    buried: Vec<Tombstone>,
    closings: Vec<Period>,
    /// Accounts that were touched, in the order of the first touch.
    touched: Vec<AccountId>,
    touched_set: HashSet<AccountId>,
}

// === impl Book: loading ===

impl Book {
    /// An empty working set on top of `head`.
    #[must_use]
    pub fn new(head: Head, now: Timestamp) -> Self {
        let at = head.next_moment(now);
        Self {
            head,
            at,
            accounts: HashMap::new(),
            references: HashMap::new(),
            prospects: HashMap::new(),
            transfers: HashMap::new(),
            pendings: HashMap::new(),
            tombstones: HashMap::new(),
            voids: HashMap::new(),
            periods: Periods::default(),
            journal: Vec::new(),
            booked: Vec::new(),
            entries: Vec::new(),
            facts: Vec::new(),
            buried: Vec::new(),
            closings: Vec::new(),
            touched: Vec::new(),
            touched_set: HashSet::new(),
        }
    }

    /// The moment of the batch.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Adds a stored account.
    ///
    /// # Panics
    /// When one of its sums is below zero (A2).
    pub fn add_account(&mut self, account: Account) {
        assert!(
            account.balance.is_sound(),
            "A2: a stored sum is not below zero"
        );
        self.references.insert(account.key.reference(), account.id);
        let slot = Slot {
            account,
            origin: Origin::Stored,
            touched: false,
            cause: 0,
        };
        self.accounts.insert(slot.account.id, slot);
    }

    /// Says which id an account gets if it is opened in this batch.
    pub fn add_prospect(&mut self, reference: Uuid, id: AccountId) {
        self.prospects.insert(reference, id);
    }

    /// Adds a stored transfer.
    pub fn add_transfer(&mut self, transfer: Transfer) {
        self.transfers.insert(transfer.id, Arc::new(transfer));
    }

    /// Adds the fate of a stored pending transfer.
    pub fn add_pending(&mut self, pending: Pending) {
        let slot = PendingSlot {
            pending,
            origin: Origin::Stored,
            touched: false,
        };
        self.pendings.insert(pending.id, slot);
    }

    /// Adds a stored tombstone.
    pub fn add_tombstone(&mut self, tombstone: Tombstone) {
        let tenant = tombstone.tenant;
        self.tombstones.insert((tenant, tombstone.id), tombstone);
        self.voids.insert((tenant, tombstone.void), tombstone);
    }

    /// Adds a closed period.
    pub fn add_period(&mut self, period: Period) {
        self.periods.add(period);
    }

    /// Accounts of the working set, for the caller's memory of references.
    pub fn references(&self) -> impl Iterator<Item = (Uuid, AccountId)> + '_ {
        self.references
            .iter()
            .map(|(reference, id)| (*reference, *id))
    }
}

// === impl Book: looking and changing ===

impl Book {
    /// An account of the tenant.
    fn account(&self, tenant: TenantId, id: AccountId) -> Option<&Account> {
        let account = &self.accounts.get(&id)?.account;
        (account.key.tenant() == tenant).then_some(account)
    }

    /// The key of the tenant's suspense account.
    #[must_use]
    pub fn suspense_key(tenant: TenantId, currency: Currency) -> AccountKey {
        AccountKey::try_new(tenant, None, Purpose::Suspense, currency, "")
            .expect("suspense belongs to the tenant and has no connector")
    }

    /// A transfer that is booked, in the database or earlier in this batch.
    fn transfer(&self, tenant: TenantId, id: TransferId) -> Option<&Arc<Transfer>> {
        let transfer = self.transfers.get(&id)?;
        (transfer.tenant == tenant).then_some(transfer)
    }

    fn pending(&self, id: TransferId) -> Pending {
        let slot = self.pendings.get(&id);
        slot.expect("A5: a pending transfer has a fate").pending
    }

    /// Changes an account, journaled.
    fn change_account(&mut self, id: AccountId, cause: usize, change: impl FnOnce(&mut Account)) {
        let slot = self.accounts.get_mut(&id);
        let slot = slot.expect("an account is looked up before it is changed");
        self.journal
            .push(Undo::Account(id, Some(Box::new(slot.clone()))));
        if !slot.touched && slot.origin == Origin::Stored {
            slot.account.version = slot.account.version.saturating_add(1);
        }
        slot.touched = true;
        slot.cause = cause;
        slot.account.updated_at = self.at;
        change(&mut slot.account);
        if self.touched_set.insert(id) {
            self.touched.push(id);
        }
    }

    /// Adds a new account, journaled.
    fn insert_account(&mut self, account: Account, cause: usize) {
        let (id, reference) = (account.id, account.key.reference());
        self.journal.push(Undo::Account(id, None));
        self.journal.push(Undo::Reference(reference));
        self.references.insert(reference, id);
        let slot = Slot {
            account,
            origin: Origin::New,
            touched: true,
            cause,
        };
        self.accounts.insert(id, slot);
        if self.touched_set.insert(id) {
            self.touched.push(id);
        }
    }

    fn change_pending(&mut self, pending: Pending) {
        let old = self.pendings.get(&pending.id).cloned();
        let origin = old.as_ref().map_or(Origin::New, |slot| slot.origin);
        self.journal.push(Undo::Pending(pending.id, old));
        let slot = PendingSlot {
            pending,
            origin,
            touched: true,
        };
        self.pendings.insert(pending.id, slot);
    }

    fn mark(&mut self) -> Mark {
        self.journal.clear();
        Mark {
            transfers: self.booked.len(),
            entries: self.entries.len(),
            facts: self.facts.len(),
            tombstones: self.buried.len(),
        }
    }

    /// Takes everything back that was done since the mark.
    fn roll_back(&mut self, mark: Mark) {
        self.booked.truncate(mark.transfers);
        self.entries.truncate(mark.entries);
        self.facts.truncate(mark.facts);
        self.buried.truncate(mark.tombstones);
        while let Some(undo) = self.journal.pop() {
            match undo {
                Undo::Account(id, Some(slot)) => {
                    self.accounts.insert(id, *slot);
                }
                Undo::Account(id, None) => {
                    self.accounts.remove(&id);
                }
                Undo::Reference(reference) => {
                    self.references.remove(&reference);
                }
                Undo::Transfer(id) => {
                    self.transfers.remove(&id);
                }
                Undo::Pending(id, Some(slot)) => {
                    self.pendings.insert(id, slot);
                }
                Undo::Pending(id, None) => {
                    self.pendings.remove(&id);
                }
                Undo::Tombstone(Tombstone {
                    id, tenant, void, ..
                }) => {
                    self.tombstones.remove(&(tenant, id));
                    self.voids.remove(&(tenant, void));
                }
            }
        }
    }

    /// The place of the next leaf.
    fn next_leaf(&self) -> i64 {
        let booked = i64::try_from(self.booked.len()).expect("a batch is limited");
        self.head.frontier.size().saturating_add(booked)
    }

    /// The height of this batch, if it books anything.
    fn height(&self) -> i64 {
        self.head.height.saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
