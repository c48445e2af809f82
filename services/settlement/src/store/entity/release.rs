//! Table `releases`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::entity::prelude::*;

use crate::domain::ids::{AccountId, ReleaseId, TransferId};

/// One movement from merchant.pending to merchant.available.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "releases")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: ReleaseId,
    pub(crate) tenant_id: TenantId,
    pub(crate) merchant_id: MerchantId,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) pending_account_id: AccountId,
    pub(crate) available_account_id: AccountId,
    pub(crate) transfer_id: TransferId,
    pub(crate) next_wake_at: Option<Timestamp>,
    pub(crate) attempts: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
