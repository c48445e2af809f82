//! Closed periods: nothing becomes effective in one any more (A8).

use std::collections::HashMap;

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;

use super::ids::PeriodId;

/// A closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its id.
    pub id: PeriodId,
    /// Whose.
    pub tenant: TenantId,
    /// The n-th closing of the tenant, from 1.
    pub sequence: i64,
    /// Which ledger; None is every ledger of the tenant.
    pub currency: Option<Currency>,
    /// Nothing may become effective before this moment.
    pub until: Timestamp,
    /// Height of the chain at the closing.
    pub batch_height: i64,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Who closed it.
    pub closed_by: String,
}

/// A wish to close a period.
#[derive(Clone, Debug)]
pub struct ClosePeriod {
    /// The closing's id, if it comes to one.
    pub id: PeriodId,
    /// Whose.
    pub tenant: TenantId,
    /// Which ledger; None is every one.
    pub currency: Option<Currency>,
    /// Up to when.
    pub until: Timestamp,
    /// Who closes it.
    pub closed_by: String,
}

/// What a wish comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// This closing is new.
    New(Period),
    /// This closing was there.
    Already(Period),
}

/// Why a period stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClosingRefused {
    /// What has not passed cannot be closed.
    #[error("the period is not over yet")]
    NotOver,
    /// The same ledgers are closed to a later moment.
    #[error("a later period of the same ledgers is closed already")]
    ClosedFurther,
}

/// The closings of the tenants in a batch.
#[derive(Clone, Debug, Default)]
pub struct Periods {
    closed: HashMap<TenantId, Vec<Period>>,
}

// === impl Periods ===

impl Periods {
    /// Adds a closing.
    pub fn add(&mut self, period: Period) {
        self.closed.entry(period.tenant).or_default().push(period);
    }

    /// True when nothing may become effective at this moment.
    #[must_use]
    pub fn is_closed(&self, tenant: TenantId, currency: Currency, at: Timestamp) -> bool {
        self.of(tenant).iter().any(|period| {
            at < period.until && period.currency.is_none_or(|closed| closed == currency)
        })
    }

    /// Decides what a wish to close comes to.
    ///
    /// # Errors
    /// See [`ClosingRefused`].
    pub fn close(
        &self,
        wish: &ClosePeriod,
        now: Timestamp,
        batch_height: i64,
    ) -> Result<Closing, ClosingRefused> {
        let all = self.of(wish.tenant);
        let same = all.iter().filter(|period| period.currency == wish.currency);
        let newest = same.max_by_key(|period| period.until);
        match newest {
            Some(period) if period.until == wish.until => {
                return Ok(Closing::Already(period.clone()));
            }
            Some(period) if period.until > wish.until => {
                return Err(ClosingRefused::ClosedFurther);
            }
            Some(_) | None => {}
        }
        if wish.until > now {
            return Err(ClosingRefused::NotOver);
        }
        let last = all.iter().map(|period| period.sequence).max();
        Ok(Closing::New(Period {
            id: wish.id,
            tenant: wish.tenant,
            sequence: last.unwrap_or(0).saturating_add(1),
            currency: wish.currency,
            until: wish.until,
            batch_height,
            closed_at: now,
            closed_by: wish.closed_by.clone(),
        }))
    }

    fn of(&self, tenant: TenantId) -> &[Period] {
        self.closed.get(&tenant).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]

    use uuid::Uuid;

    use super::*;

    fn tenant() -> TenantId {
        TenantId::from(Uuid::from_u128(1))
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_day(day)
    }

    fn wish(currency: Option<Currency>, day: i64) -> ClosePeriod {
        ClosePeriod {
            id: PeriodId::from(Uuid::from_u128(9)),
            tenant: tenant(),
            currency,
            until: at(day),
            closed_by: "user_x".to_owned(),
        }
    }

    fn close(periods: &mut Periods, currency: Option<Currency>, day: i64) -> i64 {
        let Ok(Closing::New(period)) = periods.close(&wish(currency, day), at(100), 7) else {
            panic!("a new closing")
        };
        let sequence = period.sequence;
        periods.add(period);
        sequence
    }

    #[test]
    fn a8_a_closing_holds_for_its_ledger_and_one_without_a_currency_for_all() {
        let mut periods = Periods::default();
        assert_eq!(close(&mut periods, Some(Currency::EUR), 20), 1);
        assert!(periods.is_closed(tenant(), Currency::EUR, at(19)));
        assert!(!periods.is_closed(tenant(), Currency::EUR, at(20)));
        assert!(!periods.is_closed(tenant(), Currency::USD, at(19)));
        assert_eq!(close(&mut periods, None, 10), 2);
        assert!(periods.is_closed(tenant(), Currency::USD, at(9)));
        let stranger = TenantId::from(Uuid::from_u128(2));
        assert!(!periods.is_closed(stranger, Currency::USD, at(9)));
    }

    #[test]
    fn a_closing_is_repeated_goes_further_or_is_refused() {
        let mut periods = Periods::default();
        close(&mut periods, None, 10);
        let again = periods.close(&wish(None, 10), at(100), 8).unwrap();
        assert!(matches!(again, Closing::Already(period) if period.batch_height == 7));
        let back = periods.close(&wish(None, 9), at(100), 8);
        assert_eq!(back, Err(ClosingRefused::ClosedFurther));
        let early = periods.close(&wish(None, 101), at(100), 8);
        assert_eq!(early, Err(ClosingRefused::NotOver));
        assert_eq!(close(&mut periods, None, 11), 2);
    }
}
