//! Table `periods`: closings, in the order in which each tenant made them.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::PeriodId;

/// A closed period.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "periods")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: PeriodId,
    pub(crate) tenant_id: TenantId,
    pub(crate) sequence: i64,
    /// None is every ledger of the tenant.
    pub(crate) currency: Option<String>,
    pub(crate) until_at: Timestamp,
    pub(crate) batch_height: i64,
    pub(crate) closed_at: Timestamp,
    pub(crate) closed_by: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
