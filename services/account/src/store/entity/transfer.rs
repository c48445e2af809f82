//! Table `transfers`: appended to, never changed (A4).

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{AccountId, TransactionId, TransferId};

/// A booked transfer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transfers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: TransferId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) debit_account_id: AccountId,
    pub(crate) credit_account_id: AccountId,
    pub(crate) redirected_from_id: Option<AccountId>,
    pub(crate) amount_minor: i64,
    pub(crate) released_minor: i64,
    pub(crate) currency: String,
    pub(crate) pending_id: Option<TransferId>,
    pub(crate) code: String,
    pub(crate) transaction_id: Option<TransactionId>,
    pub(crate) group_id: TransferId,
    /// A JSON object of texts; none when there are no labels.
    pub(crate) metadata: Option<String>,
    pub(crate) closed_credit: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) effective_at: Timestamp,
    pub(crate) booked_at: Timestamp,
    pub(crate) leaf_index: i64,
    pub(crate) batch_height: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
