//! Table `attempts`. A row in the state `tombstone` stands for an attempt that was canceled before it arrived.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::{AttemptId, PaymentMethodId, TransactionId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: AttemptId,
    pub(crate) tenant_id: TenantId,
    pub(crate) transaction_id: TransactionId,
    pub(crate) payment_method_id: PaymentMethodId,
    pub(crate) customer_id: Option<UserId>,
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) connector: String,
    pub(crate) reference: String,
    pub(crate) connector_reference: Option<String>,
    pub(crate) state: String,
    pub(crate) capture: String,
    pub(crate) three_ds: String,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) authorized_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) released_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) charged_back_minor: i64,
    pub(crate) decline_reason: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) action_url: Option<String>,
    pub(crate) action_id: Option<String>,
    pub(crate) action_expires_at: Option<Timestamp>,
    pub(crate) authorization_expires_at: Option<Timestamp>,
    pub(crate) is_abandoned: bool,
    pub(crate) correlation_id: String,
    pub(crate) business_at: Timestamp,
    pub(crate) dispute_count: i32,
    pub(crate) event_sequence: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
