//! Checking requests field by field, so that a caller learns of every violation at once.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paymesh_kernel::{FieldViolation, Timestamp, id::reexport::Uuid};
use paymesh_money::{Amount, Currency};
use paymesh_proto::types::v1::{Money, Page, TimeRange};

use crate::{
    error::Error,
    store::{Cut, Place, Range},
};

/// Items of a page when nothing is said.
const PAGE_DEFAULT: u64 = 20;
/// Items of a page at most.
const PAGE_MAX: u64 = 100;
/// Longest id or fingerprint, in characters.
const WORD_LIMIT: usize = 128;
/// Longest kind of a transaction.
const KIND_LIMIT: usize = 32;
/// The year 9999 ends here.
const LAST_MOMENT_US: i64 = 253_402_300_799_999_999;
/// Bytes of a moment in a page's token.
const MOMENT_BYTES: usize = 8;

type Field = Cow<'static, str>;

/// Violations found so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    violations: Vec<FieldViolation>,
}

// === impl Fields ===

impl Fields {
    /// The value, when nothing is wrong; else all violations.
    pub(super) fn done<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            Some(_) | None => Err(Error::Invalid(self.violations)),
        }
    }

    /// A violation.
    pub(super) fn refuse<T>(
        &mut self,
        field: impl Into<Field>,
        rule: impl Into<Field>,
    ) -> Option<T> {
        self.violations.push(FieldViolation::new(field, rule));
        None
    }

    /// What is parsed, or a violation.
    pub(super) fn parse<T: FromStr<Err: Display>>(
        &mut self,
        field: impl Into<Field>,
        text: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }

    /// An id of anybody's: 1 to 128 visible ASCII characters.
    pub(super) fn word(&mut self, field: impl Into<Field>, text: &str) -> Option<String> {
        if text.is_empty() {
            return self.refuse(field, "must be 1 to 128 visible ASCII characters");
        }
        self.maybe_word(field, text)
    }

    /// The same, or empty.
    pub(super) fn maybe_word(&mut self, field: impl Into<Field>, text: &str) -> Option<String> {
        if text.len() <= WORD_LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Some(text.to_owned())
        } else {
            self.refuse(field, "must be at most 128 visible ASCII characters")
        }
    }

    /// The kind of a transaction: lower-case letters and underscores.
    pub(super) fn kind(&mut self, field: &'static str, text: &str) -> Option<String> {
        let is_kind = (1..=KIND_LIMIT).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_kind {
            Some(text.to_owned())
        } else {
            self.refuse(
                field,
                "must be 1 to 32 lower-case letters or underscores, such as purchase",
            )
        }
    }

    /// A country, or empty.
    pub(super) fn maybe_country(&mut self, field: impl Into<Field>, text: &str) -> Option<String> {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if text.is_empty() || is_code {
            Some(text.to_owned())
        } else {
            self.refuse(
                field,
                "must be an ISO 3166-1 alpha-2 code in upper case, such as DE",
            )
        }
    }

    /// Text for people: at most `limit` characters, none of them a control character.
    pub(super) fn text(
        &mut self,
        field: &'static str,
        text: &str,
        limits: std::ops::RangeInclusive<usize>,
    ) -> Option<String> {
        let length = text.chars().count();
        if limits.contains(&length) && !text.chars().any(char::is_control) {
            Some(text.to_owned())
        } else {
            let rule = format!(
                "must be {} to {} characters, none of them a control character",
                limits.start(),
                limits.end()
            );
            self.refuse(field, rule)
        }
    }

    /// An amount that is paid.
    pub(super) fn amount(&mut self, field: &str, money: Option<&Money>) -> Option<Amount> {
        let Some(money) = money else {
            return self.refuse(field.to_owned(), "must be set");
        };
        let currency: Currency = self.parse(format!("{field}.currency"), &money.currency)?;
        match Amount::try_new(money.minor, currency) {
            Ok(amount) => Some(amount),
            Err(error) => self.refuse(format!("{field}.minor"), error.to_string()),
        }
    }

    /// A moment that must be there.
    pub(super) fn moment(&mut self, field: impl Into<Field>, at_us: i64) -> Option<Timestamp> {
        if (1..=LAST_MOMENT_US).contains(&at_us) {
            Some(Timestamp::from_micros(at_us))
        } else {
            self.refuse(field, "must be a moment between 1970 and 9999")
        }
    }

    /// A moment, or zero for none.
    #[allow(clippy::option_option, reason = "a violation, no moment, or a moment")]
    pub(super) fn maybe_moment(
        &mut self,
        field: impl Into<Field>,
        at_us: i64,
    ) -> Option<Option<Timestamp>> {
        if at_us == 0 {
            return Some(None);
        }
        self.moment(field, at_us).map(Some)
    }

    /// A span of business time, without limits where it is zero.
    pub(super) fn range(&mut self, range: Option<&TimeRange>) -> Option<Range> {
        let (from, until) = range.map_or((0, 0), |range| (range.from_at_us, range.until_at_us));
        let from = self.maybe_moment("from", from);
        let until = self.maybe_moment("until", until);
        let (from, until) = (from?, until?);
        if from.is_some() && until.is_some() && from >= until {
            return self.refuse("until", "must be later than from");
        }
        Some(Range {
            from_us: from.map(Timestamp::as_micros),
            until_us: until.map(Timestamp::as_micros),
        })
    }

    /// The page of a list.
    pub(super) fn page(&mut self, page: Option<&Page>) -> Option<Cut> {
        let (size, token) = page.map_or((0, ""), |page| (page.size, page.token.as_str()));
        let limit = match u64::try_from(size) {
            Ok(0) => PAGE_DEFAULT,
            Ok(size) if size <= PAGE_MAX => size,
            Ok(_) | Err(_) => return self.refuse("page.size", "must be 1 to 100, or 0 for 20"),
        };
        if token.is_empty() {
            return Some(Cut { from: None, limit });
        }
        let from = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| read_place(&bytes));
        if from.is_none() {
            return self.refuse("page.token", "must be the next_token of the page before");
        }
        Some(Cut { from, limit })
    }
}

/// The token of the page after the one that ends with `last`.
pub(super) fn next_token(last: Option<Place>, count: usize, limit: u64) -> String {
    let is_full = u64::try_from(count).is_ok_and(|count| count >= limit);
    last.filter(|_| is_full).map_or_else(String::new, |place| {
        let mut bytes = place.at.to_be_bytes().to_vec();
        bytes.extend_from_slice(place.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    })
}

fn read_place(bytes: &[u8]) -> Option<Place> {
    let (at, id) = bytes.split_at_checked(MOMENT_BYTES)?;
    Some(Place {
        at: i64::from_be_bytes(at.try_into().ok()?),
        id: Uuid::from_slice(id).ok()?,
    })
}
