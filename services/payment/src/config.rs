//! What can be set, with defaults that run all in one.

use std::{collections::BTreeMap, time::Duration};

use paymesh_chassis::{ConfigError, Secret};
use paymesh_kernel::backoff::Backoff;
use serde::{Deserialize, Serialize};

use crate::{
    connector::{desk::Patience, simulated::Settings},
    domain::Windows,
};

/// The component's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The connector of payment methods that name none.
    pub default_connector: String,
    /// Connectors by name.
    pub connectors: BTreeMap<String, ConnectorConfig>,
    /// How missing outcomes are looked after.
    pub resolve: ResolveConfig,
    /// How webhooks are worked on.
    pub webhooks: WebhookConfig,
}

/// Which adapter a connector is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// To the simulated provider.
    #[default]
    Simulated,
}

/// One connector.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectorConfig {
    /// Which adapter it is.
    pub kind: ConnectorKind,
    /// Where the provider is.
    pub url: String,
    /// Our key at the provider.
    pub api_key: Secret,
    /// The key of webhooks' signatures; without one every webhook is refused.
    pub webhook_secret: Secret,
    /// Which account at the provider it is; webhooks are unique within it.
    pub account: String,
    /// How long one HTTP call may take.
    pub timeout_ms: u64,
    /// How long a connection may take.
    pub connect_timeout_ms: u64,
    /// Tries of one call, while certainly nothing happened.
    pub tries: u32,
    /// Wait before the second try; it doubles.
    pub retry_first_ms: u64,
    /// The longest such wait.
    pub retry_max_ms: u64,
    /// Calls at once.
    pub concurrent_calls: usize,
    /// How long a call waits for its turn.
    pub queue_ms: u64,
    /// How far the time of a webhook's signature may be from ours.
    pub tolerance_ms: u64,
    /// After this time since it was sent, a reference that the provider does not know never arrived.
    pub not_found_counts_after_ms: u64,
    /// How long the provider remembers keys.
    pub key_lifetime_ms: u64,
}

/// How missing outcomes are looked after.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResolveConfig {
    /// Wait before the first look; it doubles.
    pub first_ms: u64,
    /// The longest wait between two looks.
    pub max_ms: u64,
    /// How often due rows are looked for when nothing wakes us.
    pub poll_ms: u64,
    /// Rows taken at once.
    pub batch: u32,
}

/// How webhooks are worked on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// Wait before the first look at one, so that a call under way can answer first.
    pub grace_ms: u64,
    /// How long one with an unknown reference is kept and tried again.
    pub park_ms: u64,
    /// How long the ids of events are remembered.
    pub retention_ms: u64,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        let simulated = ("simulated".to_owned(), ConnectorConfig::default());
        Self {
            default_connector: simulated.0.clone(),
            connectors: BTreeMap::from([simulated]),
            resolve: ResolveConfig::default(),
            webhooks: WebhookConfig::default(),
        }
    }
}

impl Config {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field and its rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rule = |field: String, rule: &str| ConfigError::Rule {
            field,
            rule: rule.to_owned(),
        };
        if !self.connectors.contains_key(&self.default_connector) {
            let field = "payment.settings.default_connector".to_owned();
            return Err(rule(field, "must be the name of one of `connectors`"));
        }
        for (name, connector) in &self.connectors {
            let is_word = (1..=32).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            let field = |what: &str| format!("payment.settings.connectors.{name}{what}");
            if !is_word {
                let text = "a connector's name has 1 to 32 characters of a-z, 0-9 and _";
                return Err(rule(field(""), text));
            }
            if let Some((what, text)) = connector.broken_rule() {
                return Err(rule(field(what), text));
            }
        }
        let resolve = &self.resolve;
        if resolve.first_ms == 0 || resolve.max_ms < resolve.first_ms || resolve.poll_ms == 0 {
            let field = "payment.settings.resolve".to_owned();
            let text = "first_ms and poll_ms must be at least 1, and max_ms at least first_ms";
            return Err(rule(field, text));
        }
        if !(1..=1_000).contains(&resolve.batch) {
            let field = "payment.settings.resolve.batch".to_owned();
            return Err(rule(field, "must be 1 to 1000"));
        }
        Ok(())
    }
}

// === impl ConnectorConfig ===

impl Default for ConnectorConfig {
    fn default() -> Self {
        Self {
            kind: ConnectorKind::Simulated,
            url: "http://127.0.0.1:4010".to_owned(),
            api_key: Secret::default(),
            webhook_secret: Secret::default(),
            account: "default".to_owned(),
            timeout_ms: 8_000,
            connect_timeout_ms: 2_000,
            tries: 3,
            retry_first_ms: 50,
            retry_max_ms: 1_000,
            concurrent_calls: 256,
            queue_ms: 1_000,
            tolerance_ms: 300_000,
            not_found_counts_after_ms: 150_000,
            key_lifetime_ms: 24 * 3_600_000,
        }
    }
}

impl ConnectorConfig {
    fn broken_rule(&self) -> Option<(&'static str, &'static str)> {
        let is_url = self.url.starts_with("http://") || self.url.starts_with("https://");
        let budget_ms = self.windows().call_budget.as_millis();
        if !is_url {
            Some((".url", "must begin with http:// or https://"))
        } else if !(1..=64).contains(&self.account.len()) {
            Some((".account", "must have 1 to 64 characters"))
        } else if self.timeout_ms == 0 || self.connect_timeout_ms == 0 {
            Some((".timeout_ms", "must be at least 1, as connect_timeout_ms"))
        } else if !(1..=10).contains(&self.tries) {
            Some((".tries", "must be 1 to 10"))
        } else if self.retry_first_ms == 0 || self.retry_max_ms < self.retry_first_ms {
            let text = "must be at least retry_first_ms, and that at least 1";
            Some((".retry_max_ms", text))
        } else if !(1..=10_000).contains(&self.concurrent_calls) {
            Some((".concurrent_calls", "must be 1 to 10000"))
        } else if u128::from(self.key_lifetime_ms) <= budget_ms {
            let text = "must be longer than all tries of one call together";
            Some((".key_lifetime_ms", text))
        } else {
            None
        }
    }

    /// What the connector declares.
    #[must_use]
    pub fn windows(&self) -> Windows {
        let one_try = self.timeout_ms.saturating_add(self.retry_max_ms);
        let budget = one_try.saturating_mul(u64::from(self.tries));
        Windows {
            not_found_counts_after: Duration::from_millis(self.not_found_counts_after_ms),
            key_lifetime: Duration::from_millis(self.key_lifetime_ms),
            call_budget: Duration::from_millis(budget.saturating_add(self.queue_ms)),
        }
    }

    /// How often a call is repeated.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience {
            tries: self.tries,
            backoff: Backoff::new(
                Duration::from_millis(self.retry_first_ms),
                Duration::from_millis(self.retry_max_ms),
            ),
            queue: Duration::from_millis(self.queue_ms),
        }
    }

    /// For the adapter to the simulated provider.
    #[must_use]
    pub fn simulated(&self) -> Settings {
        Settings {
            url: self.url.clone(),
            api_key: self.api_key.clone(),
            webhook_secret: self.webhook_secret.clone(),
            account: self.account.clone(),
            timeout: Duration::from_millis(self.timeout_ms),
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
            tolerance: Duration::from_millis(self.tolerance_ms),
            windows: self.windows(),
        }
    }
}

impl Default for ResolveConfig {
    fn default() -> Self {
        Self {
            first_ms: 500,
            max_ms: 60_000,
            poll_ms: 500,
            batch: 64,
        }
    }
}

impl ResolveConfig {
    /// Waits between looks.
    #[must_use]
    pub const fn backoff(&self) -> Backoff {
        Backoff::new(
            Duration::from_millis(self.first_ms),
            Duration::from_millis(self.max_ms),
        )
    }
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            grace_ms: 500,
            park_ms: 24 * 3_600_000,
            retention_ms: 30 * 24 * 3_600_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_broken_rules_are_named() {
        assert!(Config::default().validate().is_ok());
        let broken = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.validate().err().map(|error| error.to_string())
        };
        fn each(config: &mut Config, change: fn(&mut ConnectorConfig)) {
            config.connectors.values_mut().for_each(change);
        }
        let url = broken(|config| each(config, |one| "ftp://x".clone_into(&mut one.url)));
        assert!(url.is_some_and(|text| text.contains("connectors.simulated.url")));
        let short = broken(|config| each(config, |one| one.key_lifetime_ms = 1));
        assert!(short.is_some_and(|text| text.contains("key_lifetime_ms")));
        let unknown = broken(|config| "stripe".clone_into(&mut config.default_connector));
        assert!(unknown.is_some_and(|text| text.contains("default_connector")));
    }
}
