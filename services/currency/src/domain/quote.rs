//! Quotes: both amounts fixed, for a while or for one operation for good.

use paymesh_kernel::{Principal, Timestamp};
use paymesh_money::Rate;
use uuid::Uuid;

use super::{Ask, OperationId, Outcome, Priced, QuoteId, RateDate, SourceName, TenantId};

/// Who consumed a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumption {
    /// The operation.
    pub by: OperationId,
    /// When.
    pub at: Timestamp,
}

/// Where a quote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Can be consumed.
    Open,
    /// Belongs to an operation.
    Consumed,
    /// Can no longer be consumed.
    Expired,
}

/// A quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Made by the caller.
    pub id: QuoteId,
    /// Whose.
    pub tenant: TenantId,
    /// Subject of who asked for it.
    pub created_by: String,
    /// What was asked.
    pub ask: Ask,
    /// What it comes to.
    pub priced: Priced,
    /// The mid rate, for people.
    pub mid_rate: Rate,
    /// The spread.
    pub spread_bp: u32,
    /// Where the rate is from.
    pub rate_source: SourceName,
    /// The date it is published for.
    pub rate_date: RateDate,
    /// Who consumed it.
    pub consumed: Option<Consumption>,
    /// As of when the rate was taken.
    pub business_at: Timestamp,
    /// From then on it cannot be consumed.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Hash of what was asked, to tell a repeat from another request.
    pub fingerprint: Uuid,
    /// 1, or 2 when it was consumed after it was made.
    pub version: i64,
}

/// Why a quote cannot be consumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeRefused {
    /// Too late.
    #[error("the quote expired at {at}; lock a new one")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Another operation has it.
    #[error("the quote belongs to another operation; lock a new one")]
    Taken,
}

// === impl Quote ===

impl Quote {
    /// Where it stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match &self.consumed {
            Some(_) => State::Consumed,
            None if now >= self.expires_at => State::Expired,
            None => State::Open,
        }
    }

    /// True when the principal may see and use it: staff and components all of their tenant's, others their own.
    #[must_use]
    pub fn is_visible_to(&self, principal: &Principal) -> bool {
        let is_theirs = principal.sees_whole_tenant() || self.created_by == principal.subject;
        self.tenant == principal.tenant && is_theirs
    }

    /// Binds it to an operation, once and for good (X7).
    ///
    /// # Errors
    /// When it has expired or belongs to another operation.
    pub fn consume(
        mut self,
        by: OperationId,
        now: Timestamp,
    ) -> Result<Outcome<Self>, ConsumeRefused> {
        match &self.consumed {
            Some(consumption) if consumption.by == by => Ok(Outcome::AlreadyApplied(self)),
            Some(_) => Err(ConsumeRefused::Taken),
            None if now >= self.expires_at => Err(ConsumeRefused::Expired {
                at: self.expires_at,
            }),
            None => {
                self.consumed = Some(Consumption { by, at: now });
                self.version = self.version.saturating_add(1);
                Ok(Outcome::Applied(self))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use paymesh_kernel::Role;
    use paymesh_money::{Amount, Currency, Money};

    use super::*;
    use crate::domain::{Side, SpreadSide};

    fn quote() -> Quote {
        let (usd, eur) = (
            |minor| Money::new(minor, Currency::USD),
            |minor| Money::new(minor, Currency::EUR),
        );
        Quote {
            id: QuoteId::from(Uuid::from_u128(1)),
            tenant: TenantId::from(Uuid::from_u128(2)),
            created_by: "user_1".to_owned(),
            ask: Ask {
                amount: Amount::try_new(10_000, Currency::USD).unwrap(),
                side: Side::Source,
                other: Currency::EUR,
                spread_side: SpreadSide::Target,
            },
            priced: Priced {
                source: usd(10_000),
                target: eur(9_154),
                spread: eur(46),
                mid_source: usd(10_000),
                mid_target: eur(9_200),
                customer_rate: "0.9154".parse().unwrap(),
            },
            mid_rate: "0.92".parse().unwrap(),
            spread_bp: 50,
            rate_source: "ecb".parse().unwrap(),
            rate_date: "2026-01-15".parse().unwrap(),
            consumed: None,
            business_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_micros(100),
            created_at: Timestamp::EPOCH,
            fingerprint: Uuid::nil(),
            version: 1,
        }
    }

    fn operation(n: u128) -> OperationId {
        paymesh_kernel::id::encode("txn", Uuid::from_u128(n))
            .parse()
            .unwrap()
    }

    #[test]
    fn x7_a_quote_belongs_to_the_first_operation_and_stays_valid_for_it() {
        let (early, late) = (Timestamp::from_micros(99), Timestamp::from_micros(100));
        let taken = quote().consume(operation(1), early).unwrap().into_inner();
        assert_eq!((taken.version, taken.state(late)), (2, State::Consumed));
        let again = taken
            .clone()
            .consume(operation(1), late.plus(Duration::from_secs(3_600)));
        assert_eq!(
            again,
            Ok(Outcome::AlreadyApplied(taken.clone())),
            "X7: a consumed quote stays valid"
        );
        assert_eq!(
            taken.consume(operation(2), early),
            Err(ConsumeRefused::Taken),
            "X7"
        );
    }

    #[test]
    fn x7_an_expired_quote_is_not_consumed() {
        let late = Timestamp::from_micros(100);
        assert_eq!(quote().state(late), State::Expired);
        assert_eq!(
            quote().consume(operation(1), late),
            Err(ConsumeRefused::Expired { at: late })
        );
        assert_eq!(quote().state(Timestamp::from_micros(99)), State::Open);
    }

    #[test]
    fn x8_others_do_not_see_a_persons_quote() {
        let quote = quote();
        let who = |tenant: u128, subject: &str, role| Principal {
            tenant: TenantId::from(Uuid::from_u128(tenant)),
            subject: subject.to_owned(),
            roles: vec![role],
            merchant: None,
        };
        for (principal, sees) in [
            (who(2, "user_1", Role::Customer), true),
            (who(2, "user_2", Role::Customer), false),
            (who(2, "user_2", Role::Merchant), false),
            (who(2, "user_2", Role::Support), true),
            (who(2, "transaction", Role::Component), true),
            (who(3, "user_1", Role::Customer), false),
            (who(3, "user_1", Role::Admin), false),
        ] {
            assert_eq!(quote.is_visible_to(&principal), sees, "X8: {principal:?}");
        }
    }
}
