//! Table `reconciliations`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// A reconciliation that has run.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconciliations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) currency: String,
    pub(crate) from_at: Option<Timestamp>,
    pub(crate) until_at: Option<Timestamp>,
    pub(crate) ledger_height: i64,
    pub(crate) matched_count: i64,
    pub(crate) break_count: i64,
    pub(crate) ledger_minor: i64,
    pub(crate) provider_minor: i64,
    pub(crate) bank_minor: i64,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
