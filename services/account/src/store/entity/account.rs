//! Table `accounts`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::AccountId;

/// An account with its sums.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: AccountId,
    pub(crate) tenant_id: TenantId,
    pub(crate) owner_kind: String,
    pub(crate) owner_id: String,
    pub(crate) purpose: String,
    pub(crate) currency: String,
    pub(crate) connector: String,
    /// Hash of the seven columns before without the id: the unique index.
    pub(crate) reference: Uuid,
    pub(crate) debits_within_credits: bool,
    pub(crate) credits_within_debits: bool,
    pub(crate) state: String,
    pub(crate) state_reason: String,
    pub(crate) debits_pending_minor: i64,
    pub(crate) debits_posted_minor: i64,
    pub(crate) credits_pending_minor: i64,
    pub(crate) credits_posted_minor: i64,
    pub(crate) version: i64,
    pub(crate) entry_sequence: i64,
    pub(crate) event_sequence: i64,
    pub(crate) opened_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
