//! Rows.

pub(crate) mod activity;
pub(crate) mod batch;
pub(crate) mod cursor;
pub(crate) mod difference;
pub(crate) mod line;
pub(crate) mod payout;
pub(crate) mod position;
pub(crate) mod reconciliation;
pub(crate) mod release;
pub(crate) mod statement;
