//! Table `tenants`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// A customer of the platform.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) mode: String,
    pub(crate) country: String,
    pub(crate) default_currency: String,
    pub(crate) standing: String,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
