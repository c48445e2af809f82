//! Quotes: lock, consume, read.

use std::time::Duration;

use paymesh_kernel::{ChangeSet, CommitError, Principal, Timestamp};
use uuid::Uuid;

use super::{ATTEMPTS, App};
use crate::{
    domain::{Ask, Consumption, OperationId, Outcome, Quote, QuoteId, State},
    error::Error,
    events,
    store::{self, quotes},
};

/// What locks a quote.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    /// Made by the caller; the key of the command.
    pub(crate) id: QuoteId,
    /// What is exchanged.
    pub(crate) ask: Ask,
    /// The default when None.
    pub(crate) ttl: Option<Duration>,
    /// Now when None.
    pub(crate) business_at: Option<Timestamp>,
    /// Consumes it at once.
    pub(crate) consume_for: Option<OperationId>,
    /// Hash of what was asked.
    pub(crate) fingerprint: Uuid,
}

/// Which quotes are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListQuotes {
    /// All when None.
    pub(crate) state: Option<State>,
    /// Made at or after.
    pub(crate) from: Option<Timestamp>,
    /// Made before.
    pub(crate) until: Option<Timestamp>,
    /// The last of the page before.
    pub(crate) after: Option<quotes::Place>,
    /// Items wanted.
    pub(crate) size: usize,
}

// === impl App ===

impl App {
    /// Fixes both amounts (X1), and binds them to an operation at once when one is named. One commit.
    pub(crate) async fn lock_quote(
        &self,
        principal: &Principal,
        lock: Lock,
    ) -> Result<Outcome<Quote>, Error> {
        let now = self.now();
        let quote = match self.new_quote(principal, &lock, now) {
            Ok(quote) => quote,
            // A repeat is answered as the first time, whatever has become of the rates.
            Err(error) => return self.repeated(principal, &lock).await?.ok_or(error),
        };
        let mut changes = ChangeSet::new();
        quotes::insert(&mut changes, &quote);
        events::quote_changed(&mut changes, &self.ids, &quote, now);
        match self.writer.commit(changes).await {
            Ok(()) => Ok(Outcome::Applied(quote)),
            Err(error) if error.is_duplicate(store::QUOTE_KEY) => self
                .repeated(principal, &lock)
                .await?
                .ok_or(Error::Commit(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Binds a quote to one operation, once and for good (X7).
    pub(crate) async fn consume_quote(
        &self,
        principal: &Principal,
        id: QuoteId,
        operation: OperationId,
    ) -> Result<Outcome<Quote>, Error> {
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let quote = self.quote(principal, id).await?;
            let quote = match quote.consume(operation.clone(), now)? {
                Outcome::AlreadyApplied(quote) => return Ok(Outcome::AlreadyApplied(quote)),
                Outcome::Applied(quote) => quote,
            };
            let mut changes = ChangeSet::new();
            quotes::update(&mut changes, &quote);
            events::quote_changed(&mut changes, &self.ids, &quote, now);
            match self.writer.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(quote)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// A quote that the principal may see (X8).
    pub(crate) async fn quote(&self, principal: &Principal, id: QuoteId) -> Result<Quote, Error> {
        quotes::find(&self.database, id)
            .await?
            .filter(|quote| quote.is_visible_to(principal))
            .ok_or(Error::QuoteNotFound)
    }

    /// Quotes of the principal's tenant, newest first, and the place of the last one when there are more.
    pub(crate) async fn list_quotes(
        &self,
        principal: &Principal,
        wanted: ListQuotes,
    ) -> Result<(Vec<Quote>, Option<quotes::Place>), Error> {
        let filter = quotes::Filter {
            state: wanted.state,
            from: wanted.from,
            until: wanted.until,
            now: self.now(),
        };
        let limit = u64::try_from(wanted.size.saturating_add(1)).unwrap_or(u64::MAX);
        let page = (wanted.after, limit);
        let mut found = quotes::list(&self.database, principal.tenant, filter, page).await?;
        let has_more = found.len() > wanted.size;
        found.truncate(wanted.size);
        let next = found
            .last()
            .filter(|_| has_more)
            .map(|quote| (quote.created_at, quote.id));
        Ok((found, next))
    }

    fn new_quote(
        &self,
        principal: &Principal,
        lock: &Lock,
        now: Timestamp,
    ) -> Result<Quote, Error> {
        let (priced, mid) = self.price(&lock.ask, lock.business_at)?;
        let ttl = lock
            .ttl
            .unwrap_or(Duration::from_millis(self.config.quote_ttl_ms));
        let consumed = lock.consume_for.clone();
        Ok(Quote {
            id: lock.id,
            tenant: principal.tenant,
            created_by: principal.subject.clone(),
            ask: lock.ask,
            priced,
            mid_rate: mid.rate,
            spread_bp: self.config.spread_bp,
            rate_source: mid.source,
            rate_date: mid.date,
            consumed: consumed.map(|by| Consumption { by, at: now }),
            business_at: lock.business_at.unwrap_or(now),
            expires_at: now.plus(ttl),
            created_at: now,
            fingerprint: lock.fingerprint,
            version: 1,
        })
    }

    /// The quote that an earlier request with this id made; None when there was none.
    async fn repeated(
        &self,
        principal: &Principal,
        lock: &Lock,
    ) -> Result<Option<Outcome<Quote>>, Error> {
        let Some(quote) = quotes::find(&self.database, lock.id).await? else {
            return Ok(None);
        };
        if quote.is_visible_to(principal) && quote.fingerprint == lock.fingerprint {
            Ok(Some(Outcome::AlreadyApplied(quote)))
        } else {
            Err(Error::QuoteIdReused)
        }
    }
}
