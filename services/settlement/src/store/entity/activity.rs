//! Table `activities`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::entity::prelude::*;

use crate::domain::ids::TransactionId;

/// What facts say of a transaction of a merchant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activities")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: TransactionId,
    pub(crate) tenant_id: TenantId,
    pub(crate) merchant_id: MerchantId,
    pub(crate) currency: String,
    pub(crate) available_at: Timestamp,
    pub(crate) business_at: Timestamp,
    pub(crate) is_charged_back: bool,
    pub(crate) is_open: bool,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
