//! The book: every published rate by source and date, in memory, and the mid rate of a pair as of a business date.
//!
//! Days are shared between a book and its successor, so that taking in one day copies no other.

use std::{collections::BTreeMap, sync::Arc};

use paymesh_kernel::Timestamp;
use paymesh_money::{Currency, Rate, Rounding};

use super::{Fraction, Method, RateDate, SourceId, SourceName};

/// Units of each currency for one unit of the source's base.
pub type DayRates = BTreeMap<Currency, Rate>;

/// Who publishes rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Numbers its facts.
    pub id: SourceId,
    /// `ecb`, …
    pub name: SourceName,
    /// What one unit of is priced.
    pub base: Currency,
    /// Imports that changed something.
    pub version: i64,
    /// The last of them.
    pub imported_at: Timestamp,
    /// The first of them.
    pub created_at: Timestamp,
}

/// The rates of one source for one date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The base itself is not in it.
    pub rates: DayRates,
    /// When they last changed.
    pub imported_at: Timestamp,
}

/// A source and all it has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Who.
    pub source: Source,
    /// What.
    pub days: BTreeMap<RateDate, Arc<Day>>,
}

/// How old a rate may be, in days from its date to the business date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Up to this age the order of sources decides.
    pub fresh_days: i32,
    /// Beyond this age no rate is used; between the two the newest is.
    pub max_age_days: i32,
}

/// The mid rate of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mid {
    /// One unit of it …
    pub base: Currency,
    /// … costs `rate` of it.
    pub quote: Currency,
    /// For people: rounded half to even to 18 digits.
    pub rate: Rate,
    /// For amounts: exact.
    pub fraction: Fraction,
    /// How it was found.
    pub method: Method,
    /// Where.
    pub source: SourceName,
    /// The date it is published for.
    pub date: RateDate,
    /// Days from there to the business date.
    pub age_days: i32,
    /// When it came in.
    pub imported_at: Timestamp,
}

/// A day of a history.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Whose.
    pub history: &'a History,
    /// Which.
    pub date: RateDate,
    /// What.
    pub day: &'a Day,
}

/// Why there is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRate {
    /// No such source.
    #[error("there is no source of rates named {name}")]
    UnknownSource {
        /// As asked.
        name: String,
    },
    /// No source has the pair on or before the date.
    #[error("no source has a rate from {base} to {quote} on or before {on}")]
    NotQuoted {
        /// From.
        base: Currency,
        /// To.
        quote: Currency,
        /// The business date.
        on: RateDate,
    },
    /// The last one is too old.
    #[error(
        "the last rate from {base} to {quote} is of {date} by {source_name}, {age_days} days before the business date; \
         at most {limit_days} are allowed"
    )]
    Stale {
        /// From.
        base: Currency,
        /// To.
        quote: Currency,
        /// Of the last known rate.
        date: RateDate,
        /// Its source.
        source_name: SourceName,
        /// Its age.
        age_days: i32,
        /// The limit.
        limit_days: i32,
    },
    /// Two rates whose quotient no rate can hold.
    #[error("the rate from {base} to {quote} is out of range")]
    OutOfRange {
        /// From.
        base: Currency,
        /// To.
        quote: Currency,
    },
}

/// All sources, those named by the configuration first and in its order, then the others by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    histories: Vec<Arc<History>>,
}

// === impl Book ===

impl Book {
    /// Puts the histories in order.
    #[must_use]
    pub fn new(mut histories: Vec<Arc<History>>, order: &[SourceName]) -> Self {
        histories.sort_by_key(|history| {
            let name = &history.source.name;
            let place = order.iter().position(|known| known == name);
            (place.unwrap_or(usize::MAX), name.clone())
        });
        Self { histories }
    }

    /// The same with one history put in or replaced.
    #[must_use]
    pub fn with(&self, history: History, order: &[SourceName]) -> Self {
        let others = self
            .histories
            .iter()
            .filter(|known| known.source.id != history.source.id);
        let mut histories: Vec<Arc<History>> = others.map(Arc::clone).collect();
        histories.push(Arc::new(history));
        Self::new(histories, order)
    }

    /// In order.
    #[must_use]
    pub fn histories(&self) -> &[Arc<History>] {
        &self.histories
    }

    /// By name.
    #[must_use]
    pub fn history(&self, name: &SourceName) -> Option<&Arc<History>> {
        self.histories
            .iter()
            .find(|history| history.source.name == *name)
    }

    /// The sources that may answer: the one named, or all.
    ///
    /// # Errors
    /// [`NoRate::UnknownSource`].
    pub fn candidates(&self, source: Option<&SourceName>) -> Result<Vec<&History>, NoRate> {
        match source {
            None => Ok(self.histories.iter().map(Arc::as_ref).collect()),
            Some(name) => {
                let history = self.history(name).ok_or_else(|| NoRate::UnknownSource {
                    name: name.to_string(),
                })?;
                Ok(vec![history.as_ref()])
            }
        }
    }

    /// The mid rate as of a business date: the last one on or before it (X3).
    ///
    /// The first source in order with a fresh rate answers; when none is fresh, the newest rate within the limit.
    ///
    /// # Errors
    /// [`NoRate`].
    pub fn mid(
        &self,
        (base, quote): (Currency, Currency),
        source: Option<&SourceName>,
        on: RateDate,
        limits: Limits,
    ) -> Result<Mid, NoRate> {
        let candidates = self.candidates(source)?;
        let last = |limit: i32| {
            let histories = candidates.iter();
            histories.filter_map(move |history| history.last((base, quote), on, limit))
        };
        let fresh = last(limits.fresh_days.min(limits.max_age_days)).next();
        // Of several as new the first in order: `max_by_key` would take the last of equal ones.
        let newest = |limit: i32| {
            last(limit).reduce(|best, next| if next.date > best.date { next } else { best })
        };
        if let Some(found) = fresh.or_else(|| newest(limits.max_age_days)) {
            return found.mid((base, quote), on);
        }
        Err(match newest(i32::MAX) {
            Some(found) => NoRate::Stale {
                base,
                quote,
                date: found.date,
                source_name: found.history.source.name.clone(),
                age_days: found.date.days_until(on),
                limit_days: limits.max_age_days,
            },
            None => NoRate::NotQuoted { base, quote, on },
        })
    }
}

// === impl History ===

impl History {
    /// A source that has published nothing yet.
    #[must_use]
    pub const fn new(source: Source) -> Self {
        Self {
            source,
            days: BTreeMap::new(),
        }
    }

    /// The last day on or before `on`, at most `limit` days before it, that has both currencies.
    #[must_use]
    pub fn last(
        &self,
        (base, quote): (Currency, Currency),
        on: RateDate,
        limit: i32,
    ) -> Option<Found<'_>> {
        self.until(on)
            .take_while(|found| found.date.days_until(on) <= limit)
            .find(|found| found.rate(base).is_some() && found.rate(quote).is_some())
    }

    /// Days on or before `on`, newest first.
    pub fn until(&self, on: RateDate) -> impl Iterator<Item = Found<'_>> {
        self.days.range(..=on).rev().map(|(date, day)| Found {
            history: self,
            date: *date,
            day,
        })
    }

    /// The newest date.
    #[must_use]
    pub fn newest(&self) -> Option<RateDate> {
        self.days.last_key_value().map(|(date, _)| *date)
    }

    /// Rates of all days together.
    #[must_use]
    pub fn rate_count(&self) -> usize {
        self.days
            .values()
            .fold(0, |sum, day| sum.saturating_add(day.rates.len()))
    }
}

// === impl Found ===

impl Found<'_> {
    /// Units of a currency for one of the source's base.
    #[must_use]
    pub fn rate(&self, currency: Currency) -> Option<Rate> {
        if currency == self.history.source.base {
            return Some(Rate::ONE);
        }
        self.day.rates.get(&currency).copied()
    }

    /// The mid rate of a pair on this day.
    ///
    /// # Errors
    /// When the day does not have both currencies, or their quotient is no rate.
    pub fn mid(&self, (base, quote): (Currency, Currency), on: RateDate) -> Result<Mid, NoRate> {
        let missing = || NoRate::NotQuoted { base, quote, on };
        let from = self.rate(base).ok_or_else(missing)?;
        let to = self.rate(quote).ok_or_else(missing)?;
        let beyond = || NoRate::OutOfRange { base, quote };
        let home = self.history.source.base;
        Ok(Mid {
            base,
            quote,
            rate: Rate::triangulate(from, to, Rounding::HalfEven).map_err(|_| beyond())?,
            fraction: Fraction::between(from, to).ok_or_else(beyond)?,
            method: if base == home {
                Method::Direct
            } else if quote == home {
                Method::Inverse
            } else {
                Method::Cross
            },
            source: self.history.source.name.clone(),
            date: self.date,
            age_days: self.date.days_until(on),
            imported_at: self.day.imported_at,
        })
    }
}

#[cfg(test)]
mod tests;
