//! What can be set. The defaults run all in one.

use std::time::Duration;

use paymesh_chassis::ConfigError;
use paymesh_kernel::group_commit::GroupCommitConfig;
use serde::{Deserialize, Serialize};

/// Most transfers of one call, so that one call always fits into a commit.
pub const CALL_TRANSFERS: usize = 8_192;

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Calls that may wait for the ledger's writer; one more is refused at once.
    pub queue: usize,
    /// Calls in one commit at most.
    pub batch: usize,
    /// Transfers in one commit at most; more are committed one after the other.
    pub batch_transfers: usize,
    /// How long the writer waits for more before a commit, in microseconds.
    pub linger_us: u64,
    /// References to accounts that are remembered.
    pub remembered_references: usize,
    /// Reservations whose time is over are looked for at least so often, in milliseconds.
    pub expiry_poll_ms: u64,
    /// Reservations that are ended at once.
    pub expiry_batch: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue: 8_192,
            batch: 1_024,
            batch_transfers: CALL_TRANSFERS,
            linger_us: 0,
            remembered_references: 100_000,
            expiry_poll_ms: 1_000,
            expiry_batch: 512,
        }
    }
}

// === impl Settings ===

impl Settings {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field, the rule and what to write instead.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let most = u64::try_from(CALL_TRANSFERS).unwrap_or(u64::MAX);
        let rules = [
            ("queue", self.queue > 0, "must be at least 1"),
            ("batch", self.batch > 0, "must be at least 1"),
            (
                "batch_transfers",
                self.batch_transfers >= CALL_TRANSFERS,
                "must be at least 8192, the most transfers of one call",
            ),
            (
                "remembered_references",
                self.remembered_references >= 1_000,
                "must be at least 1000",
            ),
            (
                "expiry_poll_ms",
                (10..=60_000).contains(&self.expiry_poll_ms),
                "must be 10 to 60000",
            ),
            (
                "expiry_batch",
                (1..=most).contains(&self.expiry_batch),
                "must be 1 to 8192",
            ),
            (
                "linger_us",
                self.linger_us <= 100_000,
                "must be at most 100000",
            ),
        ];
        for (field, holds, rule) in rules {
            if !holds {
                return Err(ConfigError::Rule {
                    field: format!("account.settings.{field}"),
                    rule: rule.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Limits of the writer's queue.
    #[must_use]
    pub fn group_commit(&self) -> GroupCommitConfig {
        GroupCommitConfig {
            queue: self.queue,
            batch: self.batch,
            linger: Duration::from_micros(self.linger_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_not() {
        assert!(Settings::default().validate().is_ok());
        let too_small = Settings {
            batch_transfers: 1,
            ..Settings::default()
        };
        assert!(too_small.validate().is_err());
    }
}
