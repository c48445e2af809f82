//! Payments at external providers: payment methods, attempts, refunds, disputes and webhooks.
//!
//! A provider is reached through a [`Connector`](connector::Connector). Each step at it is a row before it is a call: what was
//! decided is committed, then sent under a key that keeps it from happening twice, then what came of it is committed. Where the
//! answer is missing, the outcome is *unknown*, and a durable task asks the provider by our reference until it is known. The
//! README has the invariants, P1 to P10, and the errors.

mod app;
pub mod config;
pub mod connector;
mod convert;
pub mod domain;
pub mod error;
mod events;
mod grpc;
mod store;

use paymesh_chassis::{Component, ConfigError, Host, InitError, Service, Surface};

pub use config::Config;

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Payment;

impl Component for Payment {
    const NAME: &'static str = "payment";
    const PORT: u16 = 3004;
    type Config = Config;

    fn validate(config: &Config) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    async fn init(config: Config, host: Host) -> Result<Service, InitError> {
        let app = app::App::try_new(config, &host)?;
        app.start_workers();
        Ok(Service {
            surface: Surface::Grpc(grpc::routes(app)),
            subscriptions: Vec::new(),
        })
    }
}
