//! The component over gRPC, on SQLite and, where a server is, on PostgreSQL. The ledger and settlement are played by the test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod books;
mod crashes;
mod definitions;
mod facts;
mod files;
mod reports;
mod schedules;
mod settlement;
mod trial;
mod world;

/// Runs one scenario on each engine.
#[macro_export]
macro_rules! scenario {
    ($($name:ident;)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::world::World::sqlite().await).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(world) = $crate::world::World::postgres().await {
                        super::$name(world).await;
                    }
                }
            )*
        }
    };
}
