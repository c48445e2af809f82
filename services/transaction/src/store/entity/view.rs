//! Table `transaction_views`: the read model behind lists and summaries, built from facts.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use sea_orm::entity::prelude::*;

use crate::domain::{AccountId, TerminalId, TransactionId};

/// A transaction, or one refund or chargeback of it, as the last fact showed it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transaction_views")]
pub(crate) struct Model {
    /// The transaction's, or the operation's for refunds and chargebacks.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) tenant_id: TenantId,
    pub(crate) transaction_id: TransactionId,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) fee_currency: String,
    pub(crate) fee_minor: i64,
    pub(crate) payer_user_id: Option<UserId>,
    pub(crate) payee_user_id: Option<UserId>,
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) terminal_id: Option<TerminalId>,
    pub(crate) payer_account_id: Option<AccountId>,
    pub(crate) payee_account_id: Option<AccountId>,
    pub(crate) purpose: Option<String>,
    pub(crate) business_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
