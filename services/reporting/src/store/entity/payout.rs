//! Table `payouts`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// Money to a bank.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payouts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) state: String,
    pub(crate) owner_kind: String,
    pub(crate) owner_id: String,
    pub(crate) account_id: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) end_to_end_id: String,
    pub(crate) batch_id: String,
    pub(crate) transaction_id: String,
    pub(crate) reason: String,
    pub(crate) created_at: Timestamp,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
