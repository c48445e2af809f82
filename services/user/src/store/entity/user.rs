//! Table `users`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::AccountId;

/// A person. Personal data is in `sealed`, encrypted; `email_hash` is keyed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: UserId,
    pub(crate) tenant_id: TenantId,
    pub(crate) state: String,
    pub(crate) email_hash: Option<String>,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) country: String,
    pub(crate) currency: String,
    pub(crate) roles: String,
    pub(crate) consents: String,
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) account_id: Option<AccountId>,
    pub(crate) erases_at: Option<Timestamp>,
    pub(crate) next_wake_at: Option<Timestamp>,
    pub(crate) attempts: i32,
    pub(crate) event_sequence: i64,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
