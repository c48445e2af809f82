//! What an exchange comes to: five integer amounts from one amount, a mid rate and a spread.
//!
//! The customer gives no less and gets no more than exactly (X2); what the roundings leave is part of the spread, so that the legs add
//! up to the minor unit (X1). Each amount is computed from the asked one by one exact fraction and rounded once.

use paymesh_money::{Amount, BasisPoints, Currency, Money, Rate, Rounding};

use super::{Fraction, Mid};

/// Which amount the caller fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What leaves.
    Source,
    /// What arrives.
    Target,
}

/// Which currency the spread is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpreadSide {
    /// The payee gets less.
    Target,
    /// The payer gives more.
    Source,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// One of the two amounts.
    pub amount: Amount,
    /// Which one it is.
    pub side: Side,
    /// The currency of the other one; not that of `amount`.
    pub other: Currency,
    /// Where the spread is taken.
    pub spread_side: SpreadSide,
}

/// The amounts of an exchange. All are above zero, the spread may be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// What leaves the payer's side.
    pub source: Money,
    /// What arrives.
    pub target: Money,
    /// What the platform keeps.
    pub spread: Money,
    /// What passes the position in the source currency.
    pub mid_source: Money,
    /// What passes the position in the target currency.
    pub mid_target: Money,
    /// The mid rate with the spread, for people.
    pub customer_rate: Rate,
}

/// Why an exchange has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// It comes to less than one minor unit.
    #[error("this amount comes to less than one minor unit of {0}")]
    TooSmall(Currency),
    /// It comes to more than an amount can be.
    #[error("this amount comes to more in {0} than an amount can be")]
    TooLarge(Currency),
    /// The spread leaves no rate.
    #[error("the spread leaves nothing of the rate")]
    NoRate,
}

// === impl Ask ===

impl Ask {
    /// The currencies, source first.
    #[must_use]
    pub const fn pair(&self) -> (Currency, Currency) {
        match self.side {
            Side::Source => (self.amount.currency(), self.other),
            Side::Target => (self.other, self.amount.currency()),
        }
    }
}

// === impl Priced ===

impl Priced {
    /// True when the legs add up in their currencies (X1).
    #[must_use]
    pub fn adds_up(&self, side: SpreadSide) -> bool {
        match side {
            SpreadSide::Target => {
                self.source == self.mid_source
                    && self.target.checked_add(self.spread) == Ok(self.mid_target)
            }
            SpreadSide::Source => {
                self.target == self.mid_target
                    && self.mid_source.checked_add(self.spread) == Ok(self.source)
            }
        }
    }
}

/// Prices `ask` at `mid`, whose base is the source currency and whose quote is the target currency.
///
/// # Errors
/// [`PriceError`].
///
/// # Panics
/// When `mid` is of another pair, or the amounts do not add up: a broken invariant.
pub fn price(ask: &Ask, mid: &Mid, spread: BasisPoints) -> Result<Priced, PriceError> {
    assert_eq!(
        ask.pair(),
        (mid.base, mid.quote),
        "the rate is that of the pair"
    );
    let legs = Legs {
        from: mid.base,
        to: mid.quote,
        mid: mid.fraction,
    };
    let amount = ask.amount.money();
    let priced = match ask.spread_side {
        SpreadSide::Target => legs.with_spread_in_target(amount, ask.side, mid, spread)?,
        SpreadSide::Source => legs.with_spread_in_source(amount, ask.side, mid, spread)?,
    };
    assert!(
        priced.adds_up(ask.spread_side),
        "X1: the legs add up: {priced:?}"
    );
    assert!(
        !priced.spread.is_negative(),
        "X2: the spread is never negative: {priced:?}"
    );
    Ok(priced)
}

/// The mid rate of two currencies, applied.
struct Legs {
    from: Currency,
    to: Currency,
    mid: Fraction,
}

// === impl Legs ===

impl Legs {
    /// Payments: the position passes the whole source amount, the payee gets the customer's rate, the spread is the difference.
    fn with_spread_in_target(
        &self,
        amount: Money,
        side: Side,
        mid: &Mid,
        spread: BasisPoints,
    ) -> Result<Priced, PriceError> {
        let customer = self.mid.less(spread).ok_or(PriceError::NoRate)?;
        let (source, target) = self.ends(amount, side, customer)?;
        let mid_target = self.forth(self.mid, source)?;
        Ok(Priced {
            source,
            target,
            spread: difference(mid_target, target),
            mid_source: source,
            mid_target,
            customer_rate: mid
                .rate
                .less_spread(spread, Rounding::HalfEven)
                .map_err(|_| PriceError::NoRate)?,
        })
    }

    /// Refunds: the position passes what the target needs, and the payer gives the spread on top.
    fn with_spread_in_source(
        &self,
        amount: Money,
        side: Side,
        mid: &Mid,
        spread: BasisPoints,
    ) -> Result<Priced, PriceError> {
        let customer = self.mid.with_markup(spread).ok_or(PriceError::NoRate)?;
        let (source, target) = self.ends(amount, side, customer)?;
        let mid_source = self.back(self.mid, target)?;
        Ok(Priced {
            source,
            target,
            spread: difference(source, mid_source),
            mid_source,
            mid_target: target,
            customer_rate: markup(spread)
                .and_then(|markup| mid.rate.checked_div(markup, Rounding::HalfEven).ok())
                .ok_or(PriceError::NoRate)?,
        })
    }

    /// Both ends, one of which was asked for.
    fn ends(
        &self,
        amount: Money,
        side: Side,
        customer: Fraction,
    ) -> Result<(Money, Money), PriceError> {
        match side {
            Side::Source => Ok((amount, self.forth(customer, amount)?)),
            Side::Target => Ok((self.back(customer, amount)?, amount)),
        }
    }

    /// What `source` buys, rounded down.
    fn forth(&self, rate: Fraction, source: Money) -> Result<Money, PriceError> {
        let minor = rate.apply_down(magnitude(source), self.from, self.to);
        amount_of(minor, self.to)
    }

    /// What `target` costs, rounded up.
    fn back(&self, rate: Fraction, target: Money) -> Result<Money, PriceError> {
        let minor = rate
            .inverse()
            .apply_up(magnitude(target), self.to, self.from);
        amount_of(minor, self.from)
    }
}

fn magnitude(money: Money) -> u128 {
    u128::from(money.minor().unsigned_abs())
}

fn amount_of(minor: Option<u128>, currency: Currency) -> Result<Money, PriceError> {
    let minor = minor
        .and_then(|minor| i64::try_from(minor).ok())
        .filter(|minor| *minor <= Amount::MAX_MINOR)
        .ok_or(PriceError::TooLarge(currency))?;
    if minor == 0 {
        return Err(PriceError::TooSmall(currency));
    }
    Ok(Money::new(minor, currency))
}

/// Of two amounts of one currency.
fn difference(more: Money, less: Money) -> Money {
    more.checked_sub(less)
        .expect("both are amounts of one currency")
}

/// One plus a share, as a rate.
fn markup(spread: BasisPoints) -> Option<Rate> {
    let whole = BasisPoints::WHOLE.get().checked_add(spread.get())?;
    super::read_rate(&format!("{whole}e-4")).ok()
}

#[cfg(test)]
mod tests;
