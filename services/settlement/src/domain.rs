//! The rules, without any I/O: batches, payouts, statements, reconciliation, breaks.

pub(crate) mod batch;
pub(crate) mod difference;
pub(crate) mod ids;
pub(crate) mod matching;
pub(crate) mod payout;
pub(crate) mod reconciliation;
pub(crate) mod statement;
mod words;
