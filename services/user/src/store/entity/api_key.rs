//! Table `api_keys`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::entity::prelude::*;

use crate::domain::ApiKeyId;

/// An API key; its secret is known by its hash alone.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: ApiKeyId,
    pub(crate) tenant_id: TenantId,
    pub(crate) secret_hash: String,
    pub(crate) mode: String,
    pub(crate) name: String,
    pub(crate) hint: String,
    pub(crate) roles: String,
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
