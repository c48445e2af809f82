//! The kernel's writer against real databases: one contract, on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may spawn"
)]

mod book;
mod people;
mod writer;
