//! Taking a publication in: what of it is new or changed, and what is refused.

use std::{collections::BTreeMap, sync::Arc};

use paymesh_kernel::Timestamp;
use paymesh_money::{Currency, Rate, Rounding};

use super::{Day, DayRates, History, RateDate};

/// A rate is compared with the one before it when that is at most so many days older.
const STEP_DAYS: i32 = 7;

/// What a source has published, read from one of its files or answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// What one unit of is priced.
    pub base: Currency,
    /// Rates by date; no day is empty.
    pub days: BTreeMap<RateDate, DayRates>,
}

/// Limits of an import.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// No rate may be for a later date; None for files that are part of the project.
    pub not_after: Option<RateDate>,
    /// Within a week no rate may move by more than this factor, up or down; 0 switches it off.
    pub largest_step: u32,
    /// Rates that one source may have.
    pub max_rates: usize,
}

/// What came of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Rates that were new or changed.
    pub count: u64,
    /// The first date of the publication.
    pub oldest: RateDate,
    /// Its last date.
    pub newest: RateDate,
}

/// What an import changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Days as they are afterwards, of those that change.
    pub days: BTreeMap<RateDate, Arc<Day>>,
    /// Rates that are new or changed.
    pub count: u64,
}

/// Why a publication is not taken in. Nothing of it is (X6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefused {
    /// Nothing in it.
    #[error("there is no rate of an active currency in it")]
    Empty,
    /// Two bases cannot be in one source.
    #[error("the rates are per {found}, those of this source are per {expected}")]
    OtherBase {
        /// Of the source.
        expected: Currency,
        /// Of the publication.
        found: Currency,
    },
    /// Nobody knows tomorrow's rates.
    #[error("it has rates for {date}, which is in the future")]
    Future {
        /// The latest date.
        date: RateDate,
    },
    /// Most likely a slip of the decimal point.
    #[error(
        "the rate of {currency} for {date} is {rate}, that of {before_date} is {before}: more than {factor} times apart"
    )]
    Implausible {
        /// Of which currency.
        currency: Currency,
        /// For which date.
        date: RateDate,
        /// The rate.
        rate: Rate,
        /// The one before.
        before: Rate,
        /// Of which date.
        before_date: RateDate,
        /// The limit.
        factor: u32,
    },
    /// The memory is bounded.
    #[error("with it the source would have more than {limit} rates")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

// === impl Publication ===

impl Publication {
    /// The first and the last date. None when it is empty.
    #[must_use]
    pub fn span(&self) -> Option<(RateDate, RateDate)> {
        let (first, _) = self.days.first_key_value()?;
        let (last, _) = self.days.last_key_value()?;
        Some((*first, *last))
    }
}

/// Compares a publication with what is known of its source.
///
/// # Errors
/// [`ImportRefused`].
pub fn merge(
    history: &History,
    publication: &Publication,
    bounds: Bounds,
    now: Timestamp,
) -> Result<Merge, ImportRefused> {
    let Some((_, last)) = publication.span() else {
        return Err(ImportRefused::Empty);
    };
    if publication.base != history.source.base {
        return Err(ImportRefused::OtherBase {
            expected: history.source.base,
            found: publication.base,
        });
    }
    if bounds.not_after.is_some_and(|limit| last > limit) {
        return Err(ImportRefused::Future { date: last });
    }
    let (mut days, mut count, mut added) = (BTreeMap::new(), 0_u64, 0_usize);
    for (date, published) in &publication.days {
        let known = history.days.get(date);
        let mut rates = known.map_or_else(DayRates::new, |day| day.rates.clone());
        let before = rates.len();
        let mut is_changed = false;
        for (currency, rate) in published {
            if rates.insert(*currency, *rate) != Some(*rate) {
                is_changed = true;
                count = count.saturating_add(1);
            }
        }
        if is_changed {
            added = added.saturating_add(rates.len().saturating_sub(before));
            let imported_at = now;
            days.insert(*date, Arc::new(Day { rates, imported_at }));
        }
    }
    if history.rate_count().saturating_add(added) > bounds.max_rates {
        return Err(ImportRefused::TooMany {
            limit: bounds.max_rates,
        });
    }
    check_steps(history, &days, bounds.largest_step)?;
    Ok(Merge { days, count })
}

/// Compares each changed day with the day before it and the day after it.
fn check_steps(
    history: &History,
    changed: &BTreeMap<RateDate, Arc<Day>>,
    factor: u32,
) -> Result<(), ImportRefused> {
    let (Some((first, _)), Some((end, _))) = (changed.first_key_value(), changed.last_key_value())
    else {
        return Ok(());
    };
    if factor == 0 {
        return Ok(());
    }
    let limit: Rate = factor
        .to_string()
        .parse()
        .expect("M11: a factor from 2 to 1000 is a rate");
    let is_near =
        |date: RateDate| date.days_until(*first) <= STEP_DAYS && end.days_until(date) <= STEP_DAYS;
    let known = history.days.iter().filter(|(date, _)| is_near(**date));
    let mut all: BTreeMap<RateDate, &Arc<Day>> = known.map(|(date, day)| (*date, day)).collect();
    all.extend(changed.iter().map(|(date, day)| (*date, day)));
    let mut last: BTreeMap<Currency, (RateDate, Rate)> = BTreeMap::new();
    for (date, day) in &all {
        for (currency, rate) in &day.rates {
            let before = last.insert(*currency, (*date, *rate));
            let Some((before_date, before)) =
                before.filter(|(before, _)| before.days_until(*date) <= STEP_DAYS)
            else {
                continue;
            };
            let is_ours = changed.contains_key(date) || changed.contains_key(&before_date);
            if is_ours && (is_beyond(before, *rate, limit) || is_beyond(*rate, before, limit)) {
                return Err(ImportRefused::Implausible {
                    currency: *currency,
                    date: *date,
                    rate: *rate,
                    before,
                    before_date,
                    factor,
                });
            }
        }
    }
    Ok(())
}

/// `large > small × factor`. A limit beyond the range of rates is not exceeded by any.
fn is_beyond(small: Rate, large: Rate, factor: Rate) -> bool {
    large > small
        && small
            .checked_mul(factor, Rounding::HalfEven)
            .is_ok_and(|limit| large > limit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use uuid::Uuid;

    use super::*;
    use crate::domain::{Source, SourceId};

    const BOUNDS: Bounds = Bounds {
        not_after: None,
        largest_step: 2,
        max_rates: 6,
    };

    fn publication(days: &[(&str, &[(&str, &str)])]) -> Publication {
        let days = days.iter().map(|(date, rates)| {
            let rates = rates
                .iter()
                .map(|(code, rate)| (code.parse().unwrap(), rate.parse().unwrap()));
            (date.parse().unwrap(), rates.collect())
        });
        Publication {
            base: Currency::EUR,
            days: days.collect(),
        }
    }

    fn history(days: &[(&str, &[(&str, &str)])]) -> History {
        let mut history = History::new(Source {
            id: SourceId::from(Uuid::from_u128(1)),
            name: "ecb".parse().unwrap(),
            base: Currency::EUR,
            version: 1,
            imported_at: Timestamp::EPOCH,
            created_at: Timestamp::EPOCH,
        });
        for (date, rates) in publication(days).days {
            let imported_at = Timestamp::EPOCH;
            history
                .days
                .insert(date, Arc::new(Day { rates, imported_at }));
        }
        history
    }

    fn now() -> Timestamp {
        Timestamp::from_micros(1)
    }

    #[test]
    fn x6_only_what_is_new_or_changed_counts_and_nothing_is_lost() {
        let known = history(&[("2026-01-05", &[("USD", "1.10"), ("JPY", "160")])]);
        let news = publication(&[
            ("2026-01-05", &[("USD", "1.11"), ("CHF", "0.93")]),
            ("2026-01-06", &[("USD", "1.12")]),
        ]);
        let merge = merge(&known, &news, BOUNDS, now()).unwrap();
        assert_eq!(merge.count, 3);
        let first = &merge.days[&"2026-01-05".parse().unwrap()];
        let rates: Vec<String> = first
            .rates
            .iter()
            .map(|(code, rate)| format!("{code} {rate}"))
            .collect();
        assert_eq!(rates, ["CHF 0.93", "JPY 160", "USD 1.11"]);
        let again = super::merge(
            &known,
            &publication(&[("2026-01-05", &[("JPY", "160")])]),
            BOUNDS,
            now(),
        );
        assert_eq!(
            again,
            Ok(Merge {
                days: BTreeMap::new(),
                count: 0
            }),
            "X6: the same again changes nothing"
        );
    }

    #[test]
    fn x6_a_publication_is_refused_whole() {
        let known = history(&[("2026-01-05", &[("USD", "1.10"), ("JPY", "160")])]);
        let refused = |news: &Publication, bounds| merge(&known, news, bounds, now()).unwrap_err();
        assert_eq!(refused(&publication(&[]), BOUNDS), ImportRefused::Empty);
        let mut other = publication(&[("2026-01-06", &[("JPY", "150")])]);
        other.base = Currency::USD;
        assert!(matches!(
            refused(&other, BOUNDS),
            ImportRefused::OtherBase { .. }
        ));
        let news = publication(&[("2026-01-06", &[("USD", "1.10")])]);
        let date = "2026-01-06".parse().unwrap();
        let today = Bounds {
            not_after: "2026-01-05".parse().ok(),
            ..BOUNDS
        };
        assert_eq!(refused(&news, today), ImportRefused::Future { date });
        let full = Bounds {
            max_rates: 2,
            ..BOUNDS
        };
        assert_eq!(refused(&news, full), ImportRefused::TooMany { limit: 2 });
    }

    #[test]
    fn a_slip_of_the_decimal_point_is_refused_in_both_directions() {
        let known = history(&[
            ("2026-01-05", &[("USD", "1.10")]),
            ("2026-01-09", &[("USD", "1.12")]),
        ]);
        for (date, rate, is_refused) in [
            ("2026-01-06", "11", true),
            ("2026-01-06", "0.11", true),
            ("2026-01-06", "2.2", false),
            ("2026-01-06", "2.25", true),
            ("2026-01-12", "2.25", true),
            ("2026-01-02", "2.21", true),
            // More than a week after the last one.
            ("2026-01-17", "11", false),
        ] {
            let news = publication(&[(date, &[("USD", rate)])]);
            let outcome = merge(&known, &news, BOUNDS, now());
            assert_eq!(
                matches!(outcome, Err(ImportRefused::Implausible { .. })),
                is_refused,
                "{date} {rate}: {outcome:?}"
            );
            let off = Bounds {
                largest_step: 0,
                ..BOUNDS
            };
            assert!(merge(&known, &news, off, now()).is_ok());
        }
    }
}
