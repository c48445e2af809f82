//! Merchants, their plans and terminals.
//!
//! Registering a merchant opens its three accounts at the ledger and ends consistent wherever it is interrupted. Plans are
//! versioned, and facts carry them. What every payment reads is kept in memory for a moment. The rules Y1–Y5 are in the README,
//! and their numbers in names of tests.

mod app;
mod cache;
mod clients;
mod config;
mod domain;
mod error;
mod events;
mod grpc;
mod proto;
mod store;

use std::{sync::Arc, time::Duration};

use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

use app::{App, Parts};
use cache::Cache;
use clients::{Ledger, Tenants};

pub use config::Settings;

/// How long the mode of a tenant is kept, which never changes.
const MODE_AGE: Duration = Duration::from_secs(24 * 3_600);

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Merchant;

// === impl Merchant ===

impl Component for Merchant {
    const NAME: &'static str = "merchant";
    const PORT: u16 = 3016;
    type Config = Settings;

    fn validate(config: &Settings) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    async fn init(settings: Settings, host: Host) -> Result<Service, InitError> {
        let age = Duration::from_millis(settings.cache_ms);
        let app = App::new(Parts {
            database: host.database.clone(),
            writer: host.writer.clone(),
            clock: Arc::clone(&host.platform.clock),
            ids: host.platform.ids.clone(),
            ledger: Ledger::new(host.channel("account")?),
            tenants: Tenants::new(host.channel("user")?),
            merchants: Cache::new(settings.cache_entries, age),
            terminals: Cache::new(settings.cache_entries, age),
            modes: Cache::new(settings.cache_entries, MODE_AGE),
            settings,
        });
        app.start_upkeep(&host.platform.tasks);
        Ok(Service {
            surface: grpc::surface(app),
            subscriptions: Vec::new(),
        })
    }
}
