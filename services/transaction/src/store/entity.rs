//! The tables.

pub(crate) mod operation;
pub(crate) mod transaction;
pub(crate) mod user_transaction;
pub(crate) mod view;
