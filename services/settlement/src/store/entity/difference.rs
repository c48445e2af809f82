//! Table `breaks`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::ids::{
    BreakId, LineId, ReconciliationId, StatementId, TransactionId, TransferId,
};

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "breaks")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: BreakId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) reconciliation_id: ReconciliationId,
    pub(crate) subject: String,
    pub(crate) reference: String,
    pub(crate) currency: String,
    pub(crate) ledger_minor: Option<i64>,
    pub(crate) ledger_currency: Option<String>,
    pub(crate) stated_minor: Option<i64>,
    pub(crate) difference_minor: i64,
    pub(crate) book: String,
    pub(crate) line_id: Option<LineId>,
    pub(crate) statement_id: Option<StatementId>,
    pub(crate) line_number: i64,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) assignee: String,
    pub(crate) note: String,
    pub(crate) requested_by: String,
    pub(crate) approved_by: String,
    pub(crate) transfer_id: TransferId,
    pub(crate) next_wake_at: Option<Timestamp>,
    pub(crate) attempts: i32,
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) event_sequence: i64,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
