//! Payments against the simulated provider: real gRPC, real HTTP, on SQLite and on PostgreSQL.
//!
//! The component runs in a runtime of its own, which a test can kill at any point, as `kill -9` would. Every test ends with a look
//! at both books: what the provider has is what our attempts say, and every fact is numbered without a gap.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may spawn"
)]

mod actions;
mod crashes;
mod disputes;
mod gate;
mod life;
mod methods;
mod outcomes;
mod repeats;
mod steps;
mod webhooks;
mod world;

/// Each test on both engines. Without a PostgreSQL server its half says that it is skipped.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::world::World::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(world) = crate::world::World::postgres().await {
                    super::$name(world).await;
                }
            })*
        }
    };
}

pub(crate) use on_both_engines;
