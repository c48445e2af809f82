//! An entry: one account's half of a booked transfer, with the sums after it. It is never updated (A4).

use std::sync::Arc;

use paymesh_kernel::Timestamp;

use super::{
    balance::{Balance, Delta},
    ids::AccountId,
    transfer::{Kind, Transfer},
    words::words,
};

words! {
    /// A side of an account.
    Side {
        /// Debited.
        Debit = "debit",
        /// Credited.
        Credit = "credit",
    }
}

/// One line of an account.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose line it is.
    pub account: AccountId,
    /// From 1, without gaps, per account.
    pub sequence: i64,
    /// Which side.
    pub side: Side,
    /// The account's sums after it.
    pub balance: Balance,
    /// The account's version after the batch.
    pub account_version: i64,
    /// The transfer that it is half of.
    pub transfer: Arc<Transfer>,
}

// === impl Side ===

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

// === impl Entry ===

impl Entry {
    /// The account on the other side.
    #[must_use]
    pub fn counter_account(&self) -> AccountId {
        match self.side {
            Side::Debit => self.transfer.credit,
            Side::Credit => self.transfer.debit,
        }
    }

    /// When it was booked.
    #[must_use]
    pub fn booked_at(&self) -> Timestamp {
        self.transfer.booked_at
    }
}

/// What a transfer does to each of its two accounts.
#[must_use]
pub fn delta(kind: Kind, amount: i64, released: i64) -> Delta {
    // Both are above zero or zero, so the negation fits.
    let released = released.saturating_neg();
    match kind {
        Kind::Single => Delta {
            pending: 0,
            posted: amount,
        },
        Kind::Pending => Delta {
            pending: amount,
            posted: 0,
        },
        Kind::Post => Delta {
            pending: released,
            posted: amount,
        },
        Kind::Void => Delta {
            pending: released,
            posted: 0,
        },
    }
}
