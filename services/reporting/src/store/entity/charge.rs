//! Table `charges`.

use paymesh_kernel::{
    Timestamp,
    id::{EventId, TenantId},
};
use sea_orm::entity::prelude::*;

/// A fee, a spread or a cost that a fact told of.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "charges")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) event_id: EventId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    pub(crate) tenant_id: TenantId,
    pub(crate) transaction_id: String,
    pub(crate) merchant_id: String,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) business_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
