//! Table `pending_transfers`: what became of each pending transfer, the one thing about a transfer that changes.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

use crate::domain::TransferId;

/// A pending transfer's fate.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_transfers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: TransferId,
    pub(crate) state: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) resolved_by_id: Option<TransferId>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
