//! Reads: one transaction from its own row, lists and totals from the read models.

use std::time::Duration;

use paymesh_kernel::{Principal, Role, Timestamp, id::UserId};

use super::{App, Whole, access};
use crate::{
    domain::TransactionId,
    error::Error,
    store::{
        self,
        view::{self, Filter, Line, Place},
    },
};

/// One page of a list, and where the next begins.
#[derive(Clone, Debug)]
pub(crate) struct PageOf {
    pub(crate) items: Vec<Whole>,
    pub(crate) next: Option<Place>,
}

// === impl App ===

impl App {
    /// One transaction; waits a bounded time for its end when asked to.
    pub(crate) async fn get(
        &self,
        principal: &Principal,
        id: TransactionId,
        wait_ms: i32,
    ) -> Result<Whole, Error> {
        let transaction = self.visible(principal, id).await?;
        let wait = if wait_ms > 0 {
            self.patience(Some(wait_ms))
        } else {
            Duration::ZERO
        };
        let transaction = self.ended(transaction, wait).await?;
        self.whole(transaction).await
    }

    /// Transactions that the principal may see, newest first.
    pub(crate) async fn list(
        &self,
        principal: &Principal,
        filter: Filter,
        page: (Option<Place>, u64),
    ) -> Result<PageOf, Error> {
        let Some(filter) = narrowed(principal, filter) else {
            return Ok(PageOf {
                items: Vec::new(),
                next: None,
            });
        };
        let (after, size) = page;
        let limit = size.saturating_add(1);
        let found = view::list(
            &self.inner.database,
            principal.tenant,
            &filter,
            (after, limit),
        )
        .await?;
        self.page(found, size).await
    }

    /// Transactions in which a person pays or is paid, newest first.
    pub(crate) async fn list_of_user(
        &self,
        principal: &Principal,
        user: UserId,
        filter: Filter,
        page: (Option<Place>, u64),
    ) -> Result<PageOf, Error> {
        if !principal.sees_whole_tenant() && access::person(principal) != Some(user) {
            return Err(Error::PartyNotFound { field: "user_id" });
        }
        let (after, size) = page;
        let limit = size.saturating_add(1);
        let who = (principal.tenant, user);
        let found = view::list_of_user(&self.inner.database, who, &filter, (after, limit)).await?;
        self.page(found, size).await
    }

    async fn page(
        &self,
        found: Vec<(TransactionId, Timestamp)>,
        size: u64,
    ) -> Result<PageOf, Error> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let shown: Vec<TransactionId> = found.iter().take(size).map(|(id, _)| *id).collect();
        let last = (found.len() > size)
            .then(|| found.get(size.saturating_sub(1)))
            .flatten();
        let next = last.map(|(id, at)| (*at, id.as_uuid()));
        let items = store::transactions(&self.inner.database, &shown).await?;
        let whole = |(transaction, operations)| Whole {
            transaction,
            operations,
        };
        Ok(PageOf {
            items: items.into_iter().map(whole).collect(),
            next,
        })
    }

    /// Totals over a span of business time, and how fresh they are.
    pub(crate) async fn summary(
        &self,
        principal: &Principal,
        filter: Filter,
    ) -> Result<(Vec<Line>, Option<Timestamp>), Error> {
        match narrowed(principal, filter) {
            Some(filter) => {
                Ok(view::summary(&self.inner.database, principal.tenant, &filter).await?)
            }
            None => Ok((Vec::new(), None)),
        }
    }

    /// One transaction with the steps of its sagas.
    pub(crate) async fn history(
        &self,
        principal: &Principal,
        id: TransactionId,
    ) -> Result<Whole, Error> {
        let transaction = self.visible(principal, id).await?;
        self.whole(transaction).await
    }
}

/// The filter as far as the principal may see; None when that is nothing.
fn narrowed(principal: &Principal, mut filter: Filter) -> Option<Filter> {
    if principal.sees_whole_tenant() {
        return Some(filter);
    }
    if principal.has(Role::Merchant)
        && let Some(own) = principal.merchant
    {
        if filter.merchant.is_some_and(|asked| asked != own) {
            return None;
        }
        filter.merchant = Some(own);
        return Some(filter);
    }
    let own = access::person(principal)?;
    if filter.user.is_some_and(|asked| asked != own) {
        return None;
    }
    filter.user = Some(own);
    Some(filter)
}
