//! Runs.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError, definitions,
    entity::run::{Column, Entity, Model},
};
use crate::domain::{DefinitionId, Format, Kind, Run, RunId, Span, State, run::Content};

const TABLE: &str = "runs";

/// Which runs a list shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    pub(crate) tenant: TenantId,
    pub(crate) definition: Option<DefinitionId>,
    pub(crate) state: Option<State>,
}

/// Behind which run a page begins.
pub(crate) type Place = (Timestamp, RunId);

/// A run by id.
pub(crate) async fn find(database: &Database, id: RunId) -> Result<Option<Run>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// Runs, the newest first.
pub(crate) async fn list(
    database: &Database,
    filter: Filter,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<Run>, StoreError> {
    let mut query = Entity::find().filter(Column::TenantId.eq(filter.tenant));
    if let Some(definition) = filter.definition {
        query = query.filter(Column::DefinitionId.eq(definition));
    }
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(state.as_str()));
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::CreatedAt.eq(at))
            .add(Column::Id.lt(id));
        query = query.filter(Condition::any().add(Column::CreatedAt.lt(at)).add(same));
    }
    let rows = query
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Runs of a tenant that have not ended.
pub(crate) async fn open(database: &Database, tenant: TenantId) -> Result<u64, StoreError> {
    Ok(Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::WakeAt.is_not_null())
        .count(database.reader())
        .await?)
}

/// Runs that wait, or whose lease ran out, the longest waiting first.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Run>, StoreError> {
    let rows = Entity::find()
        .filter(Column::WakeAt.lte(now))
        .order_by_asc(Column::WakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Completed runs whose files were finished before `before`.
pub(crate) async fn expired(
    database: &Database,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<Run>, StoreError> {
    let rows = Entity::find()
        .filter(Column::FinishedAt.lt(before))
        .filter(Column::FileAttempt.gt(0))
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new run.
pub(crate) fn insert(changes: &mut ChangeSet, run: &Run) {
    changes.insert(&to_row(run));
}

/// A changed run.
pub(crate) fn update(changes: &mut ChangeSet, run: &Run) {
    changes.update(&to_row(run));
}

fn to_row(run: &Run) -> Model {
    Model {
        id: run.id,
        tenant_id: run.tenant,
        definition_id: run.definition,
        schedule_id: run.schedule,
        state: run.state.as_str().to_owned(),
        kind: run.kind.as_str().to_owned(),
        format: run.format.as_str().to_owned(),
        parameters: definitions::print(&run.parameters),
        from_at: run.span.from,
        until_at: run.span.until,
        row_count: run.content.row_count,
        size_bytes: run.content.size_bytes,
        content_sha256: run.content.sha256.clone(),
        reason: run.reason.clone(),
        created_by: run.created_by.clone(),
        created_at: run.created_at,
        finished_at: run.finished_at,
        attempts: run.attempts,
        file_attempt: run.file_attempt,
        wake_at: run.wake_at,
        version: run.version,
    }
}

fn from_row(row: Model) -> Result<Run, StoreError> {
    let malformed = |column| StoreError::malformed(TABLE, column);
    Ok(Run {
        id: row.id,
        tenant: row.tenant_id,
        definition: row.definition_id,
        schedule: row.schedule_id,
        state: State::parse(&row.state).ok_or(malformed("state"))?,
        kind: Kind::parse(&row.kind).ok_or(malformed("kind"))?,
        format: Format::parse(&row.format).ok_or(malformed("format"))?,
        parameters: definitions::read(&row.parameters, TABLE)?,
        span: Span {
            from: row.from_at,
            until: row.until_at,
        },
        content: Content {
            row_count: row.row_count,
            size_bytes: row.size_bytes,
            sha256: row.content_sha256,
        },
        reason: row.reason,
        created_by: row.created_by,
        created_at: row.created_at,
        finished_at: row.finished_at,
        attempts: row.attempts,
        file_attempt: row.file_attempt,
        wake_at: row.wake_at,
        version: row.version,
    })
}
