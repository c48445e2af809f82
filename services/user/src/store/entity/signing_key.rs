//! Table `signing_keys`.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

/// A key that signs access tokens; its private half is sealed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) generation: i64,
    pub(crate) sealed: Vec<u8>,
    pub(crate) activates_at: Timestamp,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
