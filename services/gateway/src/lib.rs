//! The edge: REST with OpenAPI 3.1 for everything that a tenant's staff, merchants and customers may call, and a stream of their
//! own events.
//!
//! It authenticates, limits, reads and checks forms, calls one component, and shows its answer. It decides nothing about money
//! and knows no permission: what a principal may do is decided by the component that is called.
//!
//! - G1: every route is in the document, and every RPC that somebody may call has a route.
//! - G2: nobody comes through without a proof of who they are that is valid now.
//! - G3: every POST that makes something or moves money has an idempotency key, kept to the letter.
//! - G4: what looks like a card number is refused, and neither repeated nor logged.
//! - G5: a limit that cannot be counted lets no money through.
//! - G6: a stream shows a caller's own facts, and a resumed stream leaves none out that are still kept.
//! - G7: every error is a problem document that says what is known of the outcome; internal texts never leave.
//! - G8: an owner, customer or merchant whom a request names exists for the caller, else nothing is made.

mod app;
mod clients;
pub mod config;
mod domain;
mod error;
mod events;
mod http;
mod store;

use paymesh_chassis::{Component, ConfigError, Host, InitError, Service, Surface};

pub use config::Config;

/// The component.
#[derive(Debug)]
pub struct Gateway;

impl Component for Gateway {
    const NAME: &'static str = "gateway";
    const PORT: u16 = 3_000;
    const PUBLISHES: bool = false;
    const CONSUMES: &'static [&'static str] = &events::STREAMS;
    type Config = Config;

    fn validate(config: &Config) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> store::Migrations {
        store::migration::all()
    }

    async fn init(config: Config, host: Host) -> Result<Service, InitError> {
        let app = app::App::init(config, host)?;
        let service = Service {
            surface: Surface::Http(http::router(app)),
            subscriptions: events::subscriptions(),
        };
        std::future::ready(Ok(service)).await
    }
}
