//! From a commit to its effect in another component: one suite, on each broker and each database engine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may spawn"
)]

mod embedded;
mod picky;
mod proxy;
mod rabbitmq;
mod relay;
mod scenarios;
mod tally;
mod world;
mod yard;
