//! Checking requests field by field, so that a caller learns of every violation at once.

use std::{borrow::Cow, fmt::Display, str::FromStr, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paymesh_kernel::{FieldViolation, Timestamp, id::reexport::Uuid};
use paymesh_proto::{
    reporting::v1 as wire,
    types::v1::{Page, PageInfo, TimeRange},
};

use crate::{
    convert,
    domain::{RunId, ScheduleId, Span, cadence::Beat},
    error::Error,
    store::runs::Place,
};

/// Items of a page when nothing is said.
const PAGE_DEFAULT: u64 = 50;
/// Items of a page at most.
const PAGE_MAX: u64 = 500;
/// Longest name, in characters.
const NAME_LIMIT: usize = 200;
/// Longest wait for an end, in milliseconds.
const WAIT_LIMIT_MS: i32 = 30_000;

/// Violations found so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    violations: Vec<FieldViolation>,
}

/// Where a list goes on, and for how long.
pub(super) struct Asked<K> {
    pub(super) after: Option<K>,
    pub(super) limit: u64,
}

/// What a token of a list holds.
pub(super) trait Key: Sized {
    fn print(&self) -> Vec<u8>;
    fn read(bytes: Vec<u8>) -> Option<Self>;
}

impl Key for String {
    fn print(&self) -> Vec<u8> {
        self.clone().into_bytes()
    }

    fn read(bytes: Vec<u8>) -> Option<Self> {
        Self::from_utf8(bytes).ok()
    }
}

impl Key for ScheduleId {
    fn print(&self) -> Vec<u8> {
        self.as_uuid().as_bytes().to_vec()
    }

    fn read(bytes: Vec<u8>) -> Option<Self> {
        Some(Uuid::from_bytes(bytes.try_into().ok()?).into())
    }
}

impl Key for Place {
    fn print(&self) -> Vec<u8> {
        let mut bytes = self.0.as_micros().to_be_bytes().to_vec();
        bytes.extend_from_slice(self.1.as_uuid().as_bytes());
        bytes
    }

    fn read(bytes: Vec<u8>) -> Option<Self> {
        let (at, id) = bytes.split_first_chunk::<8>()?;
        let id: [u8; 16] = id.try_into().ok()?;
        let at = Timestamp::from_micros(i64::from_be_bytes(*at));
        Some((at, RunId::from(Uuid::from_bytes(id))))
    }
}

// === impl Fields ===

impl Fields {
    /// The error of all violations.
    pub(super) fn error(&mut self) -> Error {
        Error::Invalid(std::mem::take(&mut self.violations))
    }

    /// The error of all violations, if there is any.
    pub(super) fn done(&mut self) -> Result<(), Error> {
        if self.violations.is_empty() {
            return Ok(());
        }
        Err(self.error())
    }

    /// What is parsed, or a violation.
    pub(super) fn parse<T: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }

    /// The same for a field that may be empty.
    pub(super) fn maybe<T: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<T> {
        if text.is_empty() {
            None
        } else {
            self.parse(field, text)
        }
    }

    /// What a word of the contract means, or a violation.
    pub(super) fn needed<T>(&mut self, field: &'static str, read: Option<T>) -> Option<T> {
        if read.is_none() {
            return self.refuse(field, "must be one of the words of the contract");
        }
        read
    }

    /// A name: 1 to 200 characters without control characters.
    pub(super) fn name(&mut self, field: &'static str, text: &str) -> Option<String> {
        let text = text.trim();
        let is_name = !text.is_empty()
            && text.chars().count() <= NAME_LIMIT
            && !text.chars().any(char::is_control);
        if is_name {
            Some(text.to_owned())
        } else {
            self.refuse(
                field,
                "must be 1 to 200 characters, none of them a control character",
            )
        }
    }

    /// A version that was read; 0 is any.
    pub(super) fn version(&mut self, field: &'static str, version: u64) -> Option<i64> {
        match i64::try_from(version) {
            Ok(0) => None,
            Ok(version) => Some(version),
            Err(_) => self.refuse(field, "must be a version that was read, or 0 for any"),
        }
    }

    /// A cadence with its minute.
    pub(super) fn beat(&mut self, cadence: wire::Cadence, minute: i32) -> Option<Beat> {
        let cadence = self.needed("cadence", convert::read_cadence(cadence))?;
        let beat = cadence.at(minute);
        if beat.is_none() {
            let rule = "must be 0 to 1439, or 0 to 59 for an hourly schedule";
            return self.refuse("minute_of_day", rule);
        }
        beat
    }

    /// A span of time.
    pub(super) fn span(&mut self, range: Option<TimeRange>) -> Option<Span> {
        let range = range.unwrap_or_default();
        let from = self.moment("range.from_at_us", range.from_at_us)?;
        let until = self.moment("range.until_at_us", range.until_at_us)?;
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return self.refuse("range.until_at_us", "must be after range.from_at_us");
        }
        Some(Span { from, until })
    }

    fn moment(&mut self, field: &'static str, at_us: i64) -> Option<Option<Timestamp>> {
        match at_us {
            ..=-1 => self.refuse(field, "must not be below 0; 0 is no limit"),
            0 => Some(None),
            1.. => Some(Some(Timestamp::from_micros(at_us))),
        }
    }

    /// How long to wait.
    pub(super) fn wait(&mut self, field: &'static str, wait_ms: i32) -> Option<Duration> {
        if !(0..=WAIT_LIMIT_MS).contains(&wait_ms) {
            return self.refuse(field, format!("must be 0 to {WAIT_LIMIT_MS}"));
        }
        let wait_ms = u64::try_from(wait_ms).unwrap_or(0);
        Some(Duration::from_millis(wait_ms))
    }

    /// The page of a list.
    pub(super) fn page<K: Key>(&mut self, page: Option<Page>) -> Option<Asked<K>> {
        let page = page.unwrap_or_default();
        let limit = match u64::try_from(page.size) {
            Ok(0) => PAGE_DEFAULT,
            Ok(size) if size <= PAGE_MAX => size,
            Ok(_) | Err(_) => {
                return self.refuse("page.size", "must be 1 to 500, or 0 for 50");
            }
        };
        if page.token.is_empty() {
            return Some(Asked { after: None, limit });
        }
        let bytes = URL_SAFE_NO_PAD.decode(page.token).ok();
        let after = bytes.and_then(K::read);
        if after.is_none() {
            return self.refuse("page.token", "must be the next_token of the page before");
        }
        Some(Asked { after, limit })
    }

    /// Violations that were found elsewhere.
    pub(super) fn append(&mut self, violations: Vec<FieldViolation>) {
        self.violations.extend(violations);
    }

    fn refuse<T>(&mut self, field: &'static str, rule: impl Into<Cow<'static, str>>) -> Option<T> {
        self.violations.push(FieldViolation::new(field, rule));
        None
    }
}

/// How one more item than a page holds is asked for, so that the last page is known to be the last.
impl<K> Asked<K> {
    pub(super) fn one_more(self) -> (Option<K>, u64) {
        (self.after, self.limit.saturating_add(1))
    }
}

/// Cuts the item off that was one too many, and says where the list goes on.
pub(super) fn cut<T, K: Key>(items: &mut Vec<T>, limit: u64, key: impl Fn(&T) -> K) -> PageInfo {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| has_more);
    PageInfo {
        next_token: last.map_or_else(String::new, |last| {
            URL_SAFE_NO_PAD.encode(key(last).print())
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_were_and_others_are_refused() {
        let place: Place = (Timestamp::from_micros(-5), RunId::from(Uuid::from_u128(7)));
        assert_eq!(Place::read(place.print()).unwrap(), place);
        assert_eq!(Place::read(vec![1; 23]), None);
        assert_eq!(ScheduleId::read(vec![1; 15]), None);
        assert_eq!(String::read(vec![0xff]), None);
    }

    #[test]
    fn spans_and_waits_have_limits() {
        let mut fields = Fields::default();
        let range = |from_at_us, until_at_us| {
            Some(TimeRange {
                from_at_us,
                until_at_us,
            })
        };
        assert_eq!(fields.span(None), Some(Span::default()));
        assert!(fields.span(range(1, 2)).is_some());
        assert!(fields.span(range(2, 0)).is_some());
        assert!(fields.done().is_ok());
        assert_eq!(fields.span(range(2, 2)), None);
        assert_eq!(fields.span(range(-1, 2)), None);
        assert_eq!(fields.wait("wait_ms", 30_001), None);
        let Error::Invalid(violations) = fields.error() else {
            return;
        };
        let names: Vec<&str> = violations.iter().map(|wrong| &*wrong.field).collect();
        assert_eq!(names, ["range.until_at_us", "range.from_at_us", "wait_ms"]);
    }
}
