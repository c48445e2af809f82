//! What can be set. The defaults run all in one.

use paymesh_chassis::ConfigError;
use serde::{Deserialize, Serialize};

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Reports made at once by this process.
    pub concurrent_runs: usize,
    /// Runs of one tenant that may wait or be made at once.
    pub open_runs: u64,
    /// Rows read at once.
    pub page_rows: u64,
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// How long a run belongs to the process that makes it, unless it is renewed, in milliseconds.
    pub lease_ms: u64,
    /// How often a run is tried when something passing is in the way.
    pub attempts: i32,
    /// How long a trial balance waits for facts of the ledger that are still on their way, in milliseconds.
    pub catch_up_ms: u64,
    /// Rows that are due are looked for at least so often, in milliseconds.
    pub poll_ms: u64,
    /// The sums of each account after each batch are kept so many days; of older days the last of the day is kept.
    pub balance_days: u64,
    /// Files are kept so many days.
    pub file_days: u64,
    /// A schedule waits so long behind its due time for facts that are on their way, in milliseconds.
    pub schedule_grace_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrent_runs: 2,
            open_runs: 100,
            page_rows: 1_000,
            file_bytes: 1_073_741_824,
            lease_ms: 30_000,
            attempts: 5,
            catch_up_ms: 10_000,
            poll_ms: 1_000,
            balance_days: 92,
            file_days: 400,
            schedule_grace_ms: 30_000,
        }
    }
}

// === impl Settings ===

impl Settings {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field and the rule.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let narrow = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let ranges = [
            ("concurrent_runs", narrow(self.concurrent_runs), 1, 64),
            ("open_runs", self.open_runs, 1, 10_000),
            ("page_rows", self.page_rows, 1, 10_000),
            ("file_bytes", self.file_bytes, 1_024, 1 << 40),
            ("lease_ms", self.lease_ms, 1_000, 600_000),
            (
                "attempts",
                u64::try_from(self.attempts).unwrap_or(0),
                1,
                100,
            ),
            ("catch_up_ms", self.catch_up_ms, 0, 600_000),
            ("poll_ms", self.poll_ms, 10, 600_000),
            ("balance_days", self.balance_days, 1, 36_500),
            ("file_days", self.file_days, 1, 36_500),
            ("schedule_grace_ms", self.schedule_grace_ms, 0, 3_600_000),
        ];
        for (field, value, least, most) in ranges {
            if value < least || value > most {
                return Err(ConfigError::Rule {
                    field: format!("reporting.settings.{field}"),
                    rule: format!("must be between {least} and {most}"),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_good_and_a_bad_field_is_named() {
        Settings::default().validate().unwrap();
        let settings = Settings {
            page_rows: 0,
            ..Settings::default()
        };
        let error = settings.validate().unwrap_err().to_string();
        assert!(
            error.starts_with("reporting.settings.page_rows: "),
            "{error}"
        );
    }
}
