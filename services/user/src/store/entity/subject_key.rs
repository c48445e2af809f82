//! Table `subject_keys`.

use paymesh_kernel::{Timestamp, id::UserId};
use sea_orm::entity::prelude::*;

/// The key of one subject, wrapped. Without this row the subject's data is noise.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subject_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
