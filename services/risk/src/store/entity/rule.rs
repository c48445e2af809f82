//! Table `rules`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::RuleId;

/// A rule. A deleted one stays, so that its facts go on in order, and gives its name free.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rules")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: RuleId,
    pub(crate) tenant_id: TenantId,
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) decision: String,
    pub(crate) points: i32,
    pub(crate) priority: i32,
    pub(crate) state: String,
    pub(crate) updated_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
