//! Logs: JSON lines for machines or short lines for people, on standard error, with the fields of the call they belong to.

use std::{io::IsTerminal as _, sync::Arc};

use serde::{Deserialize, Serialize};
use tracing_subscriber::{
    EnvFilter, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// JSON, unless standard error is a terminal.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Directives such as `info,paymesh_account=debug`.
    pub level: String,
    /// The form.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: "info,sea_orm_migration=warn".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

/// The directives cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the log level must be directives such as info or info,paymesh_account=debug")]
pub struct LogLevelError;

/// Changes the level while the process runs.
#[derive(Clone)]
pub struct LogLevel {
    handle: Option<Arc<reload::Handle<EnvFilter, Registry>>>,
}

// === impl LogLevel ===

impl LogLevel {
    /// For processes without logs, such as tests.
    #[must_use]
    pub const fn none() -> Self {
        Self { handle: None }
    }

    /// Replaces the directives.
    ///
    /// # Errors
    /// When they cannot be parsed.
    pub fn set(&self, directives: &str) -> Result<(), LogLevelError> {
        let filter = EnvFilter::try_new(directives).map_err(|_| LogLevelError)?;
        match &self.handle {
            Some(handle) => handle.reload(filter).map_err(|_| LogLevelError),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogLevel").finish_non_exhaustive()
    }
}

/// Starts logging for the process.
///
/// # Errors
/// When the directives cannot be parsed, or logging was started before.
pub fn init(config: &LogConfig) -> Result<LogLevel, LogLevelError> {
    let filter = EnvFilter::try_new(&config.level).map_err(|_| LogLevelError)?;
    let (filter, handle) = reload::Layer::new(filter);
    let json = match config.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let started = if json {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_current_span(true)
                    .with_span_list(false)
                    .with_writer(std::io::stderr),
            )
            .try_init()
    } else {
        registry
            .with(
                fmt::layer()
                    .compact()
                    .with_target(false)
                    .with_writer(std::io::stderr),
            )
            .try_init()
    };
    started.map_err(|_| LogLevelError)?;
    Ok(LogLevel {
        handle: Some(Arc::new(handle)),
    })
}
