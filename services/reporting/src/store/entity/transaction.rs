//! Table `transactions`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// A transaction as its last fact tells it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transactions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) authorized_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) fee_currency: String,
    pub(crate) payer_user_id: String,
    pub(crate) payee_user_id: String,
    pub(crate) merchant_id: String,
    pub(crate) terminal_id: String,
    pub(crate) country: String,
    pub(crate) connector: String,
    pub(crate) purpose: String,
    pub(crate) decline_reason: String,
    pub(crate) risk_decision_id: String,
    pub(crate) risk_score: i32,
    pub(crate) business_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
