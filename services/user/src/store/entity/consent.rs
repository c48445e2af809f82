//! Table `consents`.

use paymesh_kernel::{Timestamp, id::UserId};
use sea_orm::entity::prelude::*;

/// Every consent that was ever recorded; never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consents")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    pub(crate) purpose: String,
    pub(crate) granted: bool,
    pub(crate) text_version: String,
    pub(crate) recorded_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
