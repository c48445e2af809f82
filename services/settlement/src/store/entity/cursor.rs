//! Table `cursors`.

use paymesh_kernel::id::TenantId;
use sea_orm::entity::prelude::*;

use crate::domain::ids::AccountId;

/// How far the entries of an account were taken into batches.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cursors")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: AccountId,
    pub(crate) tenant_id: TenantId,
    pub(crate) height: i64,
    pub(crate) account_version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
