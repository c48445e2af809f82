//! When a schedule is due: in UTC, at a minute of the hour or the day.

use std::time::Duration;

use paymesh_kernel::Timestamp;
use time::{Date, Month, Weekday};

use super::words::words;

/// Minutes of a day.
const DAY_MINUTES: i32 = 1_440;
/// Minutes of an hour.
const HOUR_MINUTES: i32 = 60;
const HOUR_MICROS: i64 = 3_600_000_000;
const MINUTE_MICROS: i64 = 60_000_000;

words! {
    /// How often a schedule runs.
    Cadence {
        /// Each hour.
        Hourly = "hourly",
        /// Each day.
        Daily = "daily",
        /// On Mondays.
        Weekly = "weekly",
        /// On the first.
        Monthly = "monthly",
    }
}

/// A cadence with its minute, which is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    cadence: Cadence,
    minute: i32,
}

// === impl Cadence ===

impl Cadence {
    /// The cadence at a minute of the day, or of the hour for an hourly one; None when there is no such minute.
    pub(crate) fn at(self, minute: i32) -> Option<Beat> {
        let end = match self {
            Self::Hourly => HOUR_MINUTES,
            Self::Daily | Self::Weekly | Self::Monthly => DAY_MINUTES,
        };
        let cadence = self;
        (0..end)
            .contains(&minute)
            .then_some(Beat { cadence, minute })
    }
}

// === impl Beat ===

impl Beat {
    pub(crate) const fn cadence(self) -> Cadence {
        self.cadence
    }

    pub(crate) const fn minute(self) -> i32 {
        self.minute
    }

    /// The last due time at or before `now`.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        let shift = Duration::from_micros(
            u64::try_from(i64::from(self.minute).saturating_mul(MINUTE_MICROS)).unwrap_or(0),
        );
        // Seen from the minute, every due time is the begin of an hour, a day, a week or a month.
        self.begin_of(now.minus(shift)).plus(shift)
    }

    /// The first due time after `now`.
    pub(crate) fn after(self, now: Timestamp) -> Timestamp {
        let mut ahead = self.before(now);
        // A month and a day are more than any month has, and reach into the next one only.
        let step = match self.cadence {
            Cadence::Hourly => Duration::from_secs(3_600),
            Cadence::Daily => Duration::from_secs(86_400),
            Cadence::Weekly => Duration::from_secs(7 * 86_400),
            Cadence::Monthly => Duration::from_secs(32 * 86_400),
        };
        ahead = ahead.plus(step);
        self.before(ahead)
    }

    fn begin_of(self, moment: Timestamp) -> Timestamp {
        let date = moment.date();
        match self.cadence {
            Cadence::Hourly => {
                let hour = moment.as_micros().div_euclid(HOUR_MICROS);
                Timestamp::from_micros(hour.saturating_mul(HOUR_MICROS))
            }
            Cadence::Daily => Timestamp::from_day(moment.day()),
            Cadence::Weekly => {
                let days = i64::from(date.weekday().number_days_from_monday());
                debug_assert!(days > 0 || date.weekday() == Weekday::Monday);
                Timestamp::from_day(moment.day().saturating_sub(days))
            }
            Cadence::Monthly => {
                let days = i64::from(date.day()).saturating_sub(1);
                Timestamp::from_day(moment.day().saturating_sub(days))
            }
        }
    }
}

/// The day as files show it: `2026-01-31`.
pub(crate) fn day_text(day: i64) -> String {
    let date: Date = Timestamp::from_day(day).date();
    let month: Month = date.month();
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(month),
        date.day()
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// Cadence, minute, now, the due time before and the one after.
    const CALENDAR: &str = "
        hourly  15   2026-01-15T12:00:00Z 2026-01-15T11:15:00Z 2026-01-15T12:15:00Z
        hourly  0    2026-01-15T12:00:00Z 2026-01-15T12:00:00Z 2026-01-15T13:00:00Z
        daily   0    2026-01-15T12:00:00Z 2026-01-15T00:00:00Z 2026-01-16T00:00:00Z
        daily   1439 2026-01-15T12:00:00Z 2026-01-14T23:59:00Z 2026-01-15T23:59:00Z
        weekly  60   2026-01-15T12:00:00Z 2026-01-12T01:00:00Z 2026-01-19T01:00:00Z
        weekly  60   2026-01-19T00:59:59Z 2026-01-12T01:00:00Z 2026-01-19T01:00:00Z
        monthly 0    2026-02-28T23:59:59Z 2026-02-01T00:00:00Z 2026-03-01T00:00:00Z
        monthly 720  2028-02-01T11:59:59Z 2028-01-01T12:00:00Z 2028-02-01T12:00:00Z
        monthly 1439 2026-01-31T23:59:00Z 2026-01-01T23:59:00Z 2026-02-01T23:59:00Z
        monthly 0    2026-12-31T00:00:00Z 2026-12-01T00:00:00Z 2027-01-01T00:00:00Z
    ";

    #[test]
    fn p3_due_times_are_those_of_the_calendar() {
        for line in CALENDAR.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let beat = Cadence::parse(words[0])
                .unwrap()
                .at(words[1].parse().unwrap())
                .unwrap();
            assert_eq!(beat.before(at(words[2])).to_string(), words[3], "{line}");
            assert_eq!(beat.after(at(words[2])).to_string(), words[4], "{line}");
        }
    }

    #[test]
    fn minutes_that_do_not_exist_are_refused() {
        assert_eq!(Cadence::Hourly.at(60), None);
        assert_eq!(Cadence::Daily.at(1_440), None);
        assert_eq!(Cadence::Daily.at(-1), None);
    }

    proptest! {
        #[test]
        fn p3_due_times_follow_each_other_without_gap_or_overlap(
            index in 0_usize..4, minute in 0_i32..60, now in 0_i64..4_000_000_000_000_000,
        ) {
            let now = Timestamp::from_micros(now);
            let beat = Cadence::ALL[index].at(minute).unwrap();
            let (before, after) = (beat.before(now), beat.after(now));
            prop_assert!(before <= now && now < after);
            prop_assert_eq!(beat.before(after), after);
            prop_assert_eq!(beat.after(before), after);
        }
    }
}
