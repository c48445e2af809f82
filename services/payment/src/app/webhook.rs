//! Webhooks: verified, committed, answered; then worked on.
//!
//! A webhook is only a reason to look. What it tells is not believed: the payment is fetched from the provider, unless we know
//! already what it tells.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use paymesh_kernel::{ChangeSet, CommitError, Timestamp, backoff::Backoff};

use super::{App, Outcome, look::Observed};
use crate::{
    connector::Delivery,
    domain::Book,
    error::Error,
    store::{StoreError, WebhookEvent, WebhookState},
};

/// Payments looked at side by side.
const CONCURRENT_LOOKS: usize = 16;

/// Events by connector and by the reference of the payment that they are about. Those about none are never due.
type Groups = BTreeMap<String, BTreeMap<String, Vec<WebhookEvent>>>;

/// What is known after a look at a payment.
enum Looked {
    /// Everything that its events told.
    Known,
    /// We have no such payment, or what the provider shows cannot be.
    Unknown,
    /// The provider could not be asked.
    Unreachable,
}

// === impl App ===

impl App {
    /// Takes a webhook. When this returns, it is committed (P8).
    pub(crate) async fn take_webhook(
        &self,
        (connector, account): (&str, &str),
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Outcome<()>, Error> {
        let desk = self.desk(connector)?;
        let ours = desk.connector.account();
        if !account.is_empty() && account != ours {
            return Err(Error::ConnectorUnknown);
        }
        let now = self.now();
        let notice = desk.connector.verify(&Delivery { headers, body, now })?;
        let grace = std::time::Duration::from_millis(self.inner.config.webhooks.grace_ms);
        let mut event = WebhookEvent::new((connector, ours), notice, (now, now.plus(grace)));
        if event.notice.reference.is_none() {
            event.state = WebhookState::Done;
            event.wake_at = None;
        }
        let mut changes = ChangeSet::new();
        event.insert(&mut changes);
        match self.inner.writer.commit(changes).await {
            Ok(()) => {
                if grace.is_zero() {
                    self.inner.due.notify_one();
                }
                Ok(Outcome::Applied(()))
            }
            Err(error) if WebhookEvent::was_taken(&error) => Ok(Outcome::AlreadyApplied(())),
            Err(error) => Err(error.into()),
        }
    }

    /// Works on webhooks that are due; returns how many there were.
    pub(super) async fn work_on_webhooks(&self) -> Result<usize, Error> {
        let now = self.now();
        let due = self
            .store()
            .due_webhooks(now, self.inner.config.resolve.batch)
            .await?;
        let count = due.len();
        let mut groups = Groups::new();
        for event in due {
            let reference = event.notice.reference.clone().unwrap_or_default();
            let payments = groups.entry(event.connector.clone()).or_default();
            payments.entry(reference).or_default().push(event);
        }
        for (connector, payments) in groups {
            let references = payments.keys().map(String::as_str);
            let mut books = self
                .store()
                .books_of_references(&connector, references)
                .await?;
            let looks = payments.into_iter().map(|(reference, events)| {
                let book = books.remove(&reference);
                self.look_and_note(book, events, now)
            });
            stream::iter(looks)
                .for_each_concurrent(CONCURRENT_LOOKS, |look| look)
                .await;
        }
        Ok(count)
    }

    async fn look_and_note(
        &self,
        book: Option<Result<Book, StoreError>>,
        events: Vec<WebhookEvent>,
        now: Timestamp,
    ) {
        let looked = match book {
            Some(Ok(book)) => self.look_for(book, &events).await,
            Some(Err(error)) => Err(error.into()),
            None => Ok(Looked::Unknown),
        };
        let looked = looked.unwrap_or_else(|error| {
            let error = paymesh_kernel::error::chain(&error);
            tracing::warn!(error, "a webhook waits");
            Looked::Unreachable
        });
        self.note(events, &looked, now).await;
    }

    async fn look_for(&self, book: Book, events: &[WebhookEvent]) -> Result<Looked, Error> {
        let is_known = |event: &WebhookEvent| {
            let hint = event.notice.hint;
            hint.is_some_and(|hint| book.knows(hint, event.notice.part.as_deref()))
        };
        if events.iter().all(is_known) {
            return Ok(Looked::Known);
        }
        let name = events
            .iter()
            .find_map(|event| event.notice.connector_reference.as_deref());
        self.fetch(book, name).await
    }

    async fn fetch(&self, book: Book, name: Option<&str>) -> Result<Looked, Error> {
        let desk = self.desk(&book.attempt.connector)?;
        let Ok(_turn) = desk.turn().await else {
            return Ok(Looked::Unreachable);
        };
        let seen = match book.attempt.connector_reference.as_deref().or(name) {
            Some(name) => desk.connector.fetch(name).await,
            None => desk.connector.query(&book.attempt.reference).await,
        };
        let key = book.attempt.reference.clone();
        match seen {
            Err(_) => Ok(Looked::Unreachable),
            Ok(None) => Ok(Looked::Unknown),
            Ok(Some(seen)) if seen.reference != book.attempt.reference => Ok(Looked::Unknown),
            Ok(Some(seen)) => match self.observed(book, &key, seen).await? {
                Observed::Kept(_) => Ok(Looked::Known),
                Observed::Contradicted(_) => Ok(Looked::Unknown),
            },
        }
    }

    /// Writes down what came of events.
    async fn note(&self, events: Vec<WebhookEvent>, looked: &Looked, now: Timestamp) {
        let mut changes = ChangeSet::new();
        for mut event in events {
            let tries = u32::try_from(event.tries).unwrap_or(0).saturating_add(1);
            let settings = &self.inner.config.webhooks;
            let park = std::time::Duration::from_millis(settings.park_ms);
            let is_too_old = event.received_at.plus(park) <= now;
            let backoff: Backoff = self.inner.config.resolve.backoff();
            let later = now.plus(backoff.wait(tries, self.inner.ids.entropy()));
            (event.state, event.wake_at) = match looked {
                Looked::Known => (WebhookState::Done, None),
                Looked::Unknown if is_too_old => {
                    tracing::warn!(connector = %event.connector, event = %event.notice.event_id, "a webhook's reference stayed unknown");
                    (WebhookState::GivenUp, None)
                }
                Looked::Unknown => (WebhookState::Parked, Some(later)),
                Looked::Unreachable => (event.state, Some(later)),
            };
            event.tries = event.tries.saturating_add(1);
            event.update(&mut changes, now);
        }
        match self.inner.writer.commit(changes).await {
            // Another replica has worked on them too.
            Ok(()) | Err(CommitError::Stale) => {}
            Err(error) => tracing::warn!(%error, "webhooks stay due"),
        }
    }
}
