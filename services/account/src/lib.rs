//! The ledger: accounts, transfers, entries, balances and proofs.
//!
//! A ledger is one (tenant, currency); a linked group of transfers may span ledgers of a tenant. All that changes the ledger goes through one
//! queue: a writer takes what waits, folds it in the order of its arrival with a pure function, and commits it with one write and one link
//! of the chain. The invariants A1–A9, which also stand in assertions and in the names of tests, are in the crate's README.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::integer_division,
    clippy::indexing_slicing
)]

pub mod app;
pub mod config;
pub mod domain;
pub mod error;
mod events;
mod grpc;
mod proto;
pub mod store;

use paymesh_bus::Subscription;
use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

use app::{App, Parts};
pub use config::Settings;

/// The component.
#[derive(Debug)]
pub struct Account;

impl Component for Account {
    const NAME: &'static str = "account";
    const PORT: u16 = 3_002;
    const CONSUMES: &'static [&'static str] = &[events::USER_STREAM];
    type Config = Settings;

    fn validate(config: &Settings) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    async fn init(config: Settings, host: Host) -> Result<Service, InitError> {
        let parts = Parts {
            database: host.database,
            bus: host.platform.bus,
            clock: host.platform.clock,
            ids: host.platform.ids,
            tasks: host.platform.tasks,
        };
        let app = App::start(&config, parts);
        let surface = grpc::surface(app.clone());
        let users = Subscription::new(Self::NAME, events::USER_STREAM, events::UserFacts { app });
        Ok(Service {
            surface,
            subscriptions: vec![users],
        })
    }
}
