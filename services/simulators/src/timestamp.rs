//! Points in time and business days as the simulators keep them.
//!
//! Inside, time is microseconds since the Unix epoch in UTC, as the caller's clock gives it; outside, and in the journal, it is
//! an RFC 3339 text. A business day is a UTC calendar date.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

const MICROS_PER_MS: i64 = 1_000;
/// 9999-12-31T23:59:59Z, the last moment RFC 3339 can write.
const LAST_MICROS: i64 = 253_402_300_799_000_000;

/// Where a simulator gets the time: microseconds since the Unix epoch, UTC.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

/// A point in time, microseconds since the Unix epoch, between 1970 and 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(i64);

/// A business day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(Date);

// === impl Clock ===

impl Clock {
    /// Wraps a source of microseconds since the Unix epoch.
    pub fn new(source: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros((self.0)())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

// === impl Timestamp ===

impl Timestamp {
    pub(crate) fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(0, LAST_MICROS))
    }

    pub(crate) fn micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 text; `None` when it is not one or lies outside 1970–9999.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let micros = i64::try_from(moment.unix_timestamp_nanos() / 1_000).ok()?;
        (0..=LAST_MICROS).contains(&micros).then_some(Self(micros))
    }

    pub(crate) fn plus_ms(self, ms: u64) -> Self {
        let ms = i64::try_from(ms).unwrap_or(LAST_MICROS);
        Self::from_micros(self.0.saturating_add(ms.saturating_mul(MICROS_PER_MS)))
    }

    /// How long until `self` from `now`; zero when it has passed.
    pub(crate) fn after(self, now: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(now.0)).unwrap_or(0))
    }

    pub(crate) fn unix_seconds(self) -> i64 {
        self.0 / (MICROS_PER_MS * 1_000)
    }

    pub(crate) fn day(self) -> Day {
        Day(self.moment().date())
    }

    fn moment(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .expect("the constructor keeps the range of years")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.moment().format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom("expected an RFC 3339 time between 1970 and 9999"))
    }
}

// === impl Day ===

impl Day {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
        (1970..=9999).contains(&day.year()).then_some(Self(day))
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0.next_day().unwrap_or(self.0))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            u8::from(self.0.month()),
            self.0.day()
        )
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected a date as YYYY-MM-DD"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_text_and_back_to_the_microsecond() {
        for micros in [0, 1, 1_763_739_000_123_456, LAST_MICROS] {
            let moment = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        }
    }

    #[test]
    fn a_day_is_the_utc_date_of_a_time() {
        let day = Timestamp::parse("2026-03-01T00:30:00+01:00").map(Timestamp::day);
        assert_eq!(day, Day::parse("2026-02-28"));
        assert_eq!(
            day.map(|day| day.next().to_string()),
            Some("2026-03-01".to_owned())
        );
    }

    #[test]
    fn what_is_no_time_or_date_is_refused() {
        assert_eq!(Timestamp::parse("2026-03-01"), None);
        assert_eq!(Timestamp::parse("1969-12-31T23:59:59Z"), None);
        assert_eq!(Day::parse("2026-02-30"), None);
    }
}
