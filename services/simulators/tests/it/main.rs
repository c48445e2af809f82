//! The simulators as their callers see them: over HTTP, with a journal in a temporary folder.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bank;
mod crash;
mod keys;
mod payments;
mod reports;
mod requests;
mod support;
mod tokens;
mod webhooks;
