//! Table `payment_methods`.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::PaymentMethodId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_methods")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: PaymentMethodId,
    pub(crate) tenant_id: TenantId,
    pub(crate) customer_id: UserId,
    pub(crate) connector: String,
    pub(crate) kind: String,
    pub(crate) provider_token: String,
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) expiry_month: i32,
    pub(crate) expiry_year: i32,
    pub(crate) issuer_country: String,
    pub(crate) fingerprint: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) detached_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
