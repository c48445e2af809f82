//! The stacks on both ends of a call, in process and over a socket: one contract for both.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may spawn"
)]

mod callee;
mod calls;
mod serving;
