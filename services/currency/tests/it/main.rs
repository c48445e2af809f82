//! The component over real gRPC, on SQLite and on PostgreSQL, with publishers on HTTP servers of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod imports;
mod publishers;
mod quote_rules;
mod quotes;
mod rates;
mod sources;
mod support;
