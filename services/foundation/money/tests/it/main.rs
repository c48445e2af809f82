//! The crate from outside: its rules under random input, and its form in JSON.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod properties;
mod wire;
