//! What can be set. The defaults run all in one.

use std::time::Duration;

use paymesh_chassis::{ConfigError, Secret};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{AttemptLimit, Rotation},
    secrets::{access, master, password::Cost},
};

/// What clocks of two machines may differ by.
const SKEW: Duration = Duration::from_secs(60);

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The master key: 32 bytes in base64url, best as `{ file = "…" }`. Empty: a file in the data folder, made on the first start.
    /// All replicas need the same one, and it can never be exchanged.
    pub master_key: Secret,
    /// Memory of one argon2id hash, in KiB. OWASP's second choice: 19 MiB, 2 passes.
    pub password_memory_kib: u32,
    /// Passes of argon2id.
    pub password_passes: u32,
    /// Hashes that run at once.
    pub password_threads: usize,
    /// Hashes that may wait; one more is refused.
    pub password_waiting: usize,
    /// Attempts to sign in without success before the address is locked.
    pub login_attempts: i64,
    /// Time in which they count, in seconds.
    pub login_window_s: u64,
    /// How long the address is locked, in seconds.
    pub login_lockout_s: u64,
    /// A refresh token that nobody used dies after so many days.
    pub refresh_days: u64,
    /// A session ends after so many days.
    pub session_days: u64,
    /// A signing key signs for so many days.
    pub signing_key_days: u64,
    /// It is published for so many seconds before.
    pub signing_key_lead_s: u64,
    /// How long the answer of GetJwks may be kept, in seconds.
    pub jwks_cacheable_s: u64,
    /// How long the answer of AuthenticateApiKey may be kept, in seconds: a revoked key may work for that long.
    pub api_key_cacheable_s: u64,
    /// Days between the request to erase a person and the deletion of the key, in live tenants. What the law wants kept is kept
    /// that long: five years after the end of the business (Directive (EU) 2015/849, Article 40).
    pub retention_days: u64,
    /// The same in sandbox tenants.
    pub sandbox_retention_days: u64,
    /// Time for the ledger to open an account before somebody else looks after the registration, in milliseconds.
    pub opening_grace_ms: u64,
    /// Rows that are due are looked for at least so often, in milliseconds.
    pub poll_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            master_key: Secret::default(),
            password_memory_kib: 19_456,
            password_passes: 2,
            password_threads: 2,
            password_waiting: 64,
            login_attempts: 10,
            login_window_s: 900,
            login_lockout_s: 900,
            refresh_days: 30,
            session_days: 90,
            signing_key_days: 30,
            signing_key_lead_s: 3_600,
            jwks_cacheable_s: 300,
            api_key_cacheable_s: 10,
            retention_days: 1_826,
            sandbox_retention_days: 0,
            opening_grace_ms: 5_000,
            poll_ms: 1_000,
        }
    }
}

// === impl Settings ===

impl Settings {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !self.master_key.is_empty() && master::parse(self.master_key.expose()).is_err() {
            return Err(rule(
                "master_key",
                "must be 32 bytes in base64url without padding (43 characters)",
            ));
        }
        let ranges = [
            (
                "password_memory_kib",
                u64::from(self.password_memory_kib),
                8,
                1_048_576,
            ),
            ("password_passes", u64::from(self.password_passes), 1, 100),
            ("password_threads", wide(self.password_threads), 1, 256),
            ("password_waiting", wide(self.password_waiting), 0, 10_000),
            (
                "login_attempts",
                u64::try_from(self.login_attempts).unwrap_or(0),
                1,
                1_000,
            ),
            ("login_window_s", self.login_window_s, 1, 86_400),
            ("login_lockout_s", self.login_lockout_s, 1, 86_400),
            ("refresh_days", self.refresh_days, 1, 365),
            ("session_days", self.session_days, self.refresh_days, 3_650),
            ("signing_key_days", self.signing_key_days, 1, 365),
            ("signing_key_lead_s", self.signing_key_lead_s, 60, 86_400),
            (
                "jwks_cacheable_s",
                self.jwks_cacheable_s,
                1,
                self.signing_key_lead_s.div_euclid(3),
            ),
            ("api_key_cacheable_s", self.api_key_cacheable_s, 0, 300),
            ("retention_days", self.retention_days, 0, 36_525),
            (
                "sandbox_retention_days",
                self.sandbox_retention_days,
                0,
                36_525,
            ),
            ("opening_grace_ms", self.opening_grace_ms, 1, 600_000),
            ("poll_ms", self.poll_ms, 1, 600_000),
        ];
        for (field, value, least, most) in ranges {
            if value < least || value > most {
                return Err(rule(field, &format!("must be between {least} and {most}")));
            }
        }
        Ok(())
    }

    /// What a password hash costs.
    #[must_use]
    pub const fn password_cost(&self) -> Cost {
        Cost {
            memory_kib: self.password_memory_kib,
            passes: self.password_passes,
            threads: self.password_threads,
            waiting: self.password_waiting,
        }
    }

    /// How often a password may be tried.
    #[must_use]
    pub const fn attempt_limit(&self) -> AttemptLimit {
        AttemptLimit {
            attempts: self.login_attempts,
            window: Duration::from_secs(self.login_window_s),
            lockout: Duration::from_secs(self.login_lockout_s),
        }
    }

    /// When signing keys change.
    #[must_use]
    pub const fn rotation(&self) -> Rotation {
        Rotation {
            every: days(self.signing_key_days),
            lead: Duration::from_secs(self.signing_key_lead_s),
            token_life: access::LIFE.saturating_add(SKEW),
        }
    }

    /// A replica looks at the stored signing keys at least so often. With what others keep the answer of GetJwks for, it stays
    /// below the lead.
    #[must_use]
    pub const fn signing_keys_age(&self) -> Duration {
        Duration::from_secs(self.jwks_cacheable_s)
    }
}

/// A number of days.
#[must_use]
pub(crate) const fn days(days: u64) -> Duration {
    Duration::from_secs(days.saturating_mul(86_400))
}

fn rule(field: &str, rule: &str) -> ConfigError {
    ConfigError::Rule {
        field: format!("user.settings.{field}"),
        rule: rule.to_owned(),
    }
}

fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_good_and_a_bad_field_is_named() {
        Settings::default().validate().unwrap();
        let error = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.validate().unwrap_err().to_string()
        };
        assert!(error(|s| s.password_threads = 0).starts_with("user.settings.password_threads: "));
        assert!(
            error(|s| s.jwks_cacheable_s = 3_600).starts_with("user.settings.jwks_cacheable_s: ")
        );
        assert!(error(|s| s.session_days = 1).starts_with("user.settings.session_days: "));
        assert!(
            error(|s| s.master_key = Secret::new("short"))
                .starts_with("user.settings.master_key: ")
        );
    }

    #[test]
    fn u7_what_others_keep_is_older_than_the_lead_at_no_time() {
        let settings = Settings::default();
        let kept = settings.signing_keys_age() + Duration::from_secs(settings.jwks_cacheable_s);
        assert!(kept < settings.rotation().lead);
    }
}
