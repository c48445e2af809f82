//! Reading rates: one pair, one day, one pair's history, and the sources.

use std::sync::Arc;

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;

use super::App;
use crate::{
    domain::{Ask, Found, History, Mid, NoRate, Priced, RateDate, SourceName, price},
    error::Error,
};

/// Which rates are listed.
#[derive(Clone, Debug)]
pub(crate) struct ListRates {
    /// The best by priority when None.
    pub(crate) source: Option<SourceName>,
    /// The newest when None.
    pub(crate) date: Option<RateDate>,
    /// The source's when None.
    pub(crate) base: Option<Currency>,
    /// All when None; with both, the pair's history.
    pub(crate) quote: Option<Currency>,
    /// The last item of the page before.
    pub(crate) after: Option<Listed>,
    /// Items wanted.
    pub(crate) size: usize,
}

/// The key of a rate in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Of a day.
    Currency(Currency),
    /// Of a history.
    Date(RateDate),
}

/// Rates, and the key of the last one when there are more.
pub(crate) type Page = (Vec<Mid>, Option<Listed>);

// === impl App ===

impl App {
    /// The mid rate of a pair as of a moment (X3, X4).
    pub(crate) fn rate(
        &self,
        pair: (Currency, Currency),
        source: Option<&SourceName>,
        business_at: Option<Timestamp>,
    ) -> Result<Mid, Error> {
        let on = RateDate::of(business_at.unwrap_or_else(|| self.now()));
        Ok(self.book().mid(pair, source, on, self.config.limits())?)
    }

    /// What an exchange comes to, with the rate it is computed at (X1, X2).
    pub(crate) fn price(
        &self,
        ask: &Ask,
        business_at: Option<Timestamp>,
    ) -> Result<(Priced, Mid), Error> {
        let mid = self.rate(ask.pair(), None, business_at)?;
        let priced = price(ask, &mid, self.config.spread())?;
        Ok((priced, mid))
    }

    /// Sources in their order.
    pub(crate) fn sources(&self) -> Vec<Arc<History>> {
        self.book().histories().to_vec()
    }

    /// Rates of a day, or the history of a pair.
    pub(crate) fn list_rates(&self, wanted: &ListRates) -> Result<Page, Error> {
        let book = self.book();
        let candidates = book.candidates(wanted.source.as_ref())?;
        if let (Some(base), Some(quote)) = (wanted.base, wanted.quote) {
            return Ok(history_page(&candidates, (base, quote), wanted));
        }
        let until = |history: &'_ History| wanted.date.or_else(|| history.newest());
        let found = candidates.iter().find_map(|history| {
            let date = until(history)?;
            history.until(date).next()
        });
        match found {
            Some(found) => day_page(found, wanted),
            None => Ok((Vec::new(), None)),
        }
    }
}

/// A pair's rates, newest first, of the first source that has it.
fn history_page(candidates: &[&History], pair: (Currency, Currency), wanted: &ListRates) -> Page {
    let newest = |history: &History| wanted.date.or_else(|| history.newest());
    let first = candidates.iter().find_map(|history| {
        let until = newest(history)?;
        history
            .last(pair, until, i32::MAX)
            .map(|found| (found.history, until))
    });
    let Some((history, newest)) = first else {
        return (Vec::new(), None);
    };
    let after = match wanted.after {
        Some(Listed::Date(date)) => Some(date),
        Some(Listed::Currency(_)) | None => None,
    };
    let page = history
        .until(after.map_or(newest, |after| after.min(newest)))
        .filter(|found| after.is_none_or(|after| found.date < after))
        .filter_map(|found| found.mid(pair, found.date).ok())
        .take(wanted.size.saturating_add(1))
        .collect();
    cut(page, wanted.size, |mid| Listed::Date(mid.date))
}

/// Rates of one day, by code.
fn day_page(found: Found<'_>, wanted: &ListRates) -> Result<Page, Error> {
    let home = found.history.source.base;
    let base = wanted.base.unwrap_or(home);
    let on = wanted.date.unwrap_or(found.date);
    if found.rate(base).is_none() {
        let quote = wanted.quote.unwrap_or(home);
        return Err(NoRate::NotQuoted { base, quote, on }.into());
    }
    let mut currencies: Vec<Currency> = found.day.rates.keys().copied().collect();
    currencies.push(home);
    currencies.sort_unstable();
    let after = match wanted.after {
        Some(Listed::Currency(currency)) => Some(currency),
        Some(Listed::Date(_)) | None => None,
    };
    let page = currencies
        .into_iter()
        .filter(|currency| *currency != base)
        .filter(|currency| wanted.quote.is_none_or(|quote| *currency == quote))
        .filter(|currency| after.is_none_or(|after| *currency > after))
        .filter_map(|quote| found.mid((base, quote), on).ok())
        .take(wanted.size.saturating_add(1))
        .collect();
    Ok(cut(page, wanted.size, |mid| Listed::Currency(mid.quote)))
}

/// The first `size` items, and the key of the last one when there were more.
fn cut(mut page: Vec<Mid>, size: usize, key: impl Fn(&Mid) -> Listed) -> Page {
    let has_more = page.len() > size;
    page.truncate(size);
    let next = page.last().filter(|_| has_more).map(key);
    (page, next)
}
