//! The exchange of a transaction whose two sides differ in currency: both integer amounts are fixed by a quote, so nothing is
//! rounded twice (T4).

use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::QuoteId;

/// Which currency the spread is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpreadSide {
    /// The payer gives more: refunds.
    Source,
    /// The payee gets less: payments.
    Target,
}

/// An exact decimal, as rates are explained with. It decides nothing: the integer amounts do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decimal {
    /// The digits.
    pub units: i64,
    /// How many of them stand after the point.
    pub scale: u32,
}

/// What a quote fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The quote.
    pub quote: QuoteId,
    /// What leaves the giving side.
    pub source: Money,
    /// What reaches the taking side.
    pub target: Money,
    /// What fx.spread earns.
    pub spread: Money,
    /// In which of the two currencies.
    pub spread_side: SpreadSide,
    /// What passes fx.position in the source currency.
    pub mid_source: Money,
    /// What passes fx.position in the target currency.
    pub mid_target: Money,
    /// Target units for one source unit.
    pub mid_rate: Decimal,
    /// The same with the spread.
    pub customer_rate: Decimal,
    /// Where the rate is from.
    pub rate_source: String,
}

/// Figures of a quote that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the figures of the quote do not add up")]
pub struct UnsoundQuote;

/// The part of an exchange that one capture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Legs {
    /// Leaves the giving side.
    pub source: Money,
    /// Passes fx.position in the source currency.
    pub mid_source: Money,
    /// Passes fx.position in the target currency.
    pub mid_target: Money,
    /// Reaches the taking side.
    pub target: Money,
    /// Earned by fx.spread.
    pub spread: Money,
}

// === impl Exchange ===

impl Exchange {
    /// Checks what another component answered before money depends on it (T4).
    ///
    /// # Errors
    /// When the sums do not add up or an amount is not above zero.
    pub fn check(self) -> Result<Self, UnsoundQuote> {
        let positive = [self.source, self.target, self.mid_source, self.mid_target]
            .iter()
            .all(|money| money.is_positive());
        let legs = self.legs();
        if positive && !self.spread.is_negative() && legs.add_up(self.spread_side) {
            Ok(self)
        } else {
            Err(UnsoundQuote)
        }
    }

    /// All of it.
    #[must_use]
    pub const fn legs(&self) -> Legs {
        Legs {
            source: self.source,
            mid_source: self.mid_source,
            mid_target: self.mid_target,
            target: self.target,
            spread: self.spread,
        }
    }

    /// The share of a capture of `part` when `before` of `whole` had been captured: the shares of the running totals less what
    /// the captures before had, so that captures of the whole add up to exactly the quote. Of payments only, whose spread is in
    /// the target currency.
    ///
    /// None when the numbers are not shares of the whole.
    #[must_use]
    pub fn share(&self, before: i64, part: i64, whole: i64) -> Option<Legs> {
        let after = before.checked_add(part)?;
        if part <= 0 || before < 0 || after > whole || self.spread_side != SpreadSide::Target {
            return None;
        }
        let share = |money: Money| {
            let minor = proportion(money.minor(), after, whole)?.checked_sub(proportion(
                money.minor(),
                before,
                whole,
            )?)?;
            Some(Money::new(minor, money.currency()))
        };
        let (source, target, spread) = (
            share(self.source)?,
            share(self.target)?,
            share(self.spread)?,
        );
        let legs = Legs {
            source,
            mid_source: source,
            mid_target: target.checked_add(spread).ok()?,
            target,
            spread,
        };
        assert!(
            legs.add_up(SpreadSide::Target),
            "T4: the legs of an exchange add up"
        );
        Some(legs)
    }

    /// The currencies, source first.
    #[must_use]
    pub const fn currencies(&self) -> (Currency, Currency) {
        (self.source.currency(), self.target.currency())
    }
}

// === impl Legs ===

impl Legs {
    fn add_up(&self, side: SpreadSide) -> bool {
        let with_spread = |mid: Money| mid.checked_add(self.spread);
        match side {
            SpreadSide::Target => {
                self.source == self.mid_source
                    && self.target.checked_add(self.spread) == Ok(self.mid_target)
            }
            SpreadSide::Source => {
                self.target == self.mid_target && with_spread(self.mid_source) == Ok(self.source)
            }
        }
    }
}

/// `amount` × `part` / `whole`, rounded down.
fn proportion(amount: i64, part: i64, whole: i64) -> Option<i64> {
    let product = i128::from(amount).checked_mul(i128::from(part))?;
    i64::try_from(product.checked_div_euclid(i128::from(whole))?).ok()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    pub(crate) fn dollars_to_euros() -> Exchange {
        let (usd, eur) = (
            |minor| Money::new(minor, Currency::USD),
            |minor| Money::new(minor, Currency::EUR),
        );
        Exchange {
            quote: QuoteId::from(Uuid::from_u128(1)),
            source: usd(10_000),
            target: eur(9_154),
            spread: eur(46),
            spread_side: SpreadSide::Target,
            mid_source: usd(10_000),
            mid_target: eur(9_200),
            mid_rate: Decimal {
                units: 92,
                scale: 2,
            },
            customer_rate: Decimal {
                units: 9_154,
                scale: 4,
            },
            rate_source: "ecb".to_owned(),
        }
    }

    #[test]
    fn t4_figures_that_do_not_add_up_are_refused() {
        assert!(dollars_to_euros().check().is_ok());
        let mut wrong = dollars_to_euros();
        wrong.spread = Money::new(47, Currency::EUR);
        assert_eq!(wrong.check(), Err(UnsoundQuote));
        let mut nothing = dollars_to_euros();
        nothing.target = Money::zero(Currency::EUR);
        nothing.spread = nothing.mid_target;
        assert_eq!(nothing.check(), Err(UnsoundQuote));
    }

    #[test]
    fn what_is_no_share_of_the_whole_has_no_legs() {
        let exchange = dollars_to_euros();
        for (before, part) in [(0, 0), (-1, 5), (9_000, 1_001), (i64::MAX, 1)] {
            assert_eq!(
                exchange.share(before, part, 10_000),
                None,
                "{before} {part}"
            );
        }
    }

    proptest! {
        #[test]
        fn t4_shares_of_any_captures_add_up_to_the_quote(cuts in proptest::collection::vec(1_i64..10_000, 0..6)) {
            let exchange = dollars_to_euros();
            let mut marks = cuts;
            marks.push(10_000);
            marks.sort_unstable();
            marks.dedup();
            let (mut before, mut target, mut spread, mut source) = (0, 0, 0, 0);
            for mark in marks {
                let legs = exchange.share(before, mark.checked_sub(before).unwrap(), 10_000).unwrap();
                prop_assert!(!legs.spread.is_negative() && !legs.target.is_negative());
                target += legs.target.minor();
                spread += legs.spread.minor();
                source += legs.source.minor();
                before = mark;
            }
            prop_assert_eq!((source, target, spread), (10_000, 9_154, 46));
        }
    }
}
