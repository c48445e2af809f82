//! Events between components: outbox, broker, inbox.
//!
//! A component puts a fact into the change set of the effect that it tells of ([`publish`]); its relay takes committed facts to
//! the broker; at each consumer a runner hands them to a [`Handler`], whose effect is committed together with the inbox cursor.
//! Two brokers stand behind one trait: the embedded one, in a SQLite file of its own, and RabbitMQ. The rules (B1…) are in the
//! README and beside the code that keeps them.
//!
//! In a component: `migrations()` in its migrator, `publish` in its use cases, a `Handler` for each stream that it reads. In
//! wiring: a [`Topology`], a [`Bus`], `start_relay` and `subscribe`.

pub mod broker;
pub mod bus;
pub mod consumer;
pub mod embedded;
pub mod event;
pub mod inbox;
mod metrics;
pub mod outbox;
pub mod rabbitmq;
pub mod topology;

use sea_orm_migration::MigrationTrait;

pub use broker::{Selection, Tail, Tailed};
pub use bus::{Bus, BusContext, BusError, Pending, QueuePending};
pub use consumer::{HandleError, Handler, Subscription, SubscriptionConfig};
pub use event::{Aggregate, Event};
pub use inbox::InboxDepth;
pub use outbox::{Relay, RelayConfig, publish, read::OutboxDepth};
pub use topology::{Queue, Topology};

/// The tables of outbox and inbox, for the migrator of each component that publishes or consumes.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(outbox::migration::Migration),
        Box::new(inbox::migration::Migration),
    ]
}
