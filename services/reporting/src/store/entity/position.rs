//! Table `settlement_positions`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// What a batch comes to for one merchant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_positions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) batch_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) merchant_id: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) currency: String,
    pub(crate) gross_minor: i64,
    pub(crate) fees_minor: i64,
    pub(crate) refunds_minor: i64,
    pub(crate) chargebacks_minor: i64,
    pub(crate) net_minor: i64,
    pub(crate) transaction_count: i64,
    pub(crate) available_at: Option<Timestamp>,
    pub(crate) released_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
