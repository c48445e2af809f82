//! Table `payouts`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::ids::{AccountId, BatchId, LineId, PayoutId, TransactionId, TransferId};

/// A payout.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payouts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: PayoutId,
    pub(crate) tenant_id: TenantId,
    pub(crate) owner_kind: String,
    pub(crate) owner_id: String,
    pub(crate) account_id: AccountId,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) destination: String,
    pub(crate) batch_id: Option<BatchId>,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) reason: String,
    pub(crate) created_by: String,
    pub(crate) state: String,
    pub(crate) step: String,
    pub(crate) transfer_base_id: TransferId,
    pub(crate) attempts: i32,
    pub(crate) held_until: Option<Timestamp>,
    pub(crate) is_seen: bool,
    pub(crate) seen_line_id: Option<LineId>,
    pub(crate) returned_line_id: Option<LineId>,
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) next_wake_at: Option<Timestamp>,
    pub(crate) business_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) event_sequence: i64,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
