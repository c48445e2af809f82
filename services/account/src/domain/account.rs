//! Accounts and what may become of them.

use std::sync::Arc;

use paymesh_kernel::Timestamp;

use super::{
    balance::{Balance, Bounds},
    ids::AccountId,
    key::AccountKey,
    words::words,
};

words! {
    /// What an account may do.
    AccountState {
        /// Everything.
        Active = "active",
        /// Be credited only.
        Suspended = "suspended",
        /// Nothing.
        Closed = "closed",
    }
}

words! {
    /// What is done to an account by a person or a component.
    Change {
        /// Block debits.
        Suspend = "suspend",
        /// Let it be debited again.
        Resume = "resume",
        /// Close it for good.
        Close = "close",
        /// Close it when it is empty, else suspend it: its owner is leaving.
        Retire = "retire",
    }
}

/// An account of the ledger.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What makes it unique.
    pub key: Arc<AccountKey>,
    /// Limits that transfers keep.
    pub bounds: Bounds,
    /// What it may do.
    pub state: AccountState,
    /// Why it is suspended or closed; empty when active.
    pub state_reason: Arc<str>,
    /// Its sums.
    pub balance: Balance,
    /// Raised by one with each batch that touched it.
    pub version: i64,
    /// The newest entry's place.
    pub entry_sequence: i64,
    /// The newest event's place.
    pub event_sequence: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was touched last.
    pub updated_at: Timestamp,
}

/// What a change comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It gets this state.
    Become(AccountState),
    /// It has it already.
    Already,
}

/// Why an account stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// Closed is for good.
    #[error("the account is closed")]
    Closed,
    /// It holds money, or money is reserved on it.
    #[error("the account is not empty: its balance and reservations must be zero")]
    NotEmpty,
    /// Transactions that are under way rely on it.
    #[error("an account of the platform itself cannot be suspended or closed")]
    OfPlatform,
}

// === impl Account ===

impl Account {
    /// A new account, empty.
    #[must_use]
    pub fn open(id: AccountId, key: Arc<AccountKey>, bounds: Bounds, now: Timestamp) -> Self {
        Self {
            id,
            key,
            bounds,
            state: AccountState::Active,
            state_reason: Arc::from(""),
            balance: Balance::default(),
            version: 1,
            entry_sequence: 0,
            event_sequence: 0,
            opened_at: now,
            updated_at: now,
        }
    }

    /// Decides what a change comes to.
    ///
    /// # Errors
    /// See [`ChangeRefused`].
    pub fn decide(&self, change: Change) -> Result<Decision, ChangeRefused> {
        use AccountState::{Active, Closed, Suspended};
        if !self.key.purpose().is_held_for_somebody() {
            return Err(ChangeRefused::OfPlatform);
        }
        let empty = self.balance.is_empty();
        match (change, self.state) {
            (Change::Suspend, Active) => Ok(Decision::Become(Suspended)),
            (Change::Resume, Suspended) => Ok(Decision::Become(Active)),
            (Change::Close | Change::Retire, Active | Suspended) if empty => {
                Ok(Decision::Become(Closed))
            }
            (Change::Retire, Active) => Ok(Decision::Become(Suspended)),
            (Change::Close, Active | Suspended) => Err(ChangeRefused::NotEmpty),
            (Change::Suspend | Change::Resume, Closed) => Err(ChangeRefused::Closed),
            (Change::Suspend | Change::Retire, Suspended)
            | (Change::Resume, Active)
            | (Change::Close | Change::Retire, Closed) => Ok(Decision::Already),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use paymesh_kernel::id::{TenantId, UserId};
    use paymesh_money::Currency;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        chart::{OwnerKind, Purpose},
        key::Owner,
    };

    fn account(state: AccountState, credits_posted: i64) -> Account {
        let user = UserId::from(Uuid::from_u128(2)).to_string();
        let owner = Owner {
            kind: OwnerKind::User,
            id: user,
        };
        let tenant = TenantId::from(Uuid::from_u128(1));
        let purpose = Purpose::CustomerBalance;
        let key = AccountKey::try_new(tenant, Some(owner), purpose, Currency::USD, "").unwrap();
        let id = AccountId::from(Uuid::from_u128(3));
        let mut account = Account::open(id, Arc::new(key), purpose.bounds(), Timestamp::EPOCH);
        account.state = state;
        account.balance.credits_posted = credits_posted;
        account
    }

    #[test]
    fn a_change_of_state_is_legal_repeated_or_refused() {
        use AccountState::{Active, Closed, Suspended};
        use Change::{Close, Resume, Retire, Suspend};
        use Decision::{Already, Become};
        for (change, state, funds, wanted) in [
            (Suspend, Active, 5, Ok(Become(Suspended))),
            (Suspend, Suspended, 5, Ok(Already)),
            (Suspend, Closed, 0, Err(ChangeRefused::Closed)),
            (Resume, Active, 5, Ok(Already)),
            (Resume, Suspended, 5, Ok(Become(Active))),
            (Resume, Closed, 0, Err(ChangeRefused::Closed)),
            (Close, Active, 0, Ok(Become(Closed))),
            (Close, Suspended, 0, Ok(Become(Closed))),
            (Close, Active, 5, Err(ChangeRefused::NotEmpty)),
            (Close, Suspended, 5, Err(ChangeRefused::NotEmpty)),
            (Close, Closed, 0, Ok(Already)),
            (Retire, Active, 0, Ok(Become(Closed))),
            (Retire, Active, 5, Ok(Become(Suspended))),
            (Retire, Suspended, 5, Ok(Already)),
            (Retire, Suspended, 0, Ok(Become(Closed))),
            (Retire, Closed, 0, Ok(Already)),
        ] {
            assert_eq!(
                account(state, funds).decide(change),
                wanted,
                "{change} {state} {funds}"
            );
        }
    }

    #[test]
    fn an_account_of_the_platform_is_never_suspended() {
        let tenant = TenantId::from(Uuid::from_u128(1));
        let key = AccountKey::try_new(tenant, None, Purpose::Clearing, Currency::USD, "").unwrap();
        let id = AccountId::from(Uuid::from_u128(3));
        let clearing = Account::open(id, Arc::new(key), Bounds::default(), Timestamp::EPOCH);
        for change in Change::ALL {
            assert_eq!(clearing.decide(*change), Err(ChangeRefused::OfPlatform));
        }
    }
}
