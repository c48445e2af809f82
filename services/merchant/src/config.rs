//! What can be set. The defaults run all in one.

use paymesh_chassis::ConfigError;
use serde::{Deserialize, Serialize};

use crate::domain::plan::DELAY_LIMIT;

/// Largest fixed amount of a default plan, in minor units.
const AMOUNT_LIMIT: i64 = 1_000_000;

/// Settings of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Default plan: share of the captured amount, in basis points.
    pub fee_bp: u32,
    /// Default plan: for each transaction, in minor units of the settlement currency.
    pub fee_fixed_minor: i64,
    /// Default plan: for each chargeback, in minor units of the settlement currency.
    pub chargeback_fee_minor: i64,
    /// Default plan: share kept back, in basis points.
    pub reserve_bp: u32,
    /// Default plan of live tenants: days from pending to available.
    pub settlement_delay_days: i32,
    /// The same in sandbox tenants.
    pub sandbox_settlement_delay_days: i32,
    /// Default plan: refunds may take a merchant's balance below zero.
    pub negative_balance_allowed: bool,
    /// Merchants and terminals kept in memory.
    pub cache_entries: usize,
    /// How long, in milliseconds: another replica's change shows that much later.
    pub cache_ms: u64,
    /// Time for the ledger to open the accounts before somebody else looks after the registration, in milliseconds.
    pub opening_grace_ms: u64,
    /// Rows that are due are looked for at least so often, in milliseconds.
    pub poll_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fee_bp: 290,
            fee_fixed_minor: 30,
            chargeback_fee_minor: 1_500,
            reserve_bp: 0,
            settlement_delay_days: 2,
            sandbox_settlement_delay_days: 0,
            negative_balance_allowed: false,
            cache_entries: 10_000,
            cache_ms: 1_000,
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
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let wide = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let ranges = [
            ("fee_bp", i64::from(self.fee_bp), 0, 10_000),
            ("fee_fixed_minor", self.fee_fixed_minor, 0, AMOUNT_LIMIT),
            (
                "chargeback_fee_minor",
                self.chargeback_fee_minor,
                0,
                AMOUNT_LIMIT,
            ),
            ("reserve_bp", i64::from(self.reserve_bp), 0, 10_000),
            (
                "settlement_delay_days",
                i64::from(self.settlement_delay_days),
                0,
                i64::from(DELAY_LIMIT),
            ),
            (
                "sandbox_settlement_delay_days",
                i64::from(self.sandbox_settlement_delay_days),
                0,
                i64::from(DELAY_LIMIT),
            ),
            (
                "cache_entries",
                i64::try_from(self.cache_entries).unwrap_or(i64::MAX),
                1,
                1_000_000,
            ),
            ("cache_ms", wide(self.cache_ms), 0, 60_000),
            ("opening_grace_ms", wide(self.opening_grace_ms), 1, 600_000),
            ("poll_ms", wide(self.poll_ms), 1, 600_000),
        ];
        for (field, value, least, most) in ranges {
            if value < least || value > most {
                return Err(ConfigError::Rule {
                    field: format!("merchant.settings.{field}"),
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
            fee_bp: 10_001,
            ..Settings::default()
        };
        let error = settings.validate().unwrap_err().to_string();
        assert!(error.starts_with("merchant.settings.fee_bp: "), "{error}");
    }
}
