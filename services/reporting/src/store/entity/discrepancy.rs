//! Table `breaks`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "breaks")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) reconciliation_id: String,
    pub(crate) reference: String,
    pub(crate) currency: String,
    pub(crate) ledger_minor: Option<i64>,
    pub(crate) statement_minor: Option<i64>,
    pub(crate) difference_minor: Option<i64>,
    pub(crate) statement_id: String,
    pub(crate) line_number: i64,
    pub(crate) transaction_id: String,
    pub(crate) assignee: String,
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
