//! Definitions.

use paymesh_kernel::{ChangeSet, Database, id::TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError,
    entity::definition::{Column, Entity, Model},
};
use crate::domain::{Definition, DefinitionId, Format, Kind, Parameters, definition::Form};

const TABLE: &str = "definitions";

/// A definition by id, deleted ones too.
pub(crate) async fn find(
    database: &Database,
    id: DefinitionId,
) -> Result<Option<Definition>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// Definitions of a tenant with names after `after`, by name.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    kind: Option<Kind>,
    (after, limit): (Option<String>, u64),
) -> Result<Vec<Definition>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::DeletedAt.is_null());
    if let Some(kind) = kind {
        query = query.filter(Column::Kind.eq(kind.as_str()));
    }
    if let Some(after) = after {
        query = query.filter(Column::Name.gt(after));
    }
    let rows = query
        .order_by_asc(Column::Name)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new definition.
pub(crate) fn insert(changes: &mut ChangeSet, definition: &Definition) {
    changes.insert(&to_row(definition));
}

/// A changed definition.
pub(crate) fn update(changes: &mut ChangeSet, definition: &Definition) {
    changes.update(&to_row(definition));
}

/// Parameters as a row has them.
pub(super) fn print(parameters: &Parameters) -> String {
    serde_json::to_string(parameters).expect("a map of texts can be written as JSON")
}

/// Parameters of a row.
pub(super) fn read(text: &str, table: &'static str) -> Result<Parameters, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::malformed(table, "parameters"))
}

fn to_row(definition: &Definition) -> Model {
    let form = &definition.form;
    Model {
        id: definition.id,
        tenant_id: definition.tenant,
        name: form.name.clone(),
        kind: form.kind.as_str().to_owned(),
        format: form.format.as_str().to_owned(),
        parameters: print(&form.parameters),
        event_sequence: definition.event_sequence,
        updated_by: definition.updated_by.clone(),
        updated_at: definition.updated_at,
        deleted_at: definition.deleted_at,
        version: definition.version,
    }
}

fn from_row(row: Model) -> Result<Definition, StoreError> {
    Ok(Definition {
        id: row.id,
        tenant: row.tenant_id,
        form: Form {
            name: row.name,
            kind: Kind::parse(&row.kind).ok_or(StoreError::malformed(TABLE, "kind"))?,
            format: Format::parse(&row.format).ok_or(StoreError::malformed(TABLE, "format"))?,
            parameters: read(&row.parameters, TABLE)?,
        },
        version: row.version,
        event_sequence: row.event_sequence,
        updated_by: row.updated_by,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
    })
}
