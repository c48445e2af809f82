//! What can be set. The defaults run all in one on a laptop.

use paymesh_chassis::{ConfigError, Secret};
use paymesh_mesh::CONTENT_LIMIT;
use serde::{Deserialize, Serialize};

/// Longest time a request may take; the mesh gives no call more.
const TIMEOUT_LIMIT_MS: u64 = 30_000;
/// Time that must be left between the longest wait and the time-out, to answer.
const WAIT_MARGIN_MS: u64 = 1_000;

/// Settings of the gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where reasons of errors are explained; problems name `<docs_url>#<reason>`.
    pub docs_url: String,
    /// The audience that access tokens must have.
    pub audience: String,
    /// Longest time a request may take.
    pub timeout_ms: u64,
    /// Longest wait for an outcome that a caller may ask for.
    pub longest_wait_ms: i32,
    /// Requests that are handled at once; one more is answered 503.
    pub concurrent_requests: usize,
    /// Largest body.
    pub body_limit_bytes: usize,
    /// Largest file of an import.
    pub import_limit_bytes: usize,
    /// Largest webhook.
    pub webhook_limit_bytes: usize,
    /// Proxies in front whose `X-Forwarded-For` is believed: 0 is none, 1 takes the last address, and so on.
    pub trusted_proxies: usize,
    /// Origins whose pages may call the API, such as `https://shop.example`; none by default.
    pub cors_origins: Vec<String>,
    /// How long an authenticated API key is believed without asking again. A revoked key works no longer than this.
    pub api_key_cache_ms: u64,
    /// The shortest time between two looks at the keys that sign tokens, for tokens with a key that is not known.
    pub jwks_refresh_ms: u64,
    /// Bodies on their way.
    pub bodies: Bodies,
    /// Limits of rates.
    pub rate_limits: RateLimits,
    /// Streams of events.
    pub events: Events,
}

/// How long bodies may take to come, and how many may be on their way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bodies {
    /// A body must have come whole after this time.
    pub timeout_ms: u64,
    /// The same for the file of an import.
    pub import_timeout_ms: u64,
    /// How long a body may come slower than `bytes_per_second`.
    pub grace_ms: u64,
    /// How fast a body must come at least.
    pub bytes_per_second: u32,
    /// Bodies that are waited for at once; one more is answered 503.
    pub at_once: usize,
    /// Those of one address; one more is answered 429.
    pub at_once_per_address: usize,
}

/// Requests that a client may make, by kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimits {
    /// `redis://…`, when several gateways count together; empty: each counts in its own memory.
    pub redis_url: Secret,
    /// How long to wait for Redis.
    pub redis_timeout_ms: u64,
    /// Clients remembered in memory.
    pub clients: usize,
    /// Requests that read.
    pub read: Limit,
    /// Requests that change something.
    pub write: Limit,
    /// Requests that move money.
    pub money: Limit,
    /// Registering, logging in, refreshing; by address.
    pub login: Limit,
    /// Webhooks of providers; by address.
    pub webhook: Limit,
}

/// Requests in a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How many.
    pub requests: u32,
    /// In how long.
    pub window_ms: u64,
}

/// Streams of events, and the table that they are served from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Events {
    /// Events kept for those who resume.
    pub retention_rows: u64,
    /// How long they are kept.
    pub retention_ms: u64,
    /// How often the table is looked at, beside being told.
    pub poll_ms: u64,
    /// A comment is sent after this much silence.
    pub heartbeat_ms: u64,
    /// Streams open at once.
    pub streams: usize,
    /// Streams of one client open at once.
    pub streams_per_client: usize,
    /// Events that may wait for a slow reader before it is dropped.
    pub buffer: usize,
}

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Read,
    Write,
    Money,
    Login,
    Webhook,
}

// === impl Config ===

impl Config {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field and its rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rule = |field: &str, rule: String| {
            Err(ConfigError::Rule {
                field: format!("gateway.settings.{field}"),
                rule,
            })
        };
        if self.timeout_ms == 0 || self.timeout_ms > TIMEOUT_LIMIT_MS {
            return rule("timeout_ms", format!("must be 1 to {TIMEOUT_LIMIT_MS}"));
        }
        let longest_wait = u64::try_from(self.longest_wait_ms).unwrap_or(u64::MAX);
        if longest_wait.saturating_add(WAIT_MARGIN_MS) > self.timeout_ms {
            return rule(
                "longest_wait_ms",
                format!("must be at least 0 and {WAIT_MARGIN_MS} below timeout_ms"),
            );
        }
        for (name, value) in [
            ("concurrent_requests", self.concurrent_requests),
            ("body_limit_bytes", self.body_limit_bytes),
            ("import_limit_bytes", self.import_limit_bytes),
            ("webhook_limit_bytes", self.webhook_limit_bytes),
            ("bodies.at_once", self.bodies.at_once),
            (
                "bodies.at_once_per_address",
                self.bodies.at_once_per_address,
            ),
            ("rate_limits.clients", self.rate_limits.clients),
            ("events.streams", self.events.streams),
            ("events.streams_per_client", self.events.streams_per_client),
            ("events.buffer", self.events.buffer),
        ] {
            if value == 0 {
                return rule(name, "must be at least 1".to_owned());
            }
        }
        if self.import_limit_bytes > CONTENT_LIMIT {
            return rule(
                "import_limit_bytes",
                format!("must be at most {CONTENT_LIMIT}: the mesh carries no more"),
            );
        }
        let bodies = &self.bodies;
        if bodies.timeout_ms == 0 || bodies.import_timeout_ms == 0 || bodies.bytes_per_second == 0 {
            return rule(
                "bodies",
                "timeout_ms, import_timeout_ms and bytes_per_second must be at least 1".to_owned(),
            );
        }
        for class in Class::ALL {
            let limit = self.rate_limits.of(class);
            if limit.requests == 0 || limit.window_ms < 1_000 {
                return rule(
                    &format!("rate_limits.{}", class.as_str()),
                    "needs requests of at least 1 and window_ms of at least 1000".to_owned(),
                );
            }
        }
        if self.events.poll_ms == 0 || self.events.heartbeat_ms == 0 {
            return rule(
                "events",
                "poll_ms and heartbeat_ms must be at least 1".to_owned(),
            );
        }
        if self.audience.is_empty() {
            return rule("audience", "must not be empty".to_owned());
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            docs_url: "https://github.com/paymesh/paymesh/blob/main/docs/errors.md".to_owned(),
            audience: "paymesh".to_owned(),
            timeout_ms: TIMEOUT_LIMIT_MS,
            longest_wait_ms: 25_000,
            concurrent_requests: 1_024,
            body_limit_bytes: 256 * 1024,
            import_limit_bytes: CONTENT_LIMIT,
            webhook_limit_bytes: 1024 * 1024,
            trusted_proxies: 0,
            cors_origins: Vec::new(),
            api_key_cache_ms: 30_000,
            jwks_refresh_ms: 10_000,
            bodies: Bodies::default(),
            rate_limits: RateLimits::default(),
            events: Events::default(),
        }
    }
}

// === impl RateLimits ===

impl RateLimits {
    /// The limit of a class.
    pub(crate) const fn of(&self, class: Class) -> Limit {
        match class {
            Class::Read => self.read,
            Class::Write => self.write,
            Class::Money => self.money,
            Class::Login => self.login,
            Class::Webhook => self.webhook,
        }
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        let each_minute = |requests| Limit {
            requests,
            window_ms: 60_000,
        };
        Self {
            redis_url: Secret::default(),
            redis_timeout_ms: 100,
            clients: 50_000,
            read: each_minute(60_000),
            write: each_minute(30_000),
            money: each_minute(120_000),
            login: each_minute(600),
            webhook: each_minute(60_000),
        }
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            timeout_ms: 10_000,
            import_timeout_ms: 20_000,
            grace_ms: 5_000,
            bytes_per_second: 1_024,
            at_once: 1_024,
            at_once_per_address: 128,
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self {
            retention_rows: 100_000,
            retention_ms: 24 * 3_600_000,
            poll_ms: 500,
            heartbeat_ms: 15_000,
            streams: 1_000,
            streams_per_client: 10,
            buffer: 1_024,
        }
    }
}

// === impl Class ===

impl Class {
    /// Every class.
    pub(crate) const ALL: [Self; 5] = [
        Self::Read,
        Self::Write,
        Self::Money,
        Self::Login,
        Self::Webhook,
    ];

    /// The word of configuration, headers and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Money => "money",
            Self::Login => "login",
            Self::Webhook => "webhook",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_makes_no_sense_is_not() {
        assert!(Config::default().validate().is_ok());
        type Change = fn(&mut Config);
        let changes: [(&str, Change); 7] = [
            ("timeout_ms", |config| config.timeout_ms = 31_000),
            ("longest_wait_ms", |config| config.longest_wait_ms = 29_500),
            ("body_limit_bytes", |config| config.body_limit_bytes = 0),
            ("import_limit_bytes", |config| {
                config.import_limit_bytes = CONTENT_LIMIT + 1
            }),
            ("bodies", |config| config.bodies.bytes_per_second = 0),
            ("rate_limits.money", |config| {
                config.rate_limits.money.requests = 0
            }),
            ("audience", |config| config.audience.clear()),
        ];
        for (field, change) in changes {
            let mut config = Config::default();
            change(&mut config);
            let error = config.validate().map_err(|error| error.to_string());
            assert!(error.is_err_and(|text| text.contains(field)), "{field}");
        }
    }
}
