//! The component behind real gRPC, on SQLite and PostgreSQL, with a clock moved by hand; ledger and tenants are played by the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod fakes;
mod plans;
mod register;
mod terminals;
mod visibility;
mod world;
