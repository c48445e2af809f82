//! Table `payments`: what windows count, and what was decided. Rows never change.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::DecisionId;

/// A payment. `decision` is empty for imported history.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: DecisionId,
    pub(crate) tenant_id: TenantId,
    pub(crate) transaction_id: String,
    pub(crate) kind: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) customer_id: String,
    pub(crate) payee_id: String,
    pub(crate) payment_method: String,
    pub(crate) is_new_method: bool,
    pub(crate) issuer_country: String,
    pub(crate) merchant_id: String,
    pub(crate) terminal_id: String,
    pub(crate) country: String,
    pub(crate) business_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    /// The process that wrote it.
    pub(crate) node: i64,
    /// For history that is known to be fraud: since when.
    pub(crate) fraud_at: Option<Timestamp>,
    pub(crate) decision: String,
    pub(crate) score: i32,
    /// Hash of what was asked.
    pub(crate) fingerprint: Uuid,
    /// Reasons, features and rules, encoded.
    pub(crate) detail: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
