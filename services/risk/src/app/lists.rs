//! Lists: who is allowed, reviewed or denied.

use paymesh_kernel::{ChangeSet, CommitError, Principal, Timestamp, id::reexport::Uuid};

use super::{App, DECISIONS};
use crate::{
    domain::{EntryId, ListEntry, ListKind, ListSubject, Outcome},
    error::Error,
    events,
    store::{
        self,
        lists::{Filter, Stored},
    },
};

/// An entry as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct PutEntry {
    pub(crate) id: EntryId,
    pub(crate) kind: ListKind,
    pub(crate) subject: ListSubject,
    pub(crate) value: String,
    pub(crate) note: String,
    pub(crate) expires_at: Option<Timestamp>,
}

// === impl App ===

impl App {
    /// Adds or replaces an entry.
    ///
    /// # Errors
    /// When the id is another tenant's or there are too many.
    pub(crate) async fn put_entry(
        &self,
        principal: &Principal,
        command: &PutEntry,
    ) -> Result<Outcome<ListEntry>, Error> {
        let tenant = self.tenant(principal.tenant).await?;
        for _ in 0..DECISIONS {
            let now = self.now();
            let stored = store::lists::find(self.database(), command.id).await?;
            let entry = draft(principal, command, (stored.as_ref(), now))?;
            let live = stored.as_ref().filter(|stored| stored.deleted_at.is_none());
            if let Some(live) = live.filter(|live| live.entry.says_the_same(&entry)) {
                return Ok(Outcome::AlreadyApplied(live.entry.clone()));
            }
            let limit = self.settings().max_list_entries;
            if live.is_none() && tenant.entries() >= limit {
                return Err(Error::EntriesExhausted { limit });
            }
            let mut changes = ChangeSet::new();
            match &stored {
                None => store::lists::insert(&mut changes, &entry, now),
                Some(_) => store::lists::update(&mut changes, &entry, now),
            }
            events::publish_entry(&mut changes, self.ids(), &entry, now);
            match self.commit(changes).await {
                Ok(()) => {
                    tenant.change_lists(|lists| lists.put(&entry));
                    return Ok(Outcome::Applied(entry));
                }
                Err(error)
                    if error == CommitError::Stale || error.is_duplicate(store::ENTRIES_KEY) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// Entries in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn entries(
        &self,
        principal: &Principal,
        filter: Filter,
        cut: (Option<Uuid>, u64),
    ) -> Result<Vec<ListEntry>, Error> {
        Ok(store::lists::list(self.database(), principal.tenant, filter, cut).await?)
    }

    /// Deletes an entry.
    ///
    /// # Errors
    /// When there never was one in the tenant.
    pub(crate) async fn delete_entry(
        &self,
        principal: &Principal,
        id: EntryId,
    ) -> Result<Outcome<()>, Error> {
        let tenant = self.tenant(principal.tenant).await?;
        for _ in 0..DECISIONS {
            let stored = store::lists::find(self.database(), id).await?;
            let stored = stored
                .filter(|stored| stored.entry.tenant == principal.tenant)
                .ok_or(Error::EntryNotFound)?;
            if stored.deleted_at.is_some() {
                return Ok(Outcome::AlreadyApplied(()));
            }
            let now = self.now();
            let entry = ListEntry {
                version: stored.entry.version + 1,
                ..stored.entry
            };
            let mut changes = ChangeSet::new();
            store::lists::delete(&mut changes, &entry, now);
            events::publish_entry_deleted(
                &mut changes,
                self.ids(),
                (&entry, &principal.subject),
                now,
            );
            match self.commit(changes).await {
                Ok(()) => {
                    tenant.change_lists(|lists| lists.take_out(entry.id, entry.version));
                    return Ok(Outcome::Applied(()));
                }
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }
}

fn draft(
    principal: &Principal,
    command: &PutEntry,
    (stored, now): (Option<&Stored>, Timestamp),
) -> Result<ListEntry, Error> {
    if stored.is_some_and(|stored| stored.entry.tenant != principal.tenant) {
        return Err(Error::EntryNotFound);
    }
    Ok(ListEntry {
        id: command.id,
        tenant: principal.tenant,
        kind: command.kind,
        subject: command.subject,
        value: command.value.clone(),
        note: command.note.clone(),
        created_by: principal.subject.clone(),
        expires_at: command.expires_at,
        created_at: stored.map_or(now, |stored| stored.entry.created_at),
        version: stored.map_or(1, |stored| stored.entry.version + 1),
    })
}
