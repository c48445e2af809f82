//! The date a rate is published for.

use std::{fmt, str::FromStr};

use paymesh_kernel::Timestamp;
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};

const FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// Letters of `2026-01-31`.
const LENGTH: usize = 10;

/// A calendar date, read and written as `2026-01-31`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateDate(Date);

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as 2026-01-31")]
pub struct DateError;

// === impl RateDate ===

impl RateDate {
    /// The business date of a moment: its calendar date in UTC.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.date())
    }

    /// The day after; the last date of the calendar stays.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.next_day().unwrap_or(self.0))
    }

    /// Days from this date to `later`; negative when it is earlier.
    #[must_use]
    pub fn days_until(self, later: Self) -> i32 {
        later
            .0
            .to_julian_day()
            .saturating_sub(self.0.to_julian_day())
    }
}

impl From<Date> for RateDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl FromStr for RateDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        if text.len() != LENGTH {
            return Err(DateError);
        }
        Date::parse(text, FORMAT).map(Self).map_err(|_| DateError)
    }
}

impl fmt::Display for RateDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(FORMAT).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for RateDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_their_text_and_nothing_else_is_read() {
        for text in ["1999-01-04", "2024-02-29", "2026-10-30"] {
            let read = text.parse::<RateDate>().map(|date| date.to_string());
            assert_eq!(read.as_deref(), Ok(text));
        }
        for text in [
            "",
            "2026-02-29",
            "26-01-01",
            "2026-1-1",
            "+026-01-01",
            "2026-01-01Z",
        ] {
            assert_eq!(text.parse::<RateDate>(), Err(DateError), "{text}");
        }
    }

    #[test]
    fn days_are_counted_over_months_and_in_both_directions() {
        let date = |text: &str| text.parse::<RateDate>().expect("a date");
        let (friday, monday) = (date("2026-01-30"), date("2026-02-02"));
        assert_eq!(friday.days_until(monday), 3);
        assert_eq!(monday.days_until(friday), -3);
        assert_eq!(friday.next(), date("2026-01-31"));
    }
}
