//! What can be set. The defaults run all in one.

use std::{collections::BTreeMap, time::Duration};

use paymesh_chassis::ConfigError;
use paymesh_kernel::backoff::Backoff;
use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::domain::{party::FeePlan, policy::Policy};

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a request waits for its outcome when it does not say, in milliseconds.
    pub wait_ms: u64,
    /// Longest wait that a request may ask for, in milliseconds.
    pub longest_wait_ms: u64,
    /// How long one call to another component may take, in milliseconds.
    pub call_timeout_ms: u64,
    /// How long a driver owns a saga without a sign of life, in milliseconds.
    pub lease_ms: u64,
    /// How often due sagas are looked for, in milliseconds.
    pub poll_ms: u64,
    /// Sagas taken up at once by the runner.
    pub runner_concurrency: usize,
    /// Sagas driven at once by requests; one more is refused with RESOURCE_EXHAUSTED.
    pub concurrent_transactions: usize,
    /// Failures in a row before the pivot after which a saga turns back.
    pub forward_failures: u32,
    /// Failures in a row after which undoing is stuck.
    pub undo_failures: u32,
    /// Wait before the second try, in milliseconds.
    pub backoff_first_ms: u64,
    /// Longest wait between tries, in milliseconds.
    pub backoff_max_ms: u64,
    /// A review that nobody decides is rejected after so many hours.
    pub review_hours: u64,
    /// An authorization whose end the provider does not say ends after so many hours.
    pub authorization_hours: u64,
    /// An action whose end the provider does not say ends after so many minutes.
    pub action_minutes: u64,
    /// Largest amount, by currency and in minor units, that passes when risk cannot be asked. A currency that is not here never
    /// does.
    pub unassessed_limits: BTreeMap<String, i64>,
    /// Fees that are not a merchant's.
    pub fees: Fees,
    /// Largest fee of a connector for a dispute, in minor units of its currency; one as large as the dispute passes as well.
    pub max_connector_fee_minor: i64,
    /// Entries of each cache of merchants, accounts and payment methods.
    pub cache_entries: usize,
    /// Age at which an entry is read again, in milliseconds.
    pub cache_age_ms: u64,
}

/// Fees of kinds in which no merchant is paid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fees {
    /// Paid by the payer of a transfer, on top.
    pub transfer: Fee,
    /// Taken out of a top-up.
    pub top_up: Fee,
    /// Paid by who withdraws, on top.
    pub withdrawal: Fee,
}

/// A share of the amount plus a fixed part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fee {
    /// Share, in basis points.
    pub basis_points: u32,
    /// By currency, in minor units; nothing for a currency that is not here.
    pub fixed_minor: BTreeMap<String, i64>,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            wait_ms: 10_000,
            longest_wait_ms: 30_000,
            call_timeout_ms: 15_000,
            lease_ms: 60_000,
            poll_ms: 500,
            runner_concurrency: 32,
            concurrent_transactions: 4_096,
            forward_failures: 6,
            undo_failures: 12,
            backoff_first_ms: 100,
            backoff_max_ms: 60_000,
            review_hours: 7 * 24,
            authorization_hours: 7 * 24,
            action_minutes: 30,
            unassessed_limits: BTreeMap::new(),
            fees: Fees::default(),
            max_connector_fee_minor: 10_000,
            cache_entries: 50_000,
            cache_age_ms: 30_000,
        }
    }
}

impl Config {
    /// Checks what types cannot say.
    ///
    /// # Errors
    /// With the field and what to write instead.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rule = |field: &str, rule: &str| {
            Err(ConfigError::Rule {
                field: format!("transaction.settings.{field}"),
                rule: rule.to_owned(),
            })
        };
        if self.lease_ms < self.call_timeout_ms.saturating_mul(3) {
            return rule(
                "lease_ms",
                "must be at least three times call_timeout_ms, so that no call outlives its lease",
            );
        }
        if self.wait_ms > self.longest_wait_ms {
            return rule("wait_ms", "must be at most longest_wait_ms");
        }
        let zero = [
            ("poll_ms", self.poll_ms == 0),
            ("call_timeout_ms", self.call_timeout_ms == 0),
            ("runner_concurrency", self.runner_concurrency == 0),
            ("concurrent_transactions", self.concurrent_transactions == 0),
            ("forward_failures", self.forward_failures == 0),
            ("undo_failures", self.undo_failures == 0),
            ("backoff_first_ms", self.backoff_first_ms == 0),
            ("cache_entries", self.cache_entries == 0),
        ];
        if let Some((field, _)) = zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return rule(field, "must be above zero");
        }
        if self.max_connector_fee_minor < 0 {
            return rule("max_connector_fee_minor", "must not be below zero");
        }
        for (field, fee) in [
            ("fees.transfer", &self.fees.transfer),
            ("fees.top_up", &self.fees.top_up),
            ("fees.withdrawal", &self.fees.withdrawal),
        ] {
            let is_sound =
                fee.basis_points <= 10_000 && fee.fixed_minor.values().all(|minor| *minor >= 0);
            if !is_sound {
                return rule(
                    field,
                    "must have at most 10000 basis_points and no fixed part below zero",
                );
            }
        }
        let codes = [
            &self.fees.transfer,
            &self.fees.top_up,
            &self.fees.withdrawal,
        ]
        .map(|fee| fee.fixed_minor.keys());
        let mut codes = codes
            .into_iter()
            .flatten()
            .chain(self.unassessed_limits.keys());
        match codes.find(|code| code.parse::<Currency>().is_err()) {
            Some(code) => rule(
                "fees",
                &format!("{code} is not an ISO 4217 currency in upper case"),
            ),
            None => Ok(()),
        }
    }

    /// Limits of sagas.
    pub(crate) fn policy(&self) -> Policy {
        let hours = |hours: u64| Duration::from_secs(hours.saturating_mul(3_600));
        let limits = self.unassessed_limits.iter();
        Policy {
            forward_failures: self.forward_failures,
            undo_failures: self.undo_failures,
            backoff: Backoff::new(
                Duration::from_millis(self.backoff_first_ms),
                Duration::from_millis(self.backoff_max_ms),
            ),
            review_limit: hours(self.review_hours),
            authorization_limit: hours(self.authorization_hours),
            action_limit: Duration::from_secs(self.action_minutes.saturating_mul(60)),
            unassessed: limits
                .filter_map(|(code, minor)| Some((code.parse().ok()?, *minor)))
                .collect(),
        }
    }

    pub(crate) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub(crate) const fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }

    /// How long a request waits that asks for `wait_ms`.
    pub(crate) fn wait(&self, wait_ms: Option<i32>) -> Duration {
        let asked = wait_ms.map_or(self.wait_ms, |wait_ms| u64::try_from(wait_ms).unwrap_or(0));
        Duration::from_millis(asked.min(self.longest_wait_ms))
    }
}

impl Fee {
    /// The plan in a currency.
    pub(crate) fn plan(&self, currency: Currency) -> FeePlan {
        let fixed = self.fixed_minor.get(currency.code()).copied().unwrap_or(0);
        FeePlan {
            basis_points: self.basis_points,
            fixed: Money::new(fixed, currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert!(Config::default().validate().is_ok());
    }

    #[test]
    fn what_would_break_a_lease_or_a_fee_is_refused_with_its_field() {
        let short = Config {
            lease_ms: 1_000,
            ..Config::default()
        };
        let negative = Config {
            fees: Fees {
                top_up: Fee {
                    basis_points: 0,
                    fixed_minor: BTreeMap::from([("USD".to_owned(), -1)]),
                },
                ..Fees::default()
            },
            ..Config::default()
        };
        let unknown = Config {
            unassessed_limits: BTreeMap::from([("usd".to_owned(), 1)]),
            ..Config::default()
        };
        for (config, field) in [
            (short, "lease_ms"),
            (negative, "fees.top_up"),
            (unknown, "usd"),
        ] {
            let error = config.validate().map_err(|error| error.to_string());
            assert!(
                error.as_ref().is_err_and(|text| text.contains(field)),
                "{error:?}"
            );
        }
    }
}
