//! The simulated payment provider: authorize, capture, cancel, refund, 3-D Secure, disputes, webhooks, settlement reports.
//!
//! Its record is its journal, and its state a fold of it. See the crate's README for the API, the tokens and the invariants.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::StartError;
use crate::chance::Chance;
use crate::engine::{Engine, Rules};
use crate::flow::Host;
use crate::handle::Handle;
use crate::provider::fact::Fact;
use crate::provider::state::{State, Terms};
use crate::provider::webhook::Courier;
use crate::request::ApiKey;
use crate::server;

mod decide;
mod deposit;
mod event;
mod fact;
mod model;
mod plan;
mod routes;
mod settings;
mod settle;
mod state;
mod token;
mod view;
mod webhook;

pub use settings::{BankAccess, Config, Delays, Faults, Fees, WebhookPolicy, WebhookTarget};

/// The simulated provider.
#[derive(Clone, Copy, Debug)]
pub struct Provider;

// === impl Provider ===

impl Provider {
    /// Opens the record, resumes what waited in it, and serves on the listener until the handle is shut down or dropped.
    ///
    /// # Errors
    ///
    /// When the configuration does not hold together, the record cannot be opened, or the listener has no address.
    pub async fn start(config: Config, listener: TcpListener) -> Result<Handle, StartError> {
        config.validate()?;
        let address = listener.local_addr().map_err(StartError::Listener)?;
        let engine = open(&config, address).await?;
        let host = Host::new(Arc::clone(&engine));
        register_targets(&engine, &config)?;

        let mut handle = Handle::new(address, host.clone());
        let router = routes::router(host.clone(), ApiKey::new(&config.api_key));
        handle.spawn(server::serve(
            listener,
            router,
            config.limits,
            host.stop.clone(),
        ));
        handle.spawn(host.clone().run_timers());
        if config.webhook_targets.is_empty() && config.bank.is_none() {
            return Ok(handle);
        }
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(StartError::Client)?;
        for target in config.webhook_targets {
            let courier = Courier {
                engine: Arc::clone(&engine),
                client: client.clone(),
                target,
                policy: config.webhooks,
                chance: Chance::new(config.seed),
                stop: host.stop.clone(),
            };
            handle.spawn(courier.run());
        }
        if let Some(bank) = config.bank {
            handle.spawn(deposit::run(engine, client, bank, host.stop));
        }
        Ok(handle)
    }
}

// === free functions ===

/// Reads the journal on a thread that may block: it can be large.
async fn open(config: &Config, address: SocketAddr) -> Result<Arc<Engine<State>>, StartError> {
    let public_url = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{address}"));
    let terms = Terms {
        fees: config.fees,
        faults: config.faults,
        delays: config.delays,
        latency: config.latency,
        chance: Chance::new(config.seed),
        objects: config.limits.objects,
        public_url: public_url.trim_end_matches('/').to_owned(),
    };
    let rules = Rules {
        clock: config.clock.clone(),
        key_lifetime_ms: config.delays.key_lifetime_ms,
        journal_bytes: config.limits.journal_bytes,
        seed: config.seed,
    };
    let (folder, pending) = (config.data_dir.clone(), config.webhooks.pending);
    let opened = tokio::task::spawn_blocking(move || {
        Engine::open(&folder, State::new(terms, pending), rules)
    })
    .await;
    Ok(opened.map_err(|_| StartError::Config("the journal's reader stopped early"))??)
}

/// Tells the record who is told of events, when that has changed.
fn register_targets(engine: &Engine<State>, config: &Config) -> Result<(), StartError> {
    let mut targets: Vec<String> = config
        .webhook_targets
        .iter()
        .map(|target| target.url.clone())
        .collect();
    targets.sort_unstable();
    targets.dedup();
    if targets.len() != config.webhook_targets.len() {
        return Err(StartError::Config("a webhook target is named twice"));
    }
    if engine.peek(|state| state.outbox.target_names()) != targets {
        engine
            .note(&[Fact::WebhookTargets { targets }])
            .map_err(|_| StartError::Config("the record takes no more"))?;
    }
    Ok(())
}
