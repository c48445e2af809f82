//! Table `labels`: what became known of payments.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::DecisionId;

/// A label, with what of the payment its use needs.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "labels")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) payment_id: DecisionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) known_at: Timestamp,
    pub(crate) customer_id: String,
    pub(crate) payment_method: String,
    pub(crate) terminal_id: String,
    pub(crate) business_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
