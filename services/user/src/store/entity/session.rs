//! Table `sessions`.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::SessionId;

/// Everything that began with one login.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: SessionId,
    pub(crate) tenant_id: TenantId,
    pub(crate) user_id: UserId,
    pub(crate) generation: i64,
    pub(crate) salt: Vec<u8>,
    pub(crate) created_at: Timestamp,
    pub(crate) refresh_expires_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) end_reason: Option<String>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
