//! What can be set. The defaults run all in one.

use paymesh_chassis::{ConfigError, Secret};
use serde::{Deserialize, Serialize};

/// Longest span of days between pending and available.
const DAYS_LIMIT: u64 = 365;

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The bank that payouts go to.
    pub bank: Bank,
    /// Batches are closed by themselves when something in them is due, at most this often for a currency, in milliseconds.
    /// 0: by people alone.
    pub close_every_ms: u64,
    /// Days from pending to available where neither a fact nor the merchant's plan says it.
    pub delay_days: u64,
    /// Lines of one statement at most.
    pub statement_lines: usize,
    /// A statement whose lines cannot be booked is tried so often, at most `retry_ms` apart; then it is parked.
    pub statement_attempts: i32,
    /// Movements that one reconciliation compares at most, on each side.
    pub reconciliation_movements: usize,
    /// A counterpart that comes later than this is late, in milliseconds.
    pub late_after_ms: u64,
    /// After a merchant's bank account was changed, payouts to it are held for this time, in milliseconds. 0: not at all.
    pub destination_cooling_off_ms: u64,
    /// Payouts looked after beside each other.
    pub payouts_at_once: usize,
    /// A worker that has not come back after this time is taken for dead, in milliseconds.
    pub lease_ms: u64,
    /// First and longest wait after a failure, in milliseconds; waits double.
    pub retry_ms: (u64, u64),
    /// Rows that are due are looked for at least so often, in milliseconds.
    pub poll_ms: u64,
}

/// The bank that payouts go to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bank {
    /// Its address; empty: payouts wait.
    pub url: String,
    /// Sent as bearer token.
    pub api_key: Secret,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long a payout that the bank does not know may still arrive there, in milliseconds.
    pub arrival_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bank: Bank::default(),
            close_every_ms: 5_000,
            delay_days: 2,
            statement_lines: 100_000,
            statement_attempts: 1_000,
            reconciliation_movements: 200_000,
            late_after_ms: 86_400_000,
            destination_cooling_off_ms: 172_800_000,
            payouts_at_once: 16,
            lease_ms: 60_000,
            retry_ms: (1_000, 300_000),
            poll_ms: 1_000,
        }
    }
}

impl Default for Bank {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:4011".to_owned(),
            api_key: Secret::default(),
            timeout_ms: 10_000,
            connect_timeout_ms: 2_000,
            arrival_ms: 30_000,
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
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let bank = &self.bank;
        let attempts = u64::try_from(self.statement_attempts).unwrap_or(0);
        let ranges = [
            ("statement_attempts", attempts, 1, 1_000_000),
            ("close_every_ms", self.close_every_ms, 0, 86_400_000),
            ("delay_days", self.delay_days, 0, DAYS_LIMIT),
            ("statement_lines", count(self.statement_lines), 1, 1_000_000),
            (
                "reconciliation_movements",
                count(self.reconciliation_movements),
                1,
                1_000_000,
            ),
            ("late_after_ms", self.late_after_ms, 1, 2_678_400_000),
            (
                "destination_cooling_off_ms",
                self.destination_cooling_off_ms,
                0,
                2_592_000_000,
            ),
            ("payouts_at_once", count(self.payouts_at_once), 1, 1_024),
            ("lease_ms", self.lease_ms, 1, 3_600_000),
            ("retry_ms", self.retry_ms.0, 1, self.retry_ms.1),
            ("poll_ms", self.poll_ms, 1, 600_000),
            ("bank.timeout_ms", bank.timeout_ms, 1, 120_000),
            (
                "bank.connect_timeout_ms",
                bank.connect_timeout_ms,
                1,
                120_000,
            ),
            ("bank.arrival_ms", bank.arrival_ms, 0, 86_400_000),
        ];
        for (field, value, least, most) in ranges {
            if value < least || value > most {
                return Err(rule(field, format!("must be between {least} and {most}")));
            }
        }
        if self.lease_ms <= bank.timeout_ms {
            let text = "must be longer than bank.timeout_ms, or one payout is taken up twice";
            return Err(rule("lease_ms", text.to_owned()));
        }
        if !bank.url.is_empty() && !bank.url.starts_with("http") {
            let text = "must be a URL such as https://bank.example, or empty";
            return Err(rule("bank.url", text.to_owned()));
        }
        Ok(())
    }
}

fn rule(field: &str, rule: String) -> ConfigError {
    ConfigError::Rule {
        field: format!("settlement.settings.{field}"),
        rule,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_good_and_a_bad_field_is_named() {
        Settings::default().validate().unwrap();
        let change = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.validate().unwrap_err().to_string()
        };
        for (error, field) in [
            (change(|s| s.delay_days = 366), "delay_days"),
            (change(|s| s.lease_ms = 10_000), "lease_ms"),
            (change(|s| s.bank.url = "ftp://x".to_owned()), "bank.url"),
            (change(|s| s.retry_ms = (5, 4)), "retry_ms"),
        ] {
            let start = format!("settlement.settings.{field}: ");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
