//! Table `batches`: the chain, one row for each commit that booked something.

use paymesh_kernel::Timestamp;
use sea_orm::entity::prelude::*;

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "batches")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) height: i64,
    pub(crate) size: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) previous_hash: Vec<u8>,
    pub(crate) chain_hash: Vec<u8>,
    pub(crate) committed_at: Timestamp,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
