//! Table `rate_imports`.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

use crate::domain::SourceId;

/// A file that was taken in. Its id is a hash of source, form and content.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_imports")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) source_id: SourceId,
    pub(crate) imported_count: i64,
    pub(crate) oldest_date: String,
    pub(crate) newest_date: String,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
