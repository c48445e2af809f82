//! Tenants, users, credentials, sessions, roles, consents and API keys: the only component that stores personal data.
//!
//! Registering a user opens an account at the ledger and ends consistent wherever it is interrupted. Passwords are argon2id
//! hashes, access tokens Ed25519 JWTs with rotating keys, refresh tokens work once. Personal data is encrypted under a key of
//! its subject and erased by deleting that key. The rules U1–U9 are in the README, and their numbers in names of tests.

mod app;
mod clients;
mod config;
mod domain;
mod error;
mod events;
mod first_access;
mod grpc;
mod proto;
mod secrets;
mod store;

use std::sync::Arc;

use paymesh_chassis::{Component, ConfigError, Host, InitError, Service};

use app::{App, Parts, SigningKeys};
use clients::{Accounts, Payments};
use secrets::{Passwords, Vault, master};

pub use app::first_access::FirstAccess;
pub use config::Settings;
pub use first_access::{FirstAccessError, Found, first_access};

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct User;

// === impl User ===

impl Component for User {
    const NAME: &'static str = "user";
    const PORT: u16 = 3001;
    type Config = Settings;

    fn validate(config: &Settings) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migrations()
    }

    async fn init(settings: Settings, host: Host) -> Result<Service, InitError> {
        let app = build(settings, &host).await?;
        app.start_upkeep(&host.platform.tasks);
        Ok(Service {
            surface: grpc::surface(app),
            subscriptions: Vec::new(),
        })
    }
}

async fn build(settings: Settings, host: &Host) -> Result<App, InitError> {
    let other = |message: String| InitError::Other {
        component: User::NAME,
        message,
    };
    let folder = host.platform.data_dir.clone();
    let text = settings.master_key.clone();
    let master = tokio::task::spawn_blocking(move || {
        if text.is_empty() {
            master::load_or_create(&folder)
        } else {
            master::parse(text.expose())
        }
    })
    .await
    .map_err(|error| other(error.to_string()))?
    .map_err(|error| other(paymesh_kernel::error::chain(&error)))?;
    let cost = settings.password_cost();
    let passwords = tokio::task::spawn_blocking(move || Passwords::try_new(cost))
        .await
        .map_err(|error| other(error.to_string()))?
        .map_err(|error| other(error.to_string()))?;
    let app = App::new(Parts {
        database: host.database.clone(),
        writer: host.writer.clone(),
        clock: Arc::clone(&host.platform.clock),
        ids: host.platform.ids.clone(),
        vault: Vault::new(&master),
        passwords,
        signing: SigningKeys::default(),
        accounts: Accounts::new(host.channel("account")?),
        payments: Payments::new(host.channel("payment")?),
        settings,
    });
    // Keys that do not open were sealed under another master key: better to know now than at the first login.
    app.jwks().await.map_err(|error| {
        other(format!(
            "its signing keys cannot be used ({}); is the master key the one of this database?",
            paymesh_kernel::error::chain(&error)
        ))
    })?;
    Ok(app)
}
