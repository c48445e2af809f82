//! The business transaction and its saga: the second heart of the platform, beside the ledger.
//!
//! A transaction is recorded with its key, assessed by risk, priced by a quote when its sides differ in currency, reserved in the
//! ledger or at a provider, taken, and booked in one linked group; then its facts are told. Every step has a key and every id is
//! stored before it is used, so whatever dies in between is finished by another instance. Rules T1–T14 are in the README; their
//! numbers stand in assertions and in the names of tests.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::integer_division,
    clippy::indexing_slicing
)]

mod app;
mod clients;
mod config;
pub mod domain;
mod error;
mod events;
mod grpc;
mod store;

use std::sync::Arc;

use paymesh_bus::{Subscription, SubscriptionConfig};
use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

pub use app::checkpoint::{Checkpoint, Point};
pub use config::{Config, Fee, Fees};
pub use error::Error;
pub use store::StoreError;

/// Deliveries of payment's facts under way at once: a crash counts against all of them.
const MONEY_PREFETCH: u16 = 16;

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Transaction;

impl Component for Transaction {
    const NAME: &'static str = "transaction";
    const PORT: u16 = 3003;
    const CONSUMES: &'static [&'static str] = &["transaction", "payment"];
    type Config = Config;

    fn validate(config: &Config) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    async fn init(config: Config, host: Host) -> Result<Service, InitError> {
        start(config, &host, None)
    }
}

/// Builds the component. With a checkpoint, a test decides where it dies.
///
/// # Errors
/// When nobody knows where another component is.
pub fn start(
    config: Config,
    host: &Host,
    checkpoint: Option<Arc<dyn Checkpoint>>,
) -> Result<Service, InitError> {
    let app = app::App::try_new(config, host, checkpoint)?;
    app.start();
    let money = SubscriptionConfig {
        prefetch: MONEY_PREFETCH,
        ..SubscriptionConfig::default()
    };
    let subscriptions = vec![
        Subscription::new("transaction", "transaction", events::Projection),
        Subscription::new(
            "transaction",
            "payment",
            events::PaymentFacts::new(app.clone()),
        )
        .with(money),
    ];
    Ok(Service {
        surface: grpc::surface(app),
        subscriptions,
    })
}
