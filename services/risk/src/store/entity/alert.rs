//! Table `alerts`. Rows never change.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{AlertId, DecisionId};

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: AlertId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) decision_id: DecisionId,
    pub(crate) transaction_id: String,
    pub(crate) customer_id: String,
    pub(crate) merchant_id: String,
    pub(crate) terminal_id: String,
    pub(crate) score: i32,
    pub(crate) text: String,
    pub(crate) business_at: Timestamp,
    pub(crate) raised_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
