//! Table `webhook_events`. The primary key is a hash of connector, connector account and event id. Bodies are not kept.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_events")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) connector: String,
    pub(crate) connector_account: String,
    pub(crate) event_id: String,
    pub(crate) kind: String,
    pub(crate) connector_reference: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) part: Option<String>,
    pub(crate) state: String,
    pub(crate) tries: i32,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) received_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
