//! Table `login_attempts`.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

/// Attempts to sign in without success, by a keyed hash of the address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) count: i64,
    pub(crate) began_at: Timestamp,
    pub(crate) locked_until: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
