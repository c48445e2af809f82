//! Table `credentials`.

use paymesh_kernel::{Timestamp, id::UserId};
use sea_orm::entity::prelude::*;

/// What a user signs in with.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    pub(crate) password_hash: String,
    pub(crate) sessions_valid_from: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
