//! Reports: definitions, schedules, runs and their files.

mod config;

use paymesh_chassis::{Component, ConfigError, Host, InitError, Service, Surface};
use tonic::service::Routes;

pub use config::Settings;

/// The component.
#[derive(Clone, Copy, Debug)]
pub struct Reporting;

impl Component for Reporting {
    const NAME: &'static str = "reporting";
    const PORT: u16 = 3011;
    type Config = Settings;

    fn validate(config: &Settings) -> Result<(), ConfigError> {
        config.validate()
    }

    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        Vec::new()
    }

    #[allow(clippy::unused_async, reason = "the trait has it asynchronous")]
    async fn init(_: Settings, _: Host) -> Result<Service, InitError> {
        Ok(Service {
            surface: Surface::Grpc(Routes::default()),
            subscriptions: Vec::new(),
        })
    }
}
