//! Table `rate_sources`.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

use crate::domain::SourceId;

/// A source. Its version counts the imports that changed something, and numbers its facts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_sources")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: SourceId,
    pub(crate) name: String,
    pub(crate) base_currency: String,
    pub(crate) imported_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
