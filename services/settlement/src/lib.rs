//! Batches, positions, payouts, statements and their reconciliation.
//!
//! The ledger says how much, facts of transactions say when it is due. A batch is cut at a height of the ledger's chain and locks
//! nothing; a payout is a saga with a stable end-to-end id; reconciliation compares ledger, provider and bank. The rules are in the
//! README, and their numbers in names of tests.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::integer_division,
    clippy::indexing_slicing
)]

mod app;
mod bank;
mod clients;
mod config;
mod domain;
mod error;
mod events;
mod grpc;
mod proto;
mod store;

use std::sync::Arc;

use paymesh_bus::Subscription;
use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

use app::{App, Parts};
use bank::Bank;
use clients::{Ledger, Merchants, Transactions};
use events::consumed;

pub use config::{Bank as BankSettings, Settings};

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Settlement;

// === impl Settlement ===

impl Component for Settlement {
    const NAME: &'static str = "settlement";
    const PORT: u16 = 3010;
    const CONSUMES: &'static [&'static str] = &[consumed::STREAM];
    type Config = Settings;

    fn validate(config: &Settings) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    async fn init(settings: Settings, host: Host) -> Result<Service, InitError> {
        let bank = Bank::try_new(&settings.bank).map_err(|error| InitError::Other {
            component: Self::NAME,
            message: error.to_string(),
        })?;
        let app = App::new(Parts {
            database: host.database.clone(),
            writer: host.writer.clone(),
            clock: Arc::clone(&host.platform.clock),
            ids: host.platform.ids.clone(),
            ledger: Ledger::new(host.channel("account")?),
            merchants: Merchants::new(host.channel("merchant")?),
            transactions: Transactions::new(host.channel("transaction")?),
            bank,
            settings,
        });
        app.start(&host.platform.tasks);
        let facts = consumed::Transactions::new(app.clone());
        Ok(Service {
            surface: grpc::surface(app),
            subscriptions: vec![Subscription::new(Self::NAME, consumed::STREAM, facts)],
        })
    }
}
