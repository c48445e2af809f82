//! Table `runs`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{DefinitionId, RunId, ScheduleId};

/// One run of a report.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "runs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: RunId,
    pub(crate) tenant_id: TenantId,
    pub(crate) definition_id: DefinitionId,
    pub(crate) schedule_id: Option<ScheduleId>,
    pub(crate) state: String,
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) parameters: String,
    pub(crate) from_at: Option<Timestamp>,
    pub(crate) until_at: Option<Timestamp>,
    pub(crate) row_count: i64,
    pub(crate) size_bytes: i64,
    pub(crate) content_sha256: String,
    pub(crate) reason: String,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) attempts: i32,
    pub(crate) file_attempt: i32,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
