//! Table `transactions`: one row each, changed with its version.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{PaymentMethodId, TransactionId};

/// A business transaction. What no query looks for is in `parties` and `details`, as JSON of typed values.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transactions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: TransactionId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    pub(crate) event_sequence: i64,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) authorized_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) capturing_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) refunding_minor: i64,
    pub(crate) charged_back_minor: i64,
    pub(crate) charging_back_minor: i64,
    pub(crate) beyond_minor: i64,
    pub(crate) lost_minor: i64,
    pub(crate) fee_currency: String,
    pub(crate) fee_minor: i64,
    pub(crate) credited_minor: i64,
    pub(crate) drawn_minor: i64,
    pub(crate) payment_method_id: Option<PaymentMethodId>,
    pub(crate) parties: String,
    pub(crate) details: String,
    pub(crate) business_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
