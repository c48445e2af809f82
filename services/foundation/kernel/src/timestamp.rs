//! A moment, in microseconds since 1970-01-01T00:00:00Z.
//!
//! One integer form in databases, protos and code: it sorts and compares the same on SQLite and PostgreSQL, and loses nothing on
//! the way. It is shown to people as RFC 3339.

use std::{fmt, time::Duration};

use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Microseconds in one day without leap seconds.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// Microseconds since the epoch, UTC. Serialised as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The moment `after` this one; the far end of time when it would overflow.
    #[must_use]
    pub fn plus(self, after: Duration) -> Self {
        Self(self.0.saturating_add(micros(after)))
    }

    /// The moment `before` this one.
    #[must_use]
    pub fn minus(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(micros(before)))
    }

    /// Time since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole days since the epoch: the business date in UTC.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY_MICROS)
    }

    /// The first moment of the given day since the epoch.
    #[must_use]
    pub const fn from_day(day: i64) -> Self {
        Self(day.saturating_mul(DAY_MICROS))
    }

    /// The calendar date in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        self.to_offset().date()
    }

    /// Parses RFC 3339; any offset, read as the same moment in UTC.
    ///
    /// # Errors
    /// When the text is not RFC 3339.
    pub fn parse(text: &str) -> Result<Self, ParseTimestampError> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000))
            .map(Self)
            .map_err(|_| ParseTimestampError)
    }

    fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0).saturating_mul(1_000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(UtcOffset::UTC)
    }
}

/// The text is not a moment in RFC 3339, such as `2026-01-31T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment in RFC 3339, such as 2026-01-31T12:00:00Z")]
pub struct ParseTimestampError;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_offset().format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_its_text_to_the_microsecond() {
        let moment = Timestamp::from_micros(1_789_000_000_123_456);
        assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment);
    }

    #[test]
    fn an_offset_is_read_as_the_same_moment() {
        let utc = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
        assert_eq!(Timestamp::parse("2026-01-31T13:00:00+01:00").unwrap(), utc);
        assert_eq!(
            Timestamp::from_day(utc.day()).to_string(),
            "2026-01-31T00:00:00Z"
        );
    }
}
