//! The tables, one entity each.

pub(crate) mod alert;
pub(crate) mod import_chunk;
pub(crate) mod label;
pub(crate) mod list_entry;
pub(crate) mod payment;
pub(crate) mod rule;
pub(crate) mod tenant;
