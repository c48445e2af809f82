//! Table `batches`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::ids::BatchId;

/// A settlement batch.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "batches")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: BatchId,
    pub(crate) tenant_id: TenantId,
    pub(crate) currency: String,
    pub(crate) number: i64,
    pub(crate) state: String,
    pub(crate) from_height: i64,
    pub(crate) until_height: i64,
    pub(crate) gross_minor: i64,
    pub(crate) fees_minor: i64,
    pub(crate) refunds_minor: i64,
    pub(crate) chargebacks_minor: i64,
    pub(crate) transaction_count: i64,
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
