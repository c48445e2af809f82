//! What every component runs in: configuration, logs, health, and the way from a crate to a running service.
//!
//! - C1: a configuration is checked whole before anything starts; an unknown field is an error.
//! - C2: a component is ready when its database answers; never because another component is.
//! - C3: a repeated command with the same key answers as the first, or says what differs.

pub mod admin;
pub mod component;
pub mod config;
pub mod health;
pub mod idempotency;
pub mod telemetry;

pub use component::{
    Component, Host, InitError, Platform, Section, Service, Surface, launch, migrate,
};
pub use config::{ConfigError, Secret};
pub use health::Health;
