//! Table `ledger_balances`.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

/// The sums of an account after a batch of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_balances")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) height: i64,
    pub(crate) debits_posted_minor: i64,
    pub(crate) credits_posted_minor: i64,
    pub(crate) debits_pending_minor: i64,
    pub(crate) credits_pending_minor: i64,
    pub(crate) booked_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
