//! Pieces of imported history.

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    id::{TenantId, reexport::Uuid},
};
use sea_orm::EntityTrait as _;

use super::{
    StoreError,
    entity::import_chunk::{Entity, Model},
};

/// A piece that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Made of tenant, import and number.
    pub(crate) id: Uuid,
    pub(crate) tenant: TenantId,
    /// Hash of what was asked.
    pub(crate) fingerprint: Uuid,
    pub(crate) imported_count: i64,
}

/// A new piece.
pub(crate) fn insert(changes: &mut ChangeSet, chunk: Chunk, now: Timestamp) {
    changes.insert(&Model {
        id: chunk.id,
        tenant_id: chunk.tenant,
        fingerprint: chunk.fingerprint,
        imported_count: chunk.imported_count,
        created_at: now,
    });
}

/// A piece by id.
pub(crate) async fn find(database: &Database, id: Uuid) -> Result<Option<Chunk>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    Ok(row.map(|row| Chunk {
        id: row.id,
        tenant: row.tenant_id,
        fingerprint: row.fingerprint,
        imported_count: row.imported_count,
    }))
}
