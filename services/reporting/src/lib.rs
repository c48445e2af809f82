//! Reports: definitions, schedules, runs and their files.
//!
//! Read models are built from the facts of others; what only its owner knows is asked for. A run is made under a lease by one of the
//! replicas, survives a crash at any step, and ends with a file or a reason. Money by account class agrees with the ledger to the
//! cent, or the report fails. The rules P1–P9 are in the README, and their numbers in names of tests.

mod app;
mod clients;
mod config;
mod convert;
mod domain;
mod error;
mod events;
mod grpc;
mod metrics;
mod store;
mod wire;

use std::sync::Arc;

use paymesh_bus::Subscription;
use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

use app::{App, Parts};
use clients::{Ledger, Settlement};
use events::consumed::Intake;

pub use config::Settings;

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Reporting;

// === impl Reporting ===

impl Component for Reporting {
    const NAME: &'static str = "reporting";
    const PORT: u16 = 3011;
    const CONSUMES: &'static [&'static str] = &["transaction", "account", "settlement", "risk"];
    type Config = Settings;

    fn validate(config: &Settings) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    #[allow(clippy::unused_async, reason = "the trait has it asynchronous")]
    async fn init(settings: Settings, host: Host) -> Result<Service, InitError> {
        let platform = &host.platform;
        let app = App::new(Parts {
            database: host.database.clone(),
            writer: host.writer.clone(),
            clock: Arc::clone(&platform.clock),
            ids: platform.ids.clone(),
            tasks: platform.tasks.clone(),
            ledger: Ledger::new(host.channel("account")?),
            settlement: Settlement::new(host.channel("settlement")?),
            settings,
        });
        app.start();
        let subscriptions = Self::CONSUMES
            .iter()
            .filter_map(|stream| {
                let intake = Intake::of(stream)?;
                Some(Subscription::new(Self::NAME, stream, intake))
            })
            .collect();
        Ok(Service {
            surface: grpc::surface(app),
            subscriptions,
        })
    }
}
