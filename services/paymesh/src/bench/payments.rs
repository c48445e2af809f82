//! `paymesh bench payments`: an open loop of payments at a given rate.
//!
//! Of ten payments seven are card purchases through the simulated provider, two are transfers between wallets, one is a refund; a
//! fifth of all is exchanged. Each has an intended start, and its time counts from there, so a platform that stalls is not spared the
//! requests that would have come meanwhile. What cannot be started because too many are under way is shed, and counted apart.
//!
//! Afterwards the ledger has to agree with the answers to the cent.

mod books;
mod cpu;
mod load;
mod mix;
mod prepare;
mod report;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use paymesh_chassis::{Secret, telemetry};
use paymesh_kernel::Ids;

use crate::{
    cli::say,
    process::{self, block_on},
    rest::Rest,
    wiring::{Config, Mode, Share},
};

use self::{books::Books, load::Load, mix::Mix, prepare::Prepared, report::Report};

/// The highest rate that makes sense on one machine, in payments a second.
const MAX_RATE: u32 = 100_000;
/// The longest run, in seconds.
const MAX_SECONDS: u32 = 3_600;
/// How long what was answered with 202 may take to end.
const SETTLE: Duration = Duration::from_secs(60);

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Payments a second.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RATE)))]
    rate: u32,
    /// How long, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SECONDS)))]
    seconds: u32,
    /// How long to run before it counts, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=600))]
    warm_up: u32,
    /// Cards that pay.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    cards: u32,
    /// Wallets that send and receive.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(4..=10_000))]
    wallets: u32,
    /// Payments under way at once at most; more are shed.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    in_flight: u32,
    /// A running platform, such as `http://127.0.0.1:3000`; without it one is started, all in one, on a fresh folder.
    #[arg(long, requires = "api_key_file")]
    url: Option<String>,
    /// The file of the first access, or one that holds an API key alone.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// What the platform runs on, for the table.
    #[arg(long, default_value = "all in one")]
    mode: String,
    /// Puts the figures as one JSON object on the last line.
    #[arg(long)]
    json: bool,
    /// A Markdown file whose table of payments gets a line with these figures.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Measures and reports.
///
/// # Errors
/// When the platform cannot be prepared, or the books do not say what the answers said.
pub fn run(config: Config, arguments: &Arguments) -> Result<()> {
    let level = telemetry::init(&telemetry::LogConfig {
        level: "warn".to_owned(),
        ..config.process.log.clone()
    })?;
    let folder = config.process.data_dir.join("bench");
    block_on(async {
        let mut running = None;
        let (base, key) = if let Some(url) = &arguments.url {
            let file = arguments
                .api_key_file
                .as_deref()
                .context("the API key's file is not named")?;
            (url.clone(), api_key(file)?)
        } else {
            let mut config = config;
            config.process.data_dir =
                folder.join(Ids::next::<uuid::Uuid>(&Share::of_a_process().ids).to_string());
            let started = process::start(Mode::whole().plan(config)?, level).await?;
            let gateway = started.gateway.context("the gateway runs here")?;
            let sandbox = started.sandbox.as_ref().context("there is a sandbox")?;
            let access = (format!("http://{gateway}"), sandbox.api_key.clone());
            running = Some(started);
            access
        };
        let done = measure(&Rest::try_new(&base, key)?, arguments).await;
        if let Some(running) = running {
            let used = running.platform.data_dir.clone();
            running.stop().await;
            std::fs::remove_dir_all(used).ok();
        }
        done
    })
}

async fn measure(rest: &Rest, arguments: &Arguments) -> Result<()> {
    let prepared = Prepared::make(rest, arguments.cards, arguments.wallets).await?;
    let before = Books::read(rest).await?;
    let cpu = cpu::Usage::now();
    let mix = Mix::new(prepared);
    let load = Load {
        rate: arguments.rate,
        warm_up: arguments.warm_up,
        seconds: arguments.seconds,
        in_flight: arguments.in_flight,
    };
    let outcome = load.run(rest, mix).await?;
    let used = cpu::Usage::now().since(&cpu);
    let settled = outcome.settle(rest, SETTLE).await?;
    let verdict = before.compare(&Books::read(rest).await?, &settled);
    let report = Report::new(arguments, &outcome, &settled, &verdict, &used);
    say(&report.table());
    if let Some(file) = &arguments.write {
        report.write(file)?;
    }
    if arguments.json {
        say(&serde_json::to_string(&report)?);
    }
    ensure!(
        verdict.is_balanced,
        "the books do not say what the answers said: {}",
        verdict.detail
    );
    Ok(())
}

/// The key in a file of the first access, or in a file of its own.
fn api_key(file: &std::path::Path) -> Result<Secret> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let read: Result<serde_json::Value, _> = serde_json::from_str(&text);
    let key = read
        .ok()
        .and_then(|value| value["api_key"].as_str().map(ToOwned::to_owned));
    Ok(Secret::new(key.unwrap_or_else(|| text.trim().to_owned())))
}
