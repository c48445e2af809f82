//! The simulated bank: takes payouts and deposits, returns and rejects some payouts, and gives statements.
//!
//! Its record is its journal, and its state a fold of it. See the crate's README for the API and the beneficiaries.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::StartError;
use crate::bank::state::{State, Terms};
use crate::chance::Chance;
use crate::engine::{Engine, Rules};
use crate::flow::{Host, Latency};
use crate::handle::Handle;
use crate::request::ApiKey;
use crate::server::{self, Limits};
use crate::timestamp::Clock;

mod beneficiary;
mod decide;
mod fact;
mod routes;
mod state;

/// Everything a simulated bank needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the journal lives; made when it is missing.
    pub data_dir: PathBuf,
    /// Accepted as `Authorization: Bearer`.
    pub api_key: SecretString,
    /// The time, in microseconds since the Unix epoch.
    pub clock: Clock,
    /// One seed, one behaviour.
    pub seed: u64,
    /// How long each request takes at least.
    pub latency: Latency,
    /// What goes wrong beside what beneficiaries ask for.
    pub faults: Faults,
    /// When things happen that happen by themselves.
    pub delays: Delays,
    /// Bounds.
    pub limits: Limits,
}

/// Faults drawn by the seed, each at most once for an end-to-end id. Shares in thousandths of payouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// 500 without effect.
    pub error_per_mille: u16,
    /// No answer, but the effect.
    pub hang_with_effect_per_mille: u16,
    /// Payouts that come back although their beneficiary is fine.
    pub return_per_mille: u16,
}

/// When things happen that happen by themselves, in milliseconds after their cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// A payout to `ben_delayed` is booked.
    pub booked_ms: u64,
    /// A payout to `ben_returned` comes back after it was booked.
    pub returned_ms: u64,
    /// How long an idempotency key lives after its answer. End-to-end ids live for ever.
    pub key_lifetime_ms: u64,
}

/// The simulated bank.
#[derive(Clone, Copy, Debug)]
pub struct Bank;

// === impl Config ===

impl Config {
    /// A bank that works well.
    pub fn new(data_dir: PathBuf, api_key: SecretString, clock: Clock) -> Self {
        Self {
            data_dir,
            api_key,
            clock,
            seed: 0,
            latency: Latency::default(),
            faults: Faults::default(),
            delays: Delays::default(),
            limits: Limits::default(),
        }
    }

    fn validate(&self) -> Result<(), StartError> {
        let Faults {
            error_per_mille,
            hang_with_effect_per_mille,
            return_per_mille,
        } = self.faults;
        let drawn = u32::from(error_per_mille) + u32::from(hang_with_effect_per_mille);
        if drawn > 1_000 || return_per_mille > 1_000 {
            return Err(StartError::Config(
                "the shares of faults exceed 1000 thousandths",
            ));
        }
        Ok(())
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            booked_ms: 2_000,
            returned_ms: 2_000,
            key_lifetime_ms: 24 * 60 * 60 * 1_000,
        }
    }
}

// === impl Bank ===

impl Bank {
    /// Opens the record, resumes what waited in it, and serves on the listener until the handle is shut down or dropped.
    ///
    /// # Errors
    ///
    /// When the configuration does not hold together, the record cannot be opened, or the listener has no address.
    pub async fn start(config: Config, listener: TcpListener) -> Result<Handle, StartError> {
        config.validate()?;
        let address = listener.local_addr().map_err(StartError::Listener)?;
        let host = Host::new(open(&config).await?);
        let mut handle = Handle::new(address, host.clone());
        let router = routes::router(host.clone(), ApiKey::new(&config.api_key));
        handle.spawn(server::serve(
            listener,
            router,
            config.limits,
            host.stop.clone(),
        ));
        handle.spawn(host.run_timers());
        Ok(handle)
    }
}

// === free functions ===

/// Reads the journal on a thread that may block: it can be large.
async fn open(config: &Config) -> Result<Arc<Engine<State>>, StartError> {
    let terms = Terms {
        faults: config.faults,
        delays: config.delays,
        latency: config.latency,
        chance: Chance::new(config.seed),
        objects: config.limits.objects,
    };
    let rules = Rules {
        clock: config.clock.clone(),
        key_lifetime_ms: config.delays.key_lifetime_ms,
        journal_bytes: config.limits.journal_bytes,
        seed: config.seed,
    };
    let folder = config.data_dir.clone();
    let opened =
        tokio::task::spawn_blocking(move || Engine::open(&folder, State::new(terms), rules)).await;
    Ok(opened.map_err(|_| StartError::Config("the journal's reader stopped early"))??)
}
