//! Table `statement_lines`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::ids::{LineId, StatementId, TransactionId, TransferId};

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement_lines")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: LineId,
    pub(crate) tenant_id: TenantId,
    pub(crate) statement_id: StatementId,
    pub(crate) side: String,
    pub(crate) source: String,
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) reference: String,
    pub(crate) settlement: String,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) booked_at: Timestamp,
    pub(crate) identity: Uuid,
    pub(crate) telling: String,
    pub(crate) match_state: String,
    pub(crate) transfer_base_id: TransferId,
    pub(crate) is_booked: bool,
    pub(crate) is_suspended: bool,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
