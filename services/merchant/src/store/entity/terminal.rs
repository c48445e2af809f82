//! Table `terminals`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::entity::prelude::*;

use crate::domain::TerminalId;

/// Where a merchant takes payments.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "terminals")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: TerminalId,
    pub(crate) tenant_id: TenantId,
    pub(crate) merchant_id: MerchantId,
    pub(crate) name: String,
    pub(crate) country: String,
    pub(crate) state: String,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
