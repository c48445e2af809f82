//! Table `positions`.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use sea_orm::entity::prelude::*;

use crate::domain::ids::{BatchId, PositionId, ReleaseId};

/// What a batch comes to for one merchant and day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "positions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: PositionId,
    pub(crate) tenant_id: TenantId,
    pub(crate) batch_id: BatchId,
    pub(crate) merchant_id: MerchantId,
    pub(crate) currency: String,
    pub(crate) gross_minor: i64,
    pub(crate) fees_minor: i64,
    pub(crate) refunds_minor: i64,
    pub(crate) chargebacks_minor: i64,
    pub(crate) transaction_count: i64,
    pub(crate) pending_minor: i64,
    pub(crate) available_at: Timestamp,
    pub(crate) release_id: Option<ReleaseId>,
    pub(crate) released_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
