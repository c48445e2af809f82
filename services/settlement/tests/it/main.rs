//! The component behind real gRPC, on SQLite and PostgreSQL, with a real simulated bank and provider and a clock moved by hand;
//! ledger, merchants and transactions are played by the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod batches;
mod breaks;
mod crash;
mod fakes;
mod holds;
mod payouts;
mod returns;
mod statements;
mod withdrawals;
mod world;
