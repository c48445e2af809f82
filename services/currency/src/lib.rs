//! Rates by source and date, and quotes that fix integer amounts.
//!
//! The European Central Bank's euro reference rates are history here: imported from its files, fetched on a schedule, or loaded from the
//! excerpt that comes with the project, so that a laptop needs no network. Fixer and currencyapi.com can be switched on beside it. A
//! quote fixes both amounts of an exchange, and belongs to one operation.
//!
//! - X1: the legs and the spread of a quote add up exactly, each in its currency.
//! - X2: no exchange, there and back or around, makes money.
//! - X3: a rate is the last one on or before the business date.
//! - X4: the order of sources decides among fresh rates, age among older ones; beyond the limit none is used.
//! - X5: amounts come from published rates by one exact fraction, rounded once.
//! - X6: a file is taken in whole or not at all, and once.
//! - X7: a quote is consumed by one operation, once; then it is valid for good.
//! - X8: nobody sees another tenant's quote, and no person another person's.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::integer_division,
    clippy::indexing_slicing
)]

mod app;
pub mod config;
pub mod domain;
pub mod error;
mod events;
mod formats;
mod grpc;
mod sources;
mod store;
mod wire;

use std::sync::Arc;

use paymesh_chassis::{Component, ConfigError, Host, InitError, Service, Surface};
use paymesh_kernel::error::chain;

pub use config::Config;
pub use error::Error;
pub use formats::FormatError;
pub use store::{Migrations, StoreError};

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Currency;

// === impl Currency ===

impl Component for Currency {
    const NAME: &'static str = "currency";
    const PORT: u16 = 3009;
    type Config = Config;

    fn validate(config: &Config) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> Migrations {
        store::migrations()
    }

    async fn init(config: Config, host: Host) -> Result<Service, InitError> {
        let scheduled = sources::scheduled(&config).map_err(|error| other(&error))?;
        let app = Arc::new(app::App::new(config, &host));
        app.refresh().await.map_err(|error| other(&error))?;
        app.load_builtin().await.map_err(|error| other(&error))?;
        app::start(&app, scheduled, &host);
        Ok(Service {
            surface: Surface::Grpc(grpc::routes(app)),
            subscriptions: Vec::new(),
        })
    }
}

fn other(error: &(dyn std::error::Error + 'static)) -> InitError {
    InitError::Other {
        component: Currency::NAME,
        message: chain(error),
    }
}
