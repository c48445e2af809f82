//! Table `operations`. The primary key is a hash of tenant and step key.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::AttemptId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) attempt_id: AttemptId,
    pub(crate) tenant_id: TenantId,
    pub(crate) key: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) origin: String,
    pub(crate) subject_id: Uuid,
    pub(crate) fingerprint: Uuid,
    pub(crate) amount_minor: i64,
    pub(crate) is_final: bool,
    pub(crate) reason: String,
    pub(crate) connector_reference: Option<String>,
    pub(crate) decline_reason: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) is_in_flight: bool,
    pub(crate) sends: i32,
    pub(crate) asks: i32,
    pub(crate) sent_at: Timestamp,
    pub(crate) wake_at: Option<Timestamp>,
    /// Its place among the operations of its attempt.
    pub(crate) position: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
