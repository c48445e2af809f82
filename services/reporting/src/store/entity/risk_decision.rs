//! Table `risk_decisions`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// A decision of risk.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "risk_decisions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) transaction_id: String,
    pub(crate) decision: String,
    pub(crate) score: i32,
    pub(crate) reasons: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) customer_id: String,
    pub(crate) merchant_id: String,
    pub(crate) terminal_id: String,
    pub(crate) business_at: Timestamp,
    pub(crate) decided_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
