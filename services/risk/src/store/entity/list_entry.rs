//! Table `list_entries`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::EntryId;

/// An entry of a list. A deleted one stays, so that its facts go on in order.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "list_entries")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: EntryId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) value: String,
    pub(crate) note: String,
    pub(crate) created_by: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
