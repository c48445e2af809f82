//! Table `import_chunks`: which pieces of history were taken.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

/// A piece of history.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_chunks")]
pub(crate) struct Model {
    /// Hash of tenant, import and number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: TenantId,
    /// Hash of what was asked.
    pub(crate) fingerprint: Uuid,
    pub(crate) imported_count: i64,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
