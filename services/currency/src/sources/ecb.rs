//! The European Central Bank: euro foreign exchange reference rates, each TARGET business day at about 16:00 CET. No key.
//!
//! The smallest of its XML files that closes the gap is asked for: the day's, the last 90 days', or all since 1999.

use futures::future::BoxFuture;

use super::{Http, RateSource, SourceError, http::send};
use crate::{
    domain::{Publication, RateDate},
    formats::ecb_xml,
};

const DAY: &str = "eurofxref-daily.xml";
const LAST_90_DAYS: &str = "eurofxref-hist-90d.xml";
const ALL: &str = "eurofxref-hist.xml";
/// The file of 90 days leaves room for the day on which it is made.
const LAST_90_DAYS_REACH: i32 = 85;

/// The ECB.
#[derive(Clone, Debug)]
pub(super) struct Ecb {
    http: Http,
    url: String,
}

// === impl Ecb ===

impl Ecb {
    /// Files are below `url`.
    pub(super) fn new(http: Http, url: &str) -> Self {
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
        }
    }
}

impl RateSource for Ecb {
    fn fetch(
        &self,
        newest: Option<RateDate>,
        today: RateDate,
    ) -> BoxFuture<'_, Result<Publication, SourceError>> {
        Box::pin(async move {
            let url = format!("{}/{}", self.url, file(newest, today));
            let content = send(self.http.get(&url)).await?;
            Ok(ecb_xml::read(&content)?)
        })
    }
}

fn file(newest: Option<RateDate>, today: RateDate) -> &'static str {
    match newest.map(|newest| newest.days_until(today)) {
        Some(gap) if gap <= 1 => DAY,
        Some(gap) if gap <= LAST_90_DAYS_REACH => LAST_90_DAYS,
        Some(_) => ALL,
        None => LAST_90_DAYS,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_smallest_file_that_closes_the_gap_is_asked_for() {
        let today = "2026-11-20".parse().unwrap();
        for (newest, expected) in [
            (None, LAST_90_DAYS),
            (Some("2026-11-20"), DAY),
            (Some("2026-11-19"), DAY),
            (Some("2026-11-17"), LAST_90_DAYS),
            (Some("2026-08-27"), LAST_90_DAYS),
            (Some("2026-08-26"), ALL),
            (Some("2018-09-28"), ALL),
            (Some("2026-12-01"), DAY),
        ] {
            let newest = newest.map(|date| date.parse().unwrap());
            assert_eq!(file(newest, today), expected, "{newest:?}");
        }
    }
}
