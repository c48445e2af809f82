//! The rules of the ledger, pure: no clock, no ids made here, no I/O.
//!
//! [`book::Book`] folds commands in the order of their arrival into rows to write; [`tree`] and [`chain`] seal what was booked.

pub mod account;
pub mod balance;
pub mod batch;
pub mod book;
pub mod chain;
pub mod chart;
pub mod entry;
pub mod ids;
pub mod key;
pub mod leaf;
pub mod period;
pub mod transfer;
pub mod tree;
mod words;

pub use account::{Account, AccountState};
pub use balance::{Balance, Bounds, Delta};
pub use batch::Batch;
pub use book::Book;
pub use chart::{Class, NormalSide, OwnerKind, Purpose};
pub use entry::{Entry, Side};
pub use ids::{AccountId, PeriodId, TransactionId, TransferId};
pub use key::{AccountKey, Owner};
pub use period::Period;
pub use transfer::{Code, Kind, PendingState, Transfer};
