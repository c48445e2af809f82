//! The simulated provider and bank: beside everything else in one process, or each in a process of its own.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use paymesh_chassis::{ConfigError, Secret, telemetry};
use paymesh_kernel::{Clock, SystemClock, Tasks};
use paymesh_simulators::{Clock as SimulatorClock, Handle, bank, provider};
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::{
    config::{ListenConfig, SimulatorsConfig},
    process::{self, block_on},
    wiring::Config,
};

/// Which simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Simulator {
    /// The payment provider.
    Provider,
    /// The bank.
    Bank,
}

/// Runs one simulator until a signal. Its record is kept in `simulators/` of the data folder.
///
/// # Errors
/// When the configuration lacks a secret, or the port or the record cannot be used.
pub fn run(config: &Config, which: Simulator) -> Result<()> {
    let process = &config.process;
    telemetry::init(&process.log).map_err(|error| ConfigError::Rule {
        field: "process.log.level".to_owned(),
        rule: error.to_string(),
    })?;
    let (field, secret) = match which {
        Simulator::Provider => (
            "process.simulators.provider_api_key",
            &process.simulators.provider_api_key,
        ),
        Simulator::Bank => (
            "process.simulators.bank_api_key",
            &process.simulators.bank_api_key,
        ),
    };
    if secret.is_empty() {
        return Err(ConfigError::Rule {
            field: field.to_owned(),
            rule: "must be set: it is what the simulator takes as a key".to_owned(),
        }
        .into());
    }
    process::make_private(&process.data_dir)?;
    block_on(async {
        let tasks = Tasks::new();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let handle = match which {
            Simulator::Provider => {
                start_provider(
                    &process.listen,
                    &process.simulators,
                    &process.data_dir,
                    &clock,
                )
                .await?
            }
            Simulator::Bank => {
                start_bank(
                    &process.listen,
                    &process.simulators,
                    &process.data_dir,
                    &clock,
                )
                .await?
            }
        };
        process::write_ready(
            &process.ready_file,
            &serde_json::json!({ "admin": handle.address().to_string() }),
        )?;
        crate::cli::say(
            &format!("the simulated {which:?} listens at {}", handle.url()).to_lowercase(),
        );
        supervise(&tasks, "simulator", handle);
        let died = tokio::select! {
            _ = tasks.died() => true,
            () = process::signalled() => false,
        };
        tasks.stop(process::STOP_GRACE).await;
        anyhow::ensure!(!died, "the simulator died; the log says why");
        Ok(())
    })
}

/// Starts the provider. It pays out to the bank when the configuration names one.
///
/// # Errors
/// When the port is taken or the record cannot be opened.
pub(crate) async fn start_provider(
    listen: &ListenConfig,
    config: &SimulatorsConfig,
    data_dir: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Handle> {
    let folder = data_dir.join("simulators/provider");
    let mut provider =
        provider::Config::new(folder, secret(&config.provider_api_key), ticks(clock));
    if !config.webhook_url.is_empty() {
        provider.webhook_targets.push(provider::WebhookTarget {
            url: config.webhook_url.clone(),
            secret: secret(&config.webhook_secret),
        });
    }
    if !config.bank_url.is_empty() {
        provider.bank = Some(provider::BankAccess {
            url: config.bank_url.clone(),
            api_key: secret(&config.bank_api_key),
        });
    }
    let listener = bind(listen, config.provider_port, "provider").await?;
    Ok(provider::Provider::start(provider, listener).await?)
}

/// Starts the bank.
///
/// # Errors
/// When the port is taken or the record cannot be opened.
pub(crate) async fn start_bank(
    listen: &ListenConfig,
    config: &SimulatorsConfig,
    data_dir: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Handle> {
    let bank = bank::Config::new(
        data_dir.join("simulators/bank"),
        secret(&config.bank_api_key),
        ticks(clock),
    );
    let listener = bind(listen, config.bank_port, "bank").await?;
    Ok(bank::Bank::start(bank, listener).await?)
}

/// A simulator whose task dies ends the process, as any task of ours.
pub(crate) fn supervise(tasks: &Tasks, name: &'static str, mut handle: Handle) {
    let stop = tasks.stopping().clone();
    tasks.spawn(name, async move {
        tokio::select! {
            () = handle.failed() => {}
            () = stop.cancelled() => handle.shutdown().await,
        }
    });
}

async fn bind(listen: &ListenConfig, port: u16, name: &str) -> Result<TcpListener> {
    let address = SocketAddr::new(listen.address, port);
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "the simulated {name} cannot listen on {address}; set process.simulators.{name}_port"
        )
    })
}

fn ticks(clock: &Arc<dyn Clock>) -> SimulatorClock {
    let clock = Arc::clone(clock);
    SimulatorClock::new(move || clock.now().as_micros())
}

fn secret(of: &Secret) -> SecretString {
    SecretString::from(of.expose().to_owned())
}
