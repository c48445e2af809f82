//! Benches: figures beside the conditions in which they were measured, and proof that no cent was lost.

pub mod payments;

use anyhow::Result;
use clap::Subcommand;

use crate::wiring::Config;

/// What is measured.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Payments through REST at a given rate, whatever the answers take (open loop).
    Payments(payments::Arguments),
}

/// Measures.
///
/// # Errors
/// When the platform cannot be prepared, or the books do not say what the answers said.
pub fn run(config: Config, action: &Action) -> Result<()> {
    match action {
        Action::Payments(arguments) => payments::run(config, arguments),
    }
}
