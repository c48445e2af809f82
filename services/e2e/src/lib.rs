//! Whole platforms for system tests: the real binary in processes of its own, all in one or split, and a REST client.
//!
//! `cargo xtask test` builds the binary and names it in `PAYMESH_BIN`, and names the servers that a split platform needs.

pub mod client;
pub mod platform;
pub mod process;

pub use client::{Answer, Client};
pub use platform::Platform;
