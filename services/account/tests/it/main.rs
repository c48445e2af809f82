//! The ledger behind real gRPC, on SQLite and PostgreSQL, with a clock moved by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "a test fails by panicking, may spawn, and is read from top to bottom"
)]

mod accounts;
mod chain;
mod facts;
mod faults;
mod holds;
mod limits;
mod races;
mod reports;
mod statements;
mod transfers;
mod world;

/// Runs each scenario on both engines.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::world::World::sqlite().await).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(world) = crate::world::World::postgres().await { super::$name(world).await; }
            })*
        }
    };
}

pub(crate) use on_both_engines;
