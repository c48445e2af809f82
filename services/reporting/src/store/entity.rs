//! One file a table.

pub(crate) mod batch;
pub(crate) mod charge;
pub(crate) mod chunk;
pub(crate) mod definition;
pub(crate) mod discrepancy;
pub(crate) mod ledger_account;
pub(crate) mod ledger_balance;
pub(crate) mod payout;
pub(crate) mod position;
pub(crate) mod reconciliation;
pub(crate) mod risk_decision;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod transaction;
