//! Accounts: open, look at, suspend, resume, close.

use paymesh_kernel::{Principal, Role};

use super::{
    App, Outcome,
    access::{may_see, may_see_owner, owners},
    command::{Answer, Command},
};
use crate::{
    domain::{
        Account, AccountId, AccountKey, Bounds, Owner,
        account::Change,
        book::{Opened, Opening},
        transfer::AccountRef,
    },
    error::Error,
    store::{self, Page, account::AccountFilter},
};

/// A wish to open an account.
#[derive(Clone, Debug)]
pub struct OpenAccount {
    /// What makes it unique.
    pub key: AccountKey,
    /// The id that the caller made.
    pub id: Option<AccountId>,
    /// Limits; None is as the purpose has it.
    pub bounds: Option<Bounds>,
}

impl App {
    /// Opens an account, or finds the one that is there.
    ///
    /// # Errors
    /// When a person opens an account of somebody else, bounds are wider than the purpose's, the id is in use, or the writer fails.
    pub async fn open_account(
        &self,
        principal: &Principal,
        wish: OpenAccount,
    ) -> Result<Outcome<Account>, Error> {
        let is_staff = principal.sees_whole_tenant();
        if !may_see_owner(principal, wish.key.owner()) || (!is_staff && wish.bounds.is_some()) {
            return Err(Error::NotYours);
        }
        if wish
            .bounds
            .is_some_and(|bounds| !bounds.cover(wish.key.purpose().bounds()))
        {
            return Err(Error::field(
                "bounds",
                "must keep the bounds that accounts of this purpose have",
            ));
        }
        let found = store::account::find_by_reference(&self.database, wish.key.reference()).await?;
        if let Some(account) = found {
            return Ok(Outcome::AlreadyApplied(account));
        }
        let opening = Opening {
            id: wish.id.unwrap_or_else(|| self.ids.next()),
            key: wish.key,
            bounds: wish.bounds,
        };
        let Answer::Opened(opened) = self.submit(Command::Open(Box::new(opening))).await? else {
            return Err(Error::WrongAnswer);
        };
        match *opened {
            Opened::New(account) => Ok(Outcome::Applied(account)),
            Opened::Already(account) => Ok(Outcome::AlreadyApplied(account)),
            Opened::IdTaken => Err(Error::AccountIdTaken),
        }
    }

    /// One account.
    ///
    /// # Errors
    /// When there is none that the principal may see.
    pub async fn account(&self, principal: &Principal, id: AccountId) -> Result<Account, Error> {
        let account = store::account::find(&self.database, principal.tenant, id).await?;
        account
            .filter(|account| may_see(principal, account))
            .ok_or(Error::AccountNotFound)
    }

    /// One account, however it is named.
    ///
    /// # Errors
    /// When there is none that the principal may see.
    pub async fn account_by(
        &self,
        principal: &Principal,
        account: &AccountRef,
    ) -> Result<Account, Error> {
        match account {
            AccountRef::Id(id) => self.account(principal, *id).await,
            AccountRef::Key(key) => {
                let account =
                    store::account::find_by_reference(&self.database, key.reference()).await?;
                account
                    .filter(|account| may_see(principal, account))
                    .ok_or(Error::AccountNotFound)
            }
        }
    }

    /// Accounts that the principal may see, one more than the page holds if there are more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(
        &self,
        principal: &Principal,
        mut filter: AccountFilter,
        page: Page<AccountId>,
    ) -> Result<Vec<Account>, Error> {
        if !principal.sees_whole_tenant() {
            let own = owners(principal);
            filter.owner = match filter.owner {
                Some(owner) if own.contains(&owner) => Some(owner),
                Some(_) => return Ok(Vec::new()),
                None => Some(own_owner(principal, own).ok_or(Error::NotYours)?),
            };
        }
        Ok(store::account::list(&self.database, principal.tenant, &filter, page).await?)
    }

    /// Suspends, resumes or closes an account.
    ///
    /// # Errors
    /// When there is none that the principal may see, its state does not allow it, or the writer fails.
    pub async fn change_account(
        &self,
        principal: &Principal,
        id: AccountId,
        change: Change,
        reason: String,
    ) -> Result<Outcome<Account>, Error> {
        self.account(principal, id).await?;
        let command = Command::Change {
            tenant: principal.tenant,
            account: id,
            change,
            reason,
        };
        let Answer::Changed(changed) = self.submit(command).await? else {
            return Err(Error::WrongAnswer);
        };
        let (account, changed) = changed.ok_or(Error::AccountNotFound)??;
        Ok(if changed {
            Outcome::Applied(*account)
        } else {
            Outcome::AlreadyApplied(*account)
        })
    }

    /// Closes the accounts of somebody who leaves, and blocks the debits of those that still hold money. A repeat changes nothing.
    ///
    /// # Errors
    /// When the database or the writer fails.
    pub async fn retire_owner(
        &self,
        principal: &Principal,
        owner: &Owner,
        reason: &str,
    ) -> Result<(), Error> {
        let filter = AccountFilter {
            owner: Some(owner.clone()),
            ..AccountFilter::default()
        };
        let mut after = None;
        loop {
            let page = Page {
                size: RETIRED_AT_ONCE,
                after,
            };
            let accounts =
                store::account::list(&self.database, principal.tenant, &filter, page).await?;
            for account in &accounts {
                self.change_account(principal, account.id, Change::Retire, reason.to_owned())
                    .await?;
            }
            after = accounts.last().map(|account| account.id);
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// Accounts of a leaving owner that are read at once.
const RETIRED_AT_ONCE: u64 = 100;

/// Whose accounts are listed when nobody is named: the merchant's for somebody who acts for one, else the person's.
fn own_owner(principal: &Principal, own: Vec<Owner>) -> Option<Owner> {
    if principal.has(Role::Merchant) {
        own.into_iter().next_back()
    } else {
        own.into_iter().next()
    }
}
