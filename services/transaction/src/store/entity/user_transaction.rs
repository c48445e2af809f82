//! Table `user_transactions`: the read model behind a person's list, built from facts.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::TransactionId;

/// A transaction in which a person pays or is paid.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_transactions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) transaction_id: TransactionId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) business_at: Timestamp,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
