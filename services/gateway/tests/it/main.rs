//! The gateway with everything around it: real routes, real layers, real mesh; the other components answer from descriptors.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod auth;
mod edge;
mod events;
mod fake;
mod idempotency;
mod limits;
mod owners;
mod problems;
mod reserved;
mod routes;
mod uploads;
mod world;
