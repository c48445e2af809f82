//! Entries of lists.

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    id::{TenantId, reexport::Uuid},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError,
    entity::list_entry::{Column, Entity, Model},
};
use crate::domain::{EntryId, ListEntry, ListKind, ListSubject};

const TABLE: &str = "list_entries";

/// An entry, and whether it still is one.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) entry: ListEntry,
    pub(crate) deleted_at: Option<Timestamp>,
}

/// Which entries are listed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) kind: Option<ListKind>,
    pub(crate) subject: Option<ListSubject>,
}

/// An entry by id, deleted ones too.
pub(crate) async fn find(database: &Database, id: EntryId) -> Result<Option<Stored>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(stored).transpose()
}

/// Entries of a tenant, in the order of their ids.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    filter: Filter,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Vec<ListEntry>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::DeletedAt.is_null());
    if let Some(kind) = filter.kind {
        query = query.filter(Column::Kind.eq(kind.as_str()));
    }
    if let Some(subject) = filter.subject {
        query = query.filter(Column::Subject.eq(subject.as_str()));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    let rows = query
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(|row| Ok(stored(row)?.entry)).collect()
}

/// Entries of all tenants that changed since, deleted ones too, and some of them left out.
pub(crate) async fn changed_since(
    database: &Database,
    (since, skipped, limit): (Timestamp, u64, u64),
) -> Result<Vec<Stored>, StoreError> {
    let rows = Entity::find()
        .filter(Column::UpdatedAt.gt(since))
        .order_by_asc(Column::UpdatedAt)
        .order_by_asc(Column::Id)
        .offset(skipped)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(stored).collect()
}

/// A new entry.
pub(crate) fn insert(changes: &mut ChangeSet, entry: &ListEntry, now: Timestamp) {
    changes.insert(&row(entry, now, None));
}

/// An entry with its new version.
pub(crate) fn update(changes: &mut ChangeSet, entry: &ListEntry, now: Timestamp) {
    changes.update(&row(entry, now, None));
}

/// An entry that is one no more, with its new version.
pub(crate) fn delete(changes: &mut ChangeSet, entry: &ListEntry, now: Timestamp) {
    changes.update(&row(entry, now, Some(now)));
}

fn row(entry: &ListEntry, updated_at: Timestamp, deleted_at: Option<Timestamp>) -> Model {
    Model {
        id: entry.id,
        tenant_id: entry.tenant,
        kind: entry.kind.as_str().to_owned(),
        subject: entry.subject.as_str().to_owned(),
        value: entry.value.clone(),
        note: entry.note.clone(),
        created_by: entry.created_by.clone(),
        expires_at: entry.expires_at,
        created_at: entry.created_at,
        updated_at,
        deleted_at,
        version: entry.version,
    }
}

fn stored(row: Model) -> Result<Stored, StoreError> {
    let kind = ListKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == row.kind)
        .ok_or(StoreError::malformed(TABLE, "kind"))?;
    let subject = ListSubject::ALL
        .into_iter()
        .find(|subject| subject.as_str() == row.subject)
        .ok_or(StoreError::malformed(TABLE, "subject"))?;
    let entry = ListEntry {
        id: row.id,
        tenant: row.tenant_id,
        kind,
        subject,
        value: row.value,
        note: row.note,
        created_by: row.created_by,
        expires_at: row.expires_at,
        created_at: row.created_at,
        version: row.version,
    };
    Ok(Stored {
        entry,
        deleted_at: row.deleted_at,
    })
}
