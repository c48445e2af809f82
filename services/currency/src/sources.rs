//! Publishers of rates over HTTP, behind one trait: the ECB, Fixer and currencyapi.com.
//!
//! Each has a time limit, answers of bounded size, and no key of it is ever logged: keys travel in a query or a header, and errors are
//! stripped of their address.

mod currencyapi;
mod ecb;
mod fixer;
mod http;

use std::{fmt::Debug, sync::Arc, time::Duration};

use futures::future::BoxFuture;

use crate::{
    config::Config,
    domain::{Publication, RateDate, SourceName},
    formats::FormatError,
};

pub(crate) use http::Http;

/// Who publishes rates, and how to ask.
pub(crate) trait RateSource: Send + Sync + Debug {
    /// What has been published since `newest`, the last date that is known; all that one answer holds when nothing is.
    fn fetch(
        &self,
        newest: Option<RateDate>,
        today: RateDate,
    ) -> BoxFuture<'_, Result<Publication, SourceError>>;
}

/// A source that is switched on.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    /// Its name.
    pub(crate) name: SourceName,
    /// How to ask it.
    pub(crate) source: Arc<dyn RateSource>,
    /// How often.
    pub(crate) interval: Duration,
}

/// Why a source gave no rates.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// It cannot be reached, or not in time.
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("it answered with status {0}")]
    Status(u16),
    /// Too much.
    #[error("its answer has more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// Its answer cannot be read.
    #[error("its answer cannot be read")]
    Format(#[from] FormatError),
}

/// The sources that the configuration switches on, in their order.
///
/// # Errors
/// When there can be no HTTP client.
pub(crate) fn scheduled(config: &Config) -> Result<Vec<Scheduled>, reqwest::Error> {
    let mut scheduled = Vec::new();
    for name in config.names() {
        let (source, interval): (Arc<dyn RateSource>, _) = match name.as_str() {
            "ecb" if config.ecb.enabled => {
                let http = Http::try_new(config.ecb.timeout())?;
                (
                    Arc::new(ecb::Ecb::new(http, &config.ecb.url)),
                    config.ecb.interval(),
                )
            }
            "fixer" if config.fixer.enabled => {
                let http = Http::try_new(config.fixer.timeout())?;
                let source = fixer::Fixer::new(http, &config.fixer.url, config.fixer.key.clone());
                (Arc::new(source), config.fixer.interval())
            }
            "currencyapi" if config.currencyapi.enabled => {
                let settings = &config.currencyapi;
                let http = Http::try_new(settings.timeout())?;
                let source =
                    currencyapi::CurrencyApi::new(http, &settings.url, settings.key.clone());
                (Arc::new(source), settings.interval())
            }
            _ => continue,
        };
        scheduled.push(Scheduled {
            name,
            source,
            interval,
        });
    }
    Ok(scheduled)
}
