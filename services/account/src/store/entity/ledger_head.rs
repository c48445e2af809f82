//! Table `ledger_head`: one row. Whoever commits locks it first, so that heights are serial over all replicas.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

/// Where the chain goes on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_head")]
pub(crate) struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: i64,
    pub(crate) height: i64,
    pub(crate) size: i64,
    /// Roots of perfect subtrees, 32 bytes each, the largest first.
    pub(crate) frontier: Vec<u8>,
    pub(crate) chain_hash: Vec<u8>,
    pub(crate) committed_at: Timestamp,
    /// Names the newest commit, so that one of unknown outcome can be found again.
    pub(crate) commit_id: Uuid,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
