//! Table `disputes`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::{AttemptId, DisputeId, TransactionId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "disputes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: DisputeId,
    pub(crate) tenant_id: TenantId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) transaction_id: TransactionId,
    pub(crate) customer_id: Option<UserId>,
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) connector: String,
    pub(crate) connector_reference: String,
    pub(crate) state: String,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) reason: String,
    pub(crate) evidence_due_at: Option<Timestamp>,
    pub(crate) event_sequence: i64,
    pub(crate) opened_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
