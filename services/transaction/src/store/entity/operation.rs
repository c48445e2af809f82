//! Table `operations`: one saga each, with its lease and its timer.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::{OperationId, TransactionId};

/// An operation of a transaction. `version` fences drivers that lost their lease.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: OperationId,
    pub(crate) tenant_id: TenantId,
    pub(crate) transaction_id: TransactionId,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) version: i64,
    pub(crate) lease_owner: String,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) next_wake_at: Option<Timestamp>,
    pub(crate) failures: i32,
    pub(crate) saga: String,
    pub(crate) details: String,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
