//! What the platform does for the people who use it, through REST alone, the same in both modes.
//!
//! Each scenario runs all in one and split over PostgreSQL, RabbitMQ and Redis. Scenarios of one mode share a platform, so none may
//! count on being alone: each makes its own people and merchants.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod books;
mod edges;
mod idempotency;
mod money;
mod purchases;
mod world;

/// One scenario, twice.
macro_rules! scenarios {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            mod $name {
                use crate::world::{Mode, World};

                #[tokio::test]
                async fn all_in_one() {
                    if let Some(world) = World::of(Mode::AllInOne).await {
                        super::scenario::$name(world).await;
                    }
                }

                #[tokio::test]
                async fn split() {
                    if let Some(world) = World::of(Mode::Split).await {
                        super::scenario::$name(world).await;
                    }
                }
            }
        )*
    };
}
pub(crate) use scenarios;
