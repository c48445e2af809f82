//! Risk: decides on each payment before money moves, by rules and lists that are data, from windows kept in memory.
//!
//! A decision takes microseconds and one commit; it is stored with its reasons and the features it was made from, so that it can be
//! explained for good. Rules are conditions in a small typed language, tried on past payments before they take part. The rules
//! R1–R9 are in the README, and their numbers in names of tests.

mod app;
mod config;
mod convert;
pub mod domain;
mod error;
mod events;
mod grpc;
mod metrics;
mod store;

use std::sync::Arc;

use paymesh_bus::Subscription;
use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

use app::{App, Parts};
use events::consumed::Labels;

pub use config::{HistoryImport, Settings};

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Risk;

// === impl Risk ===

impl Component for Risk {
    const NAME: &'static str = "risk";
    const PORT: u16 = 3008;
    const CONSUMES: &'static [&'static str] = &["transaction", "payment"];
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
            settings,
        });
        app.start_follow();
        app.start_warm_up();
        let subscriptions = Self::CONSUMES
            .iter()
            .map(|stream| Subscription::new(Self::NAME, stream, Labels::new(app.clone())))
            .collect();
        Ok(Service {
            surface: grpc::surface(app),
            subscriptions,
        })
    }
}
