//! The component behind real gRPC, on SQLite and PostgreSQL, with a clock moved by hand and the ledger played by the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod access;
mod erasure;
mod fakes;
mod keys;
mod logs;
mod register;
mod sessions;
mod tenants;
mod users;
mod world;
