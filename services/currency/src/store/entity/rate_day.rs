//! Table `rate_days`.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

use crate::domain::SourceId;

/// What one source published for one date: `{"JPY":"175.68","USD":"1.1172"}`, units for one of the base. One row a day, because a day
/// is published, read and corrected as one. The revision is the version of the source that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_days")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source_id: SourceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) rate_date: String,
    pub(crate) rates: String,
    pub(crate) revision: i64,
    pub(crate) imported_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
