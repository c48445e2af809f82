//! The component over gRPC, on SQLite and, where a server is, on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod decisions;
mod history;
mod labels;
mod lists;
mod replicas;
mod rules;
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
