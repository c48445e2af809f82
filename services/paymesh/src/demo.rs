//! A day of card payments, played against a running platform.
//!
//! `paymesh demo` starts a platform all in one on a fresh folder, or takes one that runs (`--url`), and speaks to it as any client
//! does: by REST, with business time. The day is the Fraud Detection Handbook's (see [`handbook`]); transfers, refunds and disputes are
//! mixed in. At the end its own log of answers, the ledger, the databases, the provider's record and the broker must tell one story.

pub mod handbook;

mod check;
mod close;
mod disputes;
mod log;
mod pending;
mod plan;
mod play;
mod player;
mod prepare;
mod progress;
mod story;
mod summary;
mod world;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use paymesh_chassis::{ConfigError, Secret, telemetry};

use self::{
    handbook::{DAY_SECONDS, MAX_DAYS, Settings},
    play::{Play, Target},
    progress::Progress,
};
use crate::{
    cli::say,
    config::ProcessConfig,
    process::{self, Running, block_on},
    rest::{Rest, run_name},
    wiring::{Config, Mode},
};

/// Terminals that a customer should have near by, on average, however small the demo.
const TERMINALS_NEAR_BY: f64 = 8.0;
/// The handbook's radius.
const RADIUS: f64 = 5.0;
/// Scenarios look this many days ahead of the one that is played.
const DAYS_AHEAD: u16 = 16;
/// Most requests under way at once.
const MOST_CONCURRENT: usize = 1_024;

/// What to play, and where.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Customers, at most 20,000.
    #[arg(long, default_value_t = 5_000)]
    customers: u32,
    /// Terminals, at most 40,000.
    #[arg(long, default_value_t = 10_000)]
    terminals: u32,
    /// The day to play, counted from 0 at the handbook's first, 1 April 2018.
    #[arg(long, default_value_t = 130)]
    day: u16,
    /// Another first day, such as 2026-04-01; it moves the dataset in time.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Days before, that risk learns of by import.
    #[arg(long, default_value_t = 30)]
    history: u16,
    /// What the handbook leaves open: merchants, cards, transfers, refunds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests under way at once.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Ends the platform after the summary.
    #[arg(long)]
    exit: bool,
    /// Prints the summary as one JSON object on the last line.
    #[arg(long)]
    json: bool,
    /// Plays against the platform at this address instead of starting one. Its API key is taken from PAYMESH_API_KEY or a file.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A file with the API key of an administrator.
    #[arg(long, value_name = "FILE", requires = "url")]
    api_key_file: Option<PathBuf>,
    /// The sandbox tenant that the key belongs to; needed where the key may see several.
    #[arg(long, value_name = "TENANT", requires = "url")]
    tenant: Option<String>,
    /// The simulated provider, whose record is compared. Its key is taken from PAYMESH_PROVIDER_API_KEY or a file.
    #[arg(long, value_name = "URL", requires = "url")]
    provider_url: Option<String>,
    /// A file with the simulated provider's key.
    #[arg(long, value_name = "FILE", requires = "provider_url")]
    provider_key_file: Option<PathBuf>,
    /// The simulated bank, with whose statement the day is reconciled. Its key is taken from PAYMESH_BANK_API_KEY or a file.
    #[arg(long, value_name = "URL", requires = "provider_url")]
    bank_url: Option<String>,
    /// A file with the simulated bank's key.
    #[arg(long, value_name = "FILE", requires = "bank_url")]
    bank_key_file: Option<PathBuf>,
    /// Where each process of the platform serves its metrics, such as http://127.0.0.1:3900; may be given several times.
    #[arg(long, value_name = "URL", requires = "url")]
    metrics_url: Vec<String>,
    /// Where the log of answers is written.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// Keys that came by the environment.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Of the platform's administrator.
    pub api_key: Option<Secret>,
    /// Of the simulated provider.
    pub provider_api_key: Option<Secret>,
    /// Of the simulated bank.
    pub bank_api_key: Option<Secret>,
}

/// Names of the variables that [`Keys`] come by.
pub const API_KEY_VARIABLE: &str = "PAYMESH_API_KEY";
/// Of the simulated provider.
pub const PROVIDER_KEY_VARIABLE: &str = "PAYMESH_PROVIDER_API_KEY";
/// Of the simulated bank.
pub const BANK_KEY_VARIABLE: &str = "PAYMESH_BANK_API_KEY";

/// Plays a day.
///
/// # Errors
/// When arguments cannot be used, the platform does not work, or a check fails.
pub fn run(config: Config, arguments: &Arguments, keys: Keys) -> Result<()> {
    let settings = arguments.settings()?;
    match &arguments.url {
        Some(url) => block_on(elsewhere(url, arguments, keys, &settings)),
        None => here(config, arguments, &settings),
    }
}

// === impl Arguments ===

impl Arguments {
    /// The dataset to simulate.
    fn settings(&self) -> Result<Settings, ConfigError> {
        let rule = |field: &str, rule: String| ConfigError::Rule {
            field: field.to_owned(),
            rule,
        };
        if self.day > MAX_DAYS - DAYS_AHEAD {
            let most = MAX_DAYS - DAYS_AHEAD;
            return Err(rule("--day", format!("must be 0 to {most}")));
        }
        if self.customers == 0 || self.terminals == 0 {
            return Err(rule(
                "--customers and --terminals",
                "must be at least 1".to_owned(),
            ));
        }
        if !(1..=MOST_CONCURRENT).contains(&self.concurrency) {
            return Err(rule(
                "--concurrency",
                format!("must be 1 to {MOST_CONCURRENT}"),
            ));
        }
        let mut settings = Settings {
            customers: self.customers,
            terminals: self.terminals,
            days: self.day + DAYS_AHEAD,
            ..Settings::default()
        };
        // A small demo has terminals near by too; the handbook's own sizes keep its radius.
        let sparse = (TERMINALS_NEAR_BY * 10_000.0
            / (std::f64::consts::PI * f64::from(self.terminals)))
        .sqrt();
        settings.radius = RADIUS.max(sparse);
        if let Some(date) = &self.start {
            let first = paymesh_kernel::Timestamp::parse(&format!("{date}T00:00:00Z"))
                .map_err(|_| rule("--start", "must be a date such as 2026-04-01".to_owned()))?;
            settings.start_unix_seconds = first.as_micros().div_euclid(1_000_000);
        }
        settings
            .validate()
            .map_err(|error| rule("--customers, --terminals, --day", error.to_string()))?;
        Ok(settings)
    }

    fn play(&self, settings: &Settings) -> Play {
        Play {
            settings: settings.clone(),
            day: self.day,
            history: self.history.min(self.day),
            seed: self.seed,
            concurrency: self.concurrency,
        }
    }
}

/// Unix seconds of the first moment of a day.
fn start_of(settings: &Settings, day: u16) -> i64 {
    settings
        .start_unix_seconds
        .saturating_add(i64::from(day) * i64::from(DAY_SECONDS))
}

// === all in one ===

/// A folder for a platform of its own.
struct Folder {
    path: PathBuf,
    /// Made for this demo alone, so that it may go with it.
    is_ours: bool,
}

fn here(mut config: Config, arguments: &Arguments, settings: &Settings) -> Result<()> {
    let folder = folder(&config.process)?;
    config.process.data_dir.clone_from(&folder.path);
    if config.process.log.level == telemetry::LogConfig::default().level {
        // Progress and summary are what is to be read here.
        "warn,sqlx=error".clone_into(&mut config.process.log.level);
    }
    let level = telemetry::init(&config.process.log).map_err(|error| ConfigError::Rule {
        field: "process.log.level".to_owned(),
        rule: error.to_string(),
    })?;
    block_on(async {
        let progress = Progress::new();
        let started = std::time::Instant::now();
        let running = process::start(Mode::whole().plan(config)?, level).await?;
        progress.done(&format!("a platform in {}", folder.path.display()), started);
        let log = arguments
            .log
            .clone()
            .unwrap_or_else(|| folder.path.join("demo-answers.jsonl"));
        let played = tokio::select! {
            played = play_here(&running, arguments, settings, &log) => played,
            name = running.died() => Err(anyhow::anyhow!("the task {name} died; the log says why")),
            () = process::signalled() => Err(anyhow::anyhow!("interrupted")),
        };
        if played.is_ok() && !arguments.exit {
            tokio::select! {
                _ = running.died() => {}
                () = process::signalled() => {}
            }
        }
        running.stop().await;
        if folder.is_ours && arguments.exit && played.is_ok() {
            std::fs::remove_dir_all(&folder.path).ok();
        }
        played
    })
}

async fn play_here(
    running: &Running,
    arguments: &Arguments,
    settings: &Settings,
    log: &Path,
) -> Result<()> {
    let (Some(gateway), Some(sandbox), Some(simulated)) =
        (running.gateway, &running.sandbox, &running.simulated)
    else {
        anyhow::bail!("the platform has no sandbox");
    };
    let base = format!("http://{gateway}");
    let target = Target {
        rest: Rest::try_new(&base, sandbox.api_key.clone())?,
        tenant: sandbox.tenant.to_string(),
        provider: Some(Rest::try_new(
            &simulated.provider_url,
            simulated.provider_api_key.clone(),
        )?),
        bank: Some(Rest::try_new(
            &simulated.bank_url,
            simulated.bank_api_key.clone(),
        )?),
        pending: pending::Source::Bus(running.platform.bus.clone()),
        ids: running.platform.ids.clone(),
    };
    let summary = arguments.play(settings).run(&target, log).await?;
    say(&summary::page(&summary));
    say(&format!("Every answer is in {}", log.display()));
    if !arguments.exit {
        say(&links(running, &base, sandbox.api_key.expose()));
    }
    conclude(&summary, arguments)
}

/// What to try next.
fn links(running: &Running, base: &str, key: &str) -> String {
    format!(
        "\nThe platform goes on running. Try next:\n  documentation   {base}/docs\n  health          http://{}/health   metrics at /metrics\n  payments        curl -s '{base}/v1/transactions?limit=5' -H 'Authorization: Bearer {key}'\n  risk's reasons  curl -s '{base}/v1/risk/decisions?limit=5' -H 'Authorization: Bearer {key}'\n  the ledger      curl -s {base}/v1/ledger/trial-balance -H 'Authorization: Bearer {key}'\nCtrl-C ends it.",
        running.admin
    )
}

fn folder(process: &ProcessConfig) -> Result<Folder> {
    if process.data_dir != ProcessConfig::default().data_dir {
        let path = process.data_dir.clone();
        let is_fresh = !path.join("gateway.db").exists();
        ensure!(
            is_fresh,
            "the folder {} holds a platform already; the demo starts with a fresh one",
            path.display()
        );
        return Ok(Folder {
            path,
            is_ours: false,
        });
    }
    let name = format!("paymesh-demo-{}", run_name());
    Ok(Folder {
        path: std::env::temp_dir().join(name),
        is_ours: true,
    })
}

// === elsewhere ===

async fn elsewhere(
    url: &str,
    arguments: &Arguments,
    keys: Keys,
    settings: &Settings,
) -> Result<()> {
    let key = secret(
        arguments.api_key_file.as_deref(),
        keys.api_key,
        API_KEY_VARIABLE,
    )?;
    let rest = Rest::try_new(url, key)?;
    let tenant = match &arguments.tenant {
        Some(tenant) => tenant.clone(),
        None => play::only_tenant(&rest).await?,
    };
    let counterpart = |url: &Option<String>, file: &Option<PathBuf>, key, name| {
        let Some(url) = url else { return Ok(None) };
        let key = secret(file.as_deref(), key, name)?;
        Rest::try_new(url, key).map(Some)
    };
    let provider = counterpart(
        &arguments.provider_url,
        &arguments.provider_key_file,
        keys.provider_api_key,
        PROVIDER_KEY_VARIABLE,
    )?;
    let bank = counterpart(
        &arguments.bank_url,
        &arguments.bank_key_file,
        keys.bank_api_key,
        BANK_KEY_VARIABLE,
    )?;
    let clock = std::sync::Arc::new(paymesh_kernel::SystemClock);
    let target = Target {
        rest,
        tenant,
        provider,
        bank,
        pending: pending::Source::of_metrics(&arguments.metrics_url)?,
        ids: paymesh_kernel::Ids::new(clock),
    };
    let log = arguments
        .log
        .clone()
        .unwrap_or_else(|| PathBuf::from("paymesh-demo-answers.jsonl"));
    let summary = arguments.play(settings).run(&target, &log).await?;
    say(&summary::page(&summary));
    say(&format!("Every answer is in {}", log.display()));
    conclude(&summary, arguments)
}

/// A key from a file, else from the environment; never from an argument, which everybody on the machine can read.
fn secret(file: Option<&Path>, variable: Option<Secret>, name: &str) -> Result<Secret> {
    let Some(file) = file else {
        return variable.with_context(|| {
            format!("set {name}, or name a file with the key; a key is never an argument")
        });
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the key file {} cannot be read", file.display()))?;
    Ok(Secret::new(text.trim()))
}

fn conclude(summary: &summary::Summary, arguments: &Arguments) -> Result<()> {
    if arguments.json {
        say(&serde_json::to_string(summary)?);
    }
    ensure!(
        summary.is_well(),
        "the day did not end well; the summary says what is wrong"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(words: &[&str]) -> Arguments {
        let words = ["demo"].iter().chain(words);
        Line::try_parse_from(words)
            .expect("the arguments can be read")
            .arguments
    }

    #[test]
    fn without_arguments_it_is_the_handbooks_own_simulation() {
        let settings = parse(&[]).settings().expect("the defaults can be used");
        let published = Settings::default();
        assert_eq!(settings.customers, published.customers);
        assert_eq!(settings.terminals, published.terminals);
        assert!((settings.radius - published.radius).abs() < f64::EPSILON);
        assert_eq!(settings.start_unix_seconds, published.start_unix_seconds);
    }

    #[test]
    fn sizes_that_cannot_be_simulated_are_refused_before_anything_starts() {
        for words in [
            ["--customers", "20001"],
            ["--customers", "0"],
            ["--terminals", "40001"],
            ["--day", "351"],
            ["--concurrency", "0"],
            ["--start", "yesterday"],
        ] {
            assert!(parse(&words).settings().is_err(), "{words:?}");
        }
    }
}
