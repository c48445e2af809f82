//! Table `entries`: appended to, never changed (A4). Its key is its order: account, batch, place.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{AccountId, TransactionId, TransferId};

/// One line of an account, with the sums after it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entries")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) account_id: AccountId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) batch_height: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) sequence: i64,
    pub(crate) tenant_id: TenantId,
    pub(crate) transfer_id: TransferId,
    pub(crate) kind: String,
    pub(crate) side: String,
    pub(crate) amount_minor: i64,
    pub(crate) released_minor: i64,
    pub(crate) currency: String,
    pub(crate) code: String,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) counter_account_id: AccountId,
    pub(crate) debits_pending_minor: i64,
    pub(crate) debits_posted_minor: i64,
    pub(crate) credits_pending_minor: i64,
    pub(crate) credits_posted_minor: i64,
    pub(crate) account_version: i64,
    pub(crate) booked_at: Timestamp,
    pub(crate) effective_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
