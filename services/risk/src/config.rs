//! What can be set. The defaults run all in one on a laptop.

use paymesh_chassis::ConfigError;
use serde::{Deserialize, Serialize};

use crate::domain::{Thresholds, windows::Limits};

/// A score that is never reached.
const NEVER: i32 = 101;

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// From this score on a payer must verify; 101 is never.
    pub challenge_score: i32,
    /// From this score on a person must decide; 101 is never.
    pub review_score: i32,
    /// Customers, payment methods, merchants, countries and terminals counted in memory. Beyond it those go that were not used for
    /// longest, and count from zero until the next start.
    pub max_entities: usize,
    /// Moments of all of them in memory, 24 bytes each; the same holds beyond it.
    pub max_moments: usize,
    /// Tenants in memory; one more is refused.
    pub max_tenants: usize,
    /// Rules of a tenant.
    pub max_rules: usize,
    /// Entries in the lists of a tenant.
    pub max_list_entries: usize,
    /// Payments of a tenant read at a start.
    pub max_rebuilt_payments: u64,
    /// How often payments, rules and lists of other replicas are looked for, in milliseconds.
    pub follow_ms: u64,
    /// How much the clocks of replicas may differ, together with the time of a commit, in milliseconds.
    pub follow_overlap_ms: u64,
    /// Whether past payments may be imported. Histories are for sandboxes: an installation with live tenants closes it.
    pub history_import: HistoryImport,
}

/// Whether past payments may be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryImport {
    /// They may.
    Open,
    /// They may not.
    Closed,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            challenge_score: 60,
            review_score: 80,
            max_entities: 250_000,
            max_moments: 6_000_000,
            max_tenants: 10_000,
            max_rules: 200,
            max_list_entries: 100_000,
            max_rebuilt_payments: 2_000_000,
            follow_ms: 1_000,
            follow_overlap_ms: 10_000,
            history_import: HistoryImport::Open,
        }
    }
}

// === impl Settings ===

impl Settings {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        for (field, score) in [
            ("challenge_score", self.challenge_score),
            ("review_score", self.review_score),
        ] {
            if !(1..=NEVER).contains(&score) {
                return Err(rule(field, "must be 1 to 101; 101 is never"));
            }
        }
        for (field, value) in [
            ("max_entities", self.max_entities),
            ("max_moments", self.max_moments),
            ("max_tenants", self.max_tenants),
            ("max_rules", self.max_rules),
            ("max_list_entries", self.max_list_entries),
        ] {
            if value == 0 {
                return Err(rule(field, "must be at least 1"));
            }
        }
        if self.follow_ms < 10 {
            return Err(rule("follow_ms", "must be at least 10"));
        }
        Ok(())
    }

    pub(crate) const fn thresholds(&self) -> Thresholds {
        Thresholds {
            challenge: self.challenge_score,
            review: self.review_score,
        }
    }

    pub(crate) const fn limits(&self) -> Limits {
        Limits {
            entities: self.max_entities,
            moments: self.max_moments,
        }
    }
}

fn rule(field: &str, rule: &str) -> ConfigError {
    ConfigError::Rule {
        field: format!("risk.settings.{field}"),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_what_makes_no_sense_is_refused() {
        assert!(Settings::default().validate().is_ok());
        for settings in [
            Settings {
                review_score: 0,
                ..Settings::default()
            },
            Settings {
                challenge_score: 102,
                ..Settings::default()
            },
            Settings {
                max_entities: 0,
                ..Settings::default()
            },
            Settings {
                follow_ms: 0,
                ..Settings::default()
            },
        ] {
            assert!(settings.validate().is_err());
        }
    }
}
