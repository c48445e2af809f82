//! A simulated payment provider and a simulated bank: real HTTP servers with a durable record of their own.
//!
//! They stand in for the outside world on laptops, in tests and in benches. What they did can be compared with what the
//! platform believes, so their record must be trustworthy: every answer is given only after its effect is on the disk, and a
//! start after `kill -9` rebuilds exactly the state that was answered. The README has the API, the magic tokens and
//! beneficiaries, the invariants and the limits.

#![deny(clippy::float_arithmetic)]

mod amount;
pub mod bank;
mod chance;
mod engine;
mod flow;
mod handle;
mod journal;
mod keys;
mod machine;
mod problem;
pub mod provider;
mod record;
mod request;
mod server;
mod timestamp;

pub use flow::Latency;
pub use handle::Handle;
pub use journal::JournalError;
pub use server::Limits;
pub use timestamp::Clock;

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration does not hold together.
    #[error("the simulator's configuration is wrong: {0}")]
    Config(&'static str),
    /// The record cannot be opened.
    #[error("the simulator's record cannot be opened")]
    Journal(#[from] JournalError),
    /// The listener has no address.
    #[error("the simulator's listener cannot be used")]
    Listener(#[source] std::io::Error),
    /// The HTTP client for webhooks and deposits cannot be made.
    #[error("the simulator's HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}
