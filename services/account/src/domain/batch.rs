//! What a batch of commands comes to: the rows to write in one tx, and the new head.

use std::sync::Arc;

use super::{
    account::Account,
    chain::{BatchHead, Head},
    entry::Entry,
    ids::AccountId,
    key::AccountKey,
    period::Period,
    transfer::{Pending, Tombstone, Transfer},
    tree::Node,
};

/// Everything that one commit writes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The head after it.
    pub head: Head,
    /// The new link of the chain, when transfers were booked.
    pub link: Option<BatchHead>,
    /// Subtrees that were completed.
    pub nodes: Vec<Node>,
    /// New accounts.
    pub opened: Vec<Account>,
    /// Accounts with other sums or another state.
    pub changed: Vec<Account>,
    /// New transfers, in the order of their leaves.
    pub transfers: Vec<Arc<Transfer>>,
    /// Two for each transfer.
    pub entries: Vec<Entry>,
    /// Reservations that are new.
    pub reserved: Vec<Pending>,
    /// Reservations that ended.
    pub resolved: Vec<Pending>,
    /// Ids that must not be booked any more.
    pub tombstones: Vec<Tombstone>,
    /// Closed periods.
    pub periods: Vec<Period>,
    /// What is to be told, per account in the order of the sequence.
    pub facts: Vec<Fact>,
}

/// Something that happened to an account.
#[derive(Clone, Debug)]
pub struct Fact {
    /// To which one.
    pub account: AccountId,
    /// What makes it unique.
    pub key: Arc<AccountKey>,
    /// The n-th fact of the account, from 1.
    pub sequence: i64,
    /// Which command of the batch led to it.
    pub cause: usize,
    /// What happened.
    pub what: What,
}

/// What happened to an account.
#[derive(Clone, Debug)]
pub enum What {
    /// It was opened.
    Created,
    /// Its debits are blocked.
    Suspended(Arc<str>),
    /// It may be debited again.
    Resumed(Arc<str>),
    /// It was closed.
    Closed(Arc<str>),
    /// A forced transfer took it over its bound.
    Overdrawn {
        /// The transfer.
        transfer: Arc<Transfer>,
        /// By how much the bound is crossed, in minor units.
        by: i64,
    },
    /// A reservation ended by itself.
    HoldExpired(Arc<Transfer>),
    /// Its sums after the batch.
    BalanceUpdated(Account),
}

// === impl Batch ===

impl Batch {
    /// True when there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty()
            && self.changed.is_empty()
            && self.tombstones.is_empty()
            && self.periods.is_empty()
    }
}
