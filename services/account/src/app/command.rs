//! What can be asked of the ledger's writer, and what it answers.

use std::sync::Arc;

use paymesh_kernel::id::TenantId;

use crate::domain::{
    Account, AccountId,
    account::{Change, ChangeRefused},
    book::{Expiry, GroupResult, Opened, Opening},
    period::{ClosePeriod, Closing, ClosingRefused},
    transfer::Asked,
};

/// A command in the queue.
#[derive(Debug)]
pub struct Request {
    /// What is to be done.
    pub command: Command,
    /// What led to it.
    pub cause: Cause,
}

/// What led to a command: goes into the envelopes of its facts.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The request that all began with.
    pub correlation_id: Arc<str>,
    /// The request or the event that led to this command.
    pub causation_id: Arc<str>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Book groups of transfers.
    Post {
        /// Whose.
        tenant: TenantId,
        /// Independent of each other.
        groups: Vec<Vec<Asked>>,
    },
    /// Open an account.
    Open(Box<Opening>),
    /// Suspend, resume or close an account.
    Change {
        /// Whose.
        tenant: TenantId,
        /// Which.
        account: AccountId,
        /// What to do.
        change: Change,
        /// Why.
        reason: String,
    },
    /// Close a period.
    ClosePeriod(Box<ClosePeriod>),
    /// End reservations whose time is over.
    Expire(Vec<Expiry>),
}

/// What a command came to.
#[derive(Debug)]
pub enum Answer {
    /// Of [`Command::Post`].
    Posted(Vec<GroupResult>),
    /// Of [`Command::Open`].
    Opened(Box<Opened>),
    /// Of [`Command::Change`]: the account and whether it changed; None when there is no such account.
    Changed(Option<Result<(Box<Account>, bool), ChangeRefused>>),
    /// Of [`Command::ClosePeriod`].
    PeriodClosed(Result<Box<Closing>, ClosingRefused>),
    /// Of [`Command::Expire`]: how many ended.
    Expired(usize),
}

// === impl Command ===

impl Command {
    /// How much it adds to a commit.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Post { groups, .. } => groups.iter().map(Vec::len).sum::<usize>().max(1),
            Self::Expire(expiries) => expiries.len().max(1),
            Self::Open(_) | Self::Change { .. } | Self::ClosePeriod(_) => 1,
        }
    }
}
