//! What can be set. The defaults run on a laptop without network: the rates that come with the project, and no source to ask.

use std::time::Duration;

use paymesh_chassis::{ConfigError, Secret};
use paymesh_kernel::Timestamp;
use paymesh_money::BasisPoints;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::domain::{Bounds, Limits, RateDate, SourceName};

/// Sources that this component can ask.
const KNOWN: [&str; 3] = ["ecb", "fixer", "currencyapi"];
/// Largest spread: ten percent.
const SPREAD_LIMIT_BP: u32 = 1_000;
/// Longest life of a quote.
pub const TTL_LIMIT_MS: u64 = 3_600_000;
/// Oldest rate when sources are asked, in days: a long holiday of the publisher.
const MAX_AGE_DAYS: u32 = 7;
/// Oldest rate when none is, in days: a laptop with the rates of the release.
const OFFLINE_MAX_AGE_DAYS: u32 = 3_650;
/// Longest limit that can be set, in days.
const AGE_LIMIT_DAYS: u32 = 36_500;
/// Largest movement that can be allowed.
const STEP_LIMIT: u32 = 1_000;
/// Longest time-out of a source.
const TIMEOUT_LIMIT_MS: u64 = 120_000;

/// The component's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the platform takes of each exchange, in basis points; at most 1,000.
    pub spread_bp: u32,
    /// How long a quote can be consumed when the caller does not say; at most an hour.
    pub quote_ttl_ms: u64,
    /// How long an expired quote that nobody consumed is kept, in days.
    pub quote_retention_days: u32,
    /// Rates older than this are not used, in days from their date to the business date. Not set: 7 when a source is asked, ten years
    /// when none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<u32>,
    /// Up to this age the order of sources decides; older rates give way to newer ones.
    pub fresh_days: u32,
    /// Within a week no rate moves by more than this factor, or the import is refused; 0 switches that off.
    pub largest_step: u32,
    /// Rates that one source may have in memory.
    pub max_rates: usize,
    /// Loads the rates that come with the project when the database is empty.
    pub builtin_rates: bool,
    /// Sources by preference. Others that were imported come after them, by name.
    pub order: Vec<String>,
    /// How often the database is looked at for what other replicas have imported.
    pub refresh_ms: u64,
    /// The European Central Bank.
    pub ecb: EcbConfig,
    /// Fixer.
    pub fixer: KeyedConfig,
    /// currencyapi.com.
    pub currencyapi: KeyedConfig,
}

/// How the ECB is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EcbConfig {
    /// Off by default.
    pub enabled: bool,
    /// The folder of its files.
    pub url: String,
    /// A request takes at most so long.
    pub timeout_ms: u64,
    /// Minutes from one answer to the next request.
    pub interval_minutes: u64,
}

/// How a source with a key is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyedConfig {
    /// Off by default.
    pub enabled: bool,
    /// Where its API begins.
    pub url: String,
    /// Its key.
    pub key: Secret,
    /// A request takes at most so long.
    pub timeout_ms: u64,
    /// Minutes from one answer to the next request.
    pub interval_minutes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            spread_bp: 50,
            quote_ttl_ms: 300_000,
            quote_retention_days: 30,
            max_age_days: None,
            fresh_days: 4,
            largest_step: 2,
            max_rates: 400_000,
            builtin_rates: true,
            order: KNOWN.map(str::to_owned).to_vec(),
            refresh_ms: 30_000,
            ecb: EcbConfig::default(),
            fixer: KeyedConfig::at("https://data.fixer.io/api"),
            currencyapi: KeyedConfig::at("https://api.currencyapi.com"),
        }
    }
}

impl Default for EcbConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            url: "https://www.ecb.europa.eu/stats/eurofxref".to_owned(),
            timeout_ms: 10_000,
            interval_minutes: 60,
        }
    }
}

impl Default for KeyedConfig {
    fn default() -> Self {
        Self::at("")
    }
}

// === impl EcbConfig ===

impl EcbConfig {
    /// As a duration.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// As a duration.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_secs(self.interval_minutes.saturating_mul(60))
    }
}

// === impl KeyedConfig ===

impl KeyedConfig {
    fn at(url: &str) -> Self {
        Self {
            enabled: false,
            url: url.to_owned(),
            key: Secret::default(),
            timeout_ms: 5_000,
            interval_minutes: 720,
        }
    }

    /// As a duration.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// As a duration.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_secs(self.interval_minutes.saturating_mul(60))
    }
}

// === impl Config ===

impl Config {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field, the rule and what to write instead.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_numbers()?;
        for (index, name) in self.order.iter().enumerate() {
            if name.parse::<SourceName>().is_err()
                || self.order.iter().position(|other| other == name) != Some(index)
            {
                return rule(
                    "order",
                    "must name each source once, in lower-case letters, digits, hyphens and underscores",
                );
            }
        }
        let missing = KNOWN
            .iter()
            .find(|name| !self.order.iter().any(|known| known == *name));
        if let Some(name) = missing {
            return rule(
                "order",
                &format!("must have a place for `{name}`, also when it is switched off"),
            );
        }
        validate_source(
            "ecb",
            &self.ecb.url,
            self.ecb.timeout_ms,
            self.ecb.interval_minutes,
        )?;
        for (name, source) in [("fixer", &self.fixer), ("currencyapi", &self.currencyapi)] {
            validate_source(
                name,
                &source.url,
                source.timeout_ms,
                source.interval_minutes,
            )?;
            if source.enabled && source.key.is_empty() {
                return rule(
                    &format!("{name}.key"),
                    "must be set when the source is switched on",
                );
            }
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<(), ConfigError> {
        if self.spread_bp > SPREAD_LIMIT_BP {
            return rule("spread_bp", "must be at most 1000 basis points");
        }
        if !(1_000..=TTL_LIMIT_MS).contains(&self.quote_ttl_ms) {
            return rule("quote_ttl_ms", "must be from 1000 to 3600000");
        }
        if !(1..=AGE_LIMIT_DAYS).contains(&self.quote_retention_days) {
            return rule("quote_retention_days", "must be from 1 to 36500");
        }
        if self.max_age_days.is_some_and(|days| days > AGE_LIMIT_DAYS) {
            return rule("max_age_days", "must be at most 36500");
        }
        if self.fresh_days > AGE_LIMIT_DAYS {
            return rule("fresh_days", "must be at most 36500");
        }
        if self.largest_step == 1 || self.largest_step > STEP_LIMIT {
            return rule(
                "largest_step",
                "must be from 2 to 1000, or 0, which switches it off",
            );
        }
        if !(1_000..=10_000_000).contains(&self.max_rates) {
            return rule("max_rates", "must be from 1000 to 10000000");
        }
        if !(100..=3_600_000).contains(&self.refresh_ms) {
            return rule("refresh_ms", "must be from 100 to 3600000");
        }
        Ok(())
    }

    /// True when some source is asked.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        self.ecb.enabled || self.fixer.enabled || self.currencyapi.enabled
    }

    /// The order as names.
    ///
    /// # Panics
    /// When it was not validated.
    #[must_use]
    pub fn names(&self) -> Vec<SourceName> {
        let names = self.order.iter();
        names
            .map(|name| name.parse().expect("names were validated"))
            .collect()
    }

    /// How old rates may be.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let max_age_days = self.max_age_days.unwrap_or(if self.is_online() {
            MAX_AGE_DAYS
        } else {
            OFFLINE_MAX_AGE_DAYS
        });
        Limits {
            fresh_days: i32::try_from(self.fresh_days).unwrap_or(i32::MAX),
            max_age_days: i32::try_from(max_age_days).unwrap_or(i32::MAX),
        }
    }

    /// What limits an import at `now`.
    #[must_use]
    pub fn bounds(&self, now: Timestamp) -> Bounds {
        Bounds {
            // A publisher east of Greenwich may be a day ahead.
            not_after: Some(RateDate::of(now).next()),
            largest_step: self.largest_step,
            max_rates: self.max_rates,
        }
    }

    /// The spread.
    #[must_use]
    pub const fn spread(&self) -> BasisPoints {
        match BasisPoints::try_new(self.spread_bp) {
            Ok(spread) => spread,
            Err(_) => BasisPoints::WHOLE,
        }
    }
}

fn validate_source(
    name: &str,
    url: &str,
    timeout_ms: u64,
    interval_minutes: u64,
) -> Result<(), ConfigError> {
    let is_http = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_http {
        return rule(
            &format!("{name}.url"),
            "must begin with https:// or http://",
        );
    }
    if !(1..=TIMEOUT_LIMIT_MS).contains(&timeout_ms) {
        return rule(&format!("{name}.timeout_ms"), "must be from 1 to 120000");
    }
    if !(1..=10_080).contains(&interval_minutes) {
        return rule(
            &format!("{name}.interval_minutes"),
            "must be from 1 to 10080, a week",
        );
    }
    Ok(())
}

fn rule(field: &str, rule: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Rule {
        field: format!("currency.settings.{field}"),
        rule: rule.to_owned(),
    })
}

#[cfg(test)]
mod tests;
