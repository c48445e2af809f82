//! The tables.

pub(crate) mod account;
pub(crate) mod batch;
pub(crate) mod entry;
pub(crate) mod ledger_head;
pub(crate) mod pending_transfer;
pub(crate) mod period;
pub(crate) mod tombstone;
pub(crate) mod transfer;
pub(crate) mod tree_node;
