//! Table `quotes`.

use paymesh_kernel::{Timestamp, id::TenantId};
use sea_orm::entity::prelude::*;

use crate::domain::QuoteId;

/// A quote. Rates are decimal text, dates ISO 8601 text.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quotes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: QuoteId,
    pub(crate) tenant_id: TenantId,
    pub(crate) created_by: String,
    pub(crate) side: String,
    pub(crate) spread_side: String,
    pub(crate) source_currency: String,
    pub(crate) target_currency: String,
    pub(crate) source_minor: i64,
    pub(crate) target_minor: i64,
    pub(crate) spread_minor: i64,
    pub(crate) mid_source_minor: i64,
    pub(crate) mid_target_minor: i64,
    pub(crate) mid_rate: String,
    pub(crate) customer_rate: String,
    pub(crate) spread_bp: i32,
    pub(crate) rate_source: String,
    pub(crate) rate_date: String,
    pub(crate) consumed_by: Option<String>,
    pub(crate) consumed_at: Option<Timestamp>,
    pub(crate) business_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) fingerprint: Uuid,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
