//! Arguments and exit codes.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use paymesh_chassis::{ConfigError, Secret};
use paymesh_mesh::network::MeshError;

use crate::{
    admin, bench, demo, events, process,
    simulators::{self, Simulator},
    wiring::{self, COMPONENTS, Config, Mode},
};

/// Wrong arguments or configuration (sysexits.h, EX_USAGE).
const EXIT_CONFIG: u8 = 64;
/// Anything else that went wrong.
const EXIT_FAILURE: u8 = 1;

/// A payment platform. Without a command it runs whole, in this one process, on files of its own.
#[derive(Debug, Parser)]
#[command(name = "paymesh", version, about)]
struct Arguments {
    /// A configuration file in TOML. Variables such as PAYMESH__ACCOUNT__DATABASE__URL go over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where files are kept; `process.data_dir` of the configuration.
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the named components over the network: PostgreSQL, RabbitMQ, one port each.
    Serve {
        /// Names as `paymesh components` lists them.
        #[arg(required = true)]
        components: Vec<String>,
    },
    /// Brings database schemas up to date; of every component, or of those named.
    Migrate {
        /// Names as `paymesh components` lists them.
        components: Vec<String>,
    },
    /// Runs a simulated payment provider or bank.
    Simulate {
        /// Which one.
        #[arg(value_enum)]
        simulator: Simulator,
    },
    /// What an administrator does once: first access, and a sandbox.
    Admin {
        #[command(subcommand)]
        action: admin::Action,
    },
    /// Measures, and proves that no cent was lost.
    Bench {
        #[command(subcommand)]
        action: bench::Action,
    },
    /// Looks after events: what is under way, dead letters, replay.
    Events {
        #[command(subcommand)]
        action: events::Action,
    },
    /// Plays a day of card payments, on a platform of its own or on one that runs, and looks at it from all sides.
    Demo(Box<demo::Arguments>),
    /// Looks at the configuration without starting anything.
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Lists the components and their ports.
    Components,
    /// Prints the version.
    Version,
}

#[derive(Debug, Subcommand)]
enum ConfigAction {
    /// Says whether it can be used.
    Check,
    /// Prints what is in force, secrets hidden.
    Print,
    /// Prints the defaults.
    Default,
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors.
            error.print().ok();
            return if error.use_stderr() {
                ExitCode::from(EXIT_CONFIG)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&format!("paymesh: {error:#}"));
            let is_config = error
                .chain()
                .any(|cause| cause.is::<ConfigError>() || cause.is::<MeshError>());
            ExitCode::from(if is_config { EXIT_CONFIG } else { EXIT_FAILURE })
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        config,
        data_dir,
        command,
    } = arguments;
    let load = || load(config.as_deref(), data_dir.as_deref());
    match command {
        None => process::run(load()?, Mode::whole())?,
        Some(Command::Serve { components }) => {
            process::run(load()?, Mode::Network(known(components)?))?;
        }
        Some(Command::Migrate { components }) => migrate(&load()?, known(components)?)?,
        Some(Command::Simulate { simulator }) => simulators::run(&load()?, simulator)?,
        Some(Command::Admin { action }) => admin::run(&load()?, action)?,
        Some(Command::Bench { action }) => bench::run(load()?, &action)?,
        Some(Command::Events { action }) => events::run(&load()?, action)?,
        Some(Command::Demo(arguments)) => demo::run(load()?, &arguments, keys())?,
        Some(Command::Config { action }) => look_at(load, action)?,
        Some(Command::Components) => {
            for (name, port) in COMPONENTS {
                say(&format!("{name:<12} {port}"));
            }
        }
        Some(Command::Version) => say(concat!("paymesh ", env!("CARGO_PKG_VERSION"))),
    }
    Ok(())
}

fn look_at(
    load: impl Fn() -> Result<Config, ConfigError>,
    action: ConfigAction,
) -> anyhow::Result<()> {
    match action {
        ConfigAction::Check => {
            load()?;
            say("the configuration can be used");
        }
        ConfigAction::Print => say(&paymesh_chassis::config::print(&load()?)?),
        ConfigAction::Default => say(&paymesh_chassis::config::print(&Config::default())?),
    }
    Ok(())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the environment is read here and nowhere else"
)]
fn load(file: Option<&Path>, data_dir: Option<&Path>) -> Result<Config, ConfigError> {
    let mut config: Config = paymesh_chassis::config::load(file, std::env::vars())?;
    if let Some(folder) = data_dir {
        folder.clone_into(&mut config.process.data_dir);
    }
    config.validate()?;
    Ok(config)
}

/// Keys for platforms that run elsewhere.
#[allow(
    clippy::disallowed_methods,
    reason = "the environment is read here and nowhere else"
)]
fn keys() -> demo::Keys {
    let secret = |name| std::env::var(name).ok().map(Secret::new);
    demo::Keys {
        api_key: secret(demo::API_KEY_VARIABLE),
        provider_api_key: secret(demo::PROVIDER_KEY_VARIABLE),
        bank_api_key: secret(demo::BANK_KEY_VARIABLE),
    }
}

/// The names as the list of components has them.
fn known(names: Vec<String>) -> Result<Vec<&'static str>, ConfigError> {
    let find = |name: String| {
        COMPONENTS
            .iter()
            .map(|(known, _)| *known)
            .find(|known| *known == name)
            .ok_or_else(|| ConfigError::Rule {
                field: name,
                rule: "is no component; `paymesh components` lists them".to_owned(),
            })
    };
    names.into_iter().map(find).collect()
}

fn migrate(config: &Config, names: Vec<&'static str>) -> anyhow::Result<()> {
    let names = if names.is_empty() {
        COMPONENTS.iter().map(|(name, _)| *name).collect()
    } else {
        names
    };
    let (config, _lock) = wiring::for_migration(config.clone(), &names)?;
    process::block_on(async {
        for name in names {
            wiring::migrate_by_name(name, &config).await?;
            say(&format!("{name}: the schema is up to date"));
        }
        Ok(())
    })
}

/// Writes a line for people to standard output. A closed pipe is no error of ours.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").ok();
}

fn say_error(text: &str) {
    writeln!(std::io::stderr(), "{text}").ok();
}
