//! Schedules.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError,
    entity::schedule::{Column, Entity, Model},
};
use crate::domain::{Cadence, DefinitionId, Schedule, ScheduleId};

const TABLE: &str = "schedules";

/// A schedule by id, deleted ones too.
pub(crate) async fn find(
    database: &Database,
    id: ScheduleId,
) -> Result<Option<Schedule>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// Schedules of a tenant with larger ids than `after`, in their order.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    definition: Option<DefinitionId>,
    (after, limit): (Option<ScheduleId>, u64),
) -> Result<Vec<Schedule>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::DeletedAt.is_null());
    if let Some(definition) = definition {
        query = query.filter(Column::DefinitionId.eq(definition));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    let rows = query
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Every schedule of a definition.
pub(crate) async fn of_definition(
    database: &Database,
    definition: DefinitionId,
) -> Result<Vec<Schedule>, StoreError> {
    let rows = Entity::find()
        .filter(Column::DefinitionId.eq(definition))
        .filter(Column::DeletedAt.is_null())
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Schedules that are due, the longest waiting first.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Schedule>, StoreError> {
    let rows = Entity::find()
        .filter(Column::NextAt.lte(now))
        .order_by_asc(Column::NextAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new schedule.
pub(crate) fn insert(changes: &mut ChangeSet, schedule: &Schedule) {
    changes.insert(&to_row(schedule));
}

/// A changed schedule.
pub(crate) fn update(changes: &mut ChangeSet, schedule: &Schedule) {
    changes.update(&to_row(schedule));
}

fn to_row(schedule: &Schedule) -> Model {
    Model {
        id: schedule.id,
        tenant_id: schedule.tenant,
        definition_id: schedule.definition,
        cadence: schedule.beat.cadence().as_str().to_owned(),
        minute_of_day: schedule.beat.minute(),
        is_enabled: schedule.is_enabled,
        next_at: schedule.next_at,
        covered_until: schedule.covered_until,
        created_by: schedule.created_by.clone(),
        edition: schedule.edition,
        updated_at: schedule.updated_at,
        deleted_at: schedule.deleted_at,
        version: schedule.version,
    }
}

fn from_row(row: Model) -> Result<Schedule, StoreError> {
    let cadence = Cadence::parse(&row.cadence).ok_or(StoreError::malformed(TABLE, "cadence"))?;
    Ok(Schedule {
        id: row.id,
        tenant: row.tenant_id,
        definition: row.definition_id,
        beat: cadence
            .at(row.minute_of_day)
            .ok_or(StoreError::malformed(TABLE, "minute_of_day"))?,
        is_enabled: row.is_enabled,
        next_at: row.next_at,
        covered_until: row.covered_until,
        created_by: row.created_by,
        edition: row.edition,
        updated_at: row.updated_at,
        deleted_at: row.deleted_at,
        version: row.version,
    })
}
