//! Table `merchants`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::entity::prelude::*;

use crate::domain::AccountId;

/// A merchant with its present plan.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merchants")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: MerchantId,
    pub(crate) tenant_id: TenantId,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) country: String,
    pub(crate) currency: String,
    pub(crate) fee_bp: i32,
    pub(crate) fee_fixed_minor: i64,
    pub(crate) delay_days: i32,
    pub(crate) negative_balance: String,
    pub(crate) chargeback_fee_minor: i64,
    pub(crate) reserve_bp: i32,
    pub(crate) plan_version: i64,
    pub(crate) pending_account_id: AccountId,
    pub(crate) available_account_id: AccountId,
    pub(crate) reserve_account_id: AccountId,
    pub(crate) destination: Option<String>,
    pub(crate) destination_changed_at: Option<Timestamp>,
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
