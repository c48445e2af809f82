//! Table `statements`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::ids::StatementId;

/// An imported statement.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statements")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: StatementId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) content_sha256: String,
    pub(crate) line_count: i64,
    pub(crate) from_at: Timestamp,
    pub(crate) until_at: Timestamp,
    pub(crate) next_wake_at: Option<Timestamp>,
    pub(crate) attempts: i32,
    pub(crate) imported_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
