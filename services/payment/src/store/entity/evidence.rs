//! Table `dispute_evidence`: pieces as they were handed over, so that they can be sent again.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::DisputeId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dispute_evidence")]
pub(crate) struct Model {
    /// Id of the operation that sends it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) operation_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) position: i32,
    pub(crate) dispute_id: DisputeId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) file: Vec<u8>,
    pub(crate) media_type: String,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
