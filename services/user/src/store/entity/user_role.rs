//! Table `user_roles`.

use paymesh_kernel::id::{TenantId, UserId};
use sea_orm::entity::prelude::*;

/// Who has a role: an index for lists.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_roles")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) role: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
