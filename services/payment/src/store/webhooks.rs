//! Webhooks that were taken.

use paymesh_kernel::{ChangeSet, CommitError, Timestamp, id::reexport::Uuid};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{Store, StoreError, entity::webhook_event, rows::hash};
use crate::{
    connector::Notice,
    domain::{Hint, words::words},
};

/// Rows taken away at once.
const PURGE_BATCH: u64 = 10_000;

words!(
    /// Where a webhook stands.
    pub(crate) enum WebhookState {
        /// It waits for its look.
        Waiting = "waiting",
        /// Its reference is not known (yet).
        Parked = "parked",
        /// What it told is known.
        Done = "done",
        /// Its reference stayed unknown.
        GivenUp = "given_up",
    }
);

/// A webhook that was verified and committed.
#[derive(Clone, Debug)]
pub(crate) struct WebhookEvent {
    pub(crate) id: Uuid,
    pub(crate) connector: String,
    pub(crate) connector_account: String,
    pub(crate) notice: Notice,
    pub(crate) state: WebhookState,
    pub(crate) tries: i32,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) received_at: Timestamp,
    pub(crate) version: i64,
}

// === impl WebhookEvent ===

impl WebhookEvent {
    /// One that was just verified.
    pub(crate) fn new(
        (connector, account): (&str, &str),
        notice: Notice,
        (now, wake_at): (Timestamp, Timestamp),
    ) -> Self {
        let parts = [connector, account, &notice.event_id].map(str::as_bytes);
        Self {
            id: hash(&parts),
            connector: connector.to_owned(),
            connector_account: account.to_owned(),
            notice,
            state: WebhookState::Waiting,
            tries: 0,
            wake_at: Some(wake_at),
            received_at: now,
            version: 1,
        }
    }

    pub(crate) fn insert(&self, changes: &mut ChangeSet) {
        changes.insert(&self.row(self.received_at));
    }

    /// The next version of it.
    pub(crate) fn update(&mut self, changes: &mut ChangeSet, now: Timestamp) {
        self.version += 1;
        changes.update(&self.row(now));
    }

    /// True when the same event was taken before.
    pub(crate) fn was_taken(error: &CommitError) -> bool {
        error.is_duplicate("webhook_events_pkey")
    }

    fn row(&self, now: Timestamp) -> webhook_event::Model {
        let notice = &self.notice;
        webhook_event::Model {
            id: self.id,
            connector: self.connector.clone(),
            connector_account: self.connector_account.clone(),
            event_id: notice.event_id.clone(),
            kind: notice.kind.clone(),
            connector_reference: notice.connector_reference.clone(),
            reference: notice.reference.clone(),
            hint: notice.hint.map(|hint| hint.as_str().to_owned()),
            part: notice.part.clone(),
            state: self.state.as_str().to_owned(),
            tries: self.tries,
            wake_at: self.wake_at,
            received_at: self.received_at,
            updated_at: now,
            version: self.version,
        }
    }
}

// === impl Store ===

impl Store {
    /// Webhooks to work on now, the longest due first.
    pub(crate) async fn due_webhooks(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<WebhookEvent>, StoreError> {
        let rows = webhook_event::Entity::find()
            .filter(webhook_event::Column::WakeAt.lte(now))
            .order_by_asc(webhook_event::Column::WakeAt)
            .limit(u64::from(most))
            .all(self.database.reader())
            .await?;
        rows.into_iter().map(read).collect()
    }

    /// Takes finished webhooks away that came before a moment; returns how many.
    pub(crate) async fn purge_webhooks(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = webhook_event::Entity::find()
            .filter(webhook_event::Column::ReceivedAt.lt(before))
            .filter(webhook_event::Column::WakeAt.is_null())
            .limit(PURGE_BATCH)
            .all(self.database.reader())
            .await?;
        let ids: Vec<Uuid> = old.into_iter().map(|row| row.id).collect();
        let done = webhook_event::Entity::delete_many()
            .filter(webhook_event::Column::Id.is_in(ids))
            .exec(self.database.writer())
            .await?;
        Ok(done.rows_affected)
    }
}

// === free functions ===

fn read(row: webhook_event::Model) -> Result<WebhookEvent, StoreError> {
    let state = WebhookState::parse(&row.state).ok_or(StoreError::Corrupt {
        column: "webhook_events.state",
    })?;
    Ok(WebhookEvent {
        id: row.id,
        connector: row.connector,
        connector_account: row.connector_account,
        notice: Notice {
            event_id: row.event_id,
            kind: row.kind,
            connector_reference: row.connector_reference,
            reference: row.reference,
            hint: row.hint.as_deref().and_then(Hint::parse),
            part: row.part,
        },
        state,
        tries: row.tries,
        wake_at: row.wake_at,
        received_at: row.received_at,
        version: row.version,
    })
}
