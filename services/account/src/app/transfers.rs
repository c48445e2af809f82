//! Transfers: post and look at.

use std::collections::{HashMap, HashSet};

use paymesh_kernel::{Principal, Timestamp};

use super::{
    App,
    access::may_see,
    command::{Answer, Command},
};
use crate::{
    domain::{
        AccountId, Kind, PendingState, TransactionId, Transfer, TransferId, book::GroupResult,
        transfer::Asked,
    },
    error::Error,
    store::{self, Page, entry::Dates, transfer::EntryPlace},
};

/// A booked transfer and, when it is pending, what became of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// As booked.
    pub transfer: Transfer,
    /// Of pending transfers.
    pub state: Option<PendingState>,
}

/// Which transfers to list.
#[derive(Clone, Copy, Debug)]
pub struct TransferFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this business transaction.
    pub transaction: Option<TransactionId>,
    /// Booked in this span.
    pub booked: Dates,
}

/// Behind which transfer a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferPlace {
    /// In the list of an account.
    Entry(EntryPlace),
    /// In the list of a tenant.
    Leaf(i64),
}

impl App {
    /// Books groups of transfers.
    ///
    /// # Errors
    /// When the writer fails; a rejected transfer is a result.
    pub async fn post_transfers(
        &self,
        principal: &Principal,
        groups: Vec<Vec<Asked>>,
    ) -> Result<Vec<GroupResult>, Error> {
        let command = Command::Post {
            tenant: principal.tenant,
            groups,
        };
        let Answer::Posted(results) = self.submit(command).await? else {
            return Err(Error::WrongAnswer);
        };
        Ok(results)
    }

    /// One booked transfer.
    ///
    /// # Errors
    /// When there is none that the principal may see.
    pub async fn transfer(&self, principal: &Principal, id: TransferId) -> Result<Shown, Error> {
        let mut found = self.lookup_transfers(principal, &[id]).await?;
        found.remove(&id).ok_or(Error::TransferNotFound)
    }

    /// Booked transfers by their ids; what is not booked, or not for the principal, is missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lookup_transfers(
        &self,
        principal: &Principal,
        ids: &[TransferId],
    ) -> Result<HashMap<TransferId, Shown>, Error> {
        let found = store::transfer::find(&self.database, principal.tenant, ids).await?;
        let visible = self
            .visible(principal, found.into_values().collect())
            .await?;
        let shown = self.show(visible).await?;
        Ok(shown
            .into_iter()
            .map(|shown| (shown.transfer.id, shown))
            .collect())
    }

    /// Booked transfers, oldest first, with the place of the last and whether there are more.
    ///
    /// # Errors
    /// When the account is not one that the principal may see, or the principal sees its own accounts only and names none.
    pub async fn transfers(
        &self,
        principal: &Principal,
        filter: TransferFilter,
        page: Page<TransferPlace>,
    ) -> Result<(Vec<Shown>, Option<TransferPlace>), Error> {
        match filter.account {
            Some(account) => {
                self.transfers_of_account(principal, account, filter, page)
                    .await
            }
            None if principal.sees_whole_tenant() => {
                self.transfers_of_tenant(principal, filter, page).await
            }
            None => Err(Error::field("account_id", "name one of your accounts")),
        }
    }

    async fn transfers_of_account(
        &self,
        principal: &Principal,
        account: AccountId,
        filter: TransferFilter,
        page: Page<TransferPlace>,
    ) -> Result<(Vec<Shown>, Option<TransferPlace>), Error> {
        self.account(principal, account).await?;
        let (first, last) = self.heights(filter.booked).await?;
        let mut after = match page.after {
            None => None,
            Some(TransferPlace::Entry(place)) => Some(place),
            Some(TransferPlace::Leaf(_)) => return Err(wrong_token()),
        };
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let mut shown = Vec::new();
        loop {
            let entries = Page {
                size: page.size,
                after,
            };
            let heights = first.saturating_add(1)..=last;
            let mut places =
                store::transfer::of_account(&self.database, account, heights, entries).await?;
            let more = places.len() > size;
            places.truncate(size);
            after = places.last().map(|(place, _)| *place);
            let ids: Vec<TransferId> = places.iter().map(|(_, id)| *id).collect();
            let mut found = store::transfer::find(&self.database, principal.tenant, &ids).await?;
            let wanted = |transfer: &Transfer| {
                filter
                    .transaction
                    .is_none_or(|t| transfer.transaction == Some(t))
            };
            let page_of = ids.iter().filter_map(|id| found.remove(id)).filter(wanted);
            shown.extend(page_of);
            // With a second condition a page of entries may hold few transfers: one that is not full goes on.
            if !more || shown.len() >= size || filter.transaction.is_none() {
                let next = after.filter(|_| more).map(TransferPlace::Entry);
                return Ok((self.show(shown).await?, next));
            }
        }
    }

    async fn transfers_of_tenant(
        &self,
        principal: &Principal,
        filter: TransferFilter,
        page: Page<TransferPlace>,
    ) -> Result<(Vec<Shown>, Option<TransferPlace>), Error> {
        let first = store::proof::before(&self.database, filter.booked.from)
            .await?
            .size;
        let last = store::proof::before(&self.database, filter.booked.until)
            .await?
            .size;
        let start = match page.after {
            None => first,
            Some(TransferPlace::Leaf(leaf)) => leaf.saturating_add(1).max(first),
            Some(TransferPlace::Entry(_)) => return Err(wrong_token()),
        };
        let leaves = start..last;
        let tenant = principal.tenant;
        let mut found = store::transfer::list(
            &self.database,
            tenant,
            filter.transaction,
            leaves,
            page.size,
        )
        .await?;
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| TransferPlace::Leaf(last.leaf_index));
        Ok((self.show(found).await?, next))
    }

    /// The heights before and at the end of a span of time: batches above the first, up to the second, lie in it.
    pub(super) async fn heights(&self, booked: Dates) -> Result<(i64, i64), Error> {
        let first = if booked.from == Timestamp::EPOCH {
            0
        } else {
            store::proof::before(&self.database, booked.from)
                .await?
                .height
        };
        let last = store::proof::before(&self.database, booked.until)
            .await?
            .height;
        Ok((first, last))
    }

    /// Those of the transfers that move money of an account that the principal may see.
    async fn visible(
        &self,
        principal: &Principal,
        transfers: Vec<Transfer>,
    ) -> Result<Vec<Transfer>, Error> {
        if principal.sees_whole_tenant() {
            return Ok(transfers);
        }
        let accounts: HashSet<AccountId> =
            transfers.iter().flat_map(|t| [t.debit, t.credit]).collect();
        let mut visible = HashSet::new();
        for id in accounts {
            let account = store::account::find(&self.database, principal.tenant, id).await?;
            if account.is_some_and(|account| may_see(principal, &account)) {
                visible.insert(id);
            }
        }
        let is_visible = |t: &Transfer| visible.contains(&t.debit) || visible.contains(&t.credit);
        Ok(transfers.into_iter().filter(is_visible).collect())
    }

    /// Adds what became of those that are pending.
    async fn show(&self, transfers: Vec<Transfer>) -> Result<Vec<Shown>, Error> {
        let pending = transfers
            .iter()
            .filter(|t| t.kind == Kind::Pending)
            .map(|t| t.id);
        let pending: Vec<TransferId> = pending.collect();
        let fates = if pending.is_empty() {
            HashMap::new()
        } else {
            store::transfer::fates(&self.database, pending).await?
        };
        let shown = transfers.into_iter().map(|transfer| Shown {
            state: fates.get(&transfer.id).map(|fate| fate.state),
            transfer,
        });
        Ok(shown.collect())
    }
}

fn wrong_token() -> Error {
    Error::field(
        "page.token",
        "is not of this list; ask without one for the first page",
    )
}
