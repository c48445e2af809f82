//! Table `schedules`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{DefinitionId, ScheduleId};

/// When a definition is run by itself.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: ScheduleId,
    pub(crate) tenant_id: TenantId,
    pub(crate) definition_id: DefinitionId,
    pub(crate) cadence: String,
    pub(crate) minute_of_day: i32,
    pub(crate) is_enabled: bool,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) covered_until: Timestamp,
    pub(crate) created_by: String,
    pub(crate) edition: i64,
    pub(crate) updated_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
