//! Checking requests field by field, so that a caller learns of every violation at once.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paymesh_kernel::{FieldViolation, Timestamp, id::TenantId};
use paymesh_money::{Currency, Money};
use paymesh_proto::types::v1 as types;
use uuid::Uuid;

use crate::{
    clients::moment,
    domain::payout::{Owner, OwnerKind},
    error::Error,
    store::{Between, Wanted},
};

/// Items of a page when nothing is said.
const PAGE_DEFAULT: u64 = 20;
/// Items of a page at most.
const PAGE_MAX: u64 = 100;
/// Largest payout, in minor units.
const AMOUNT_LIMIT: i64 = 999_999_999_999;

/// Violations found so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    violations: Vec<FieldViolation>,
}

// === impl Fields ===

impl Fields {
    /// The error of all violations, if there is any.
    pub(super) fn done(&mut self) -> Result<(), Error> {
        if self.violations.is_empty() {
            return Ok(());
        }
        Err(self.error())
    }

    /// The error of all violations.
    pub(super) fn error(&mut self) -> Error {
        Error::Invalid(std::mem::take(&mut self.violations))
    }

    /// A violation.
    pub(super) fn refuse<T>(
        &mut self,
        field: &'static str,
        rule: impl Into<Cow<'static, str>>,
    ) -> Option<T> {
        self.violations.push(FieldViolation::new(field, rule));
        None
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

    /// A word of ours: a connector, a bank, a token. May be empty.
    pub(super) fn token(
        &mut self,
        field: &'static str,
        text: &str,
        limit: usize,
    ) -> Option<String> {
        let is_token = text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_token {
            return Some(text.to_owned());
        }
        let rule = format!("must be at most {limit} visible ASCII characters");
        self.refuse(field, rule)
    }

    /// A name of a connector or bank, as accounts are named by it.
    pub(super) fn source(&mut self, field: &'static str, text: &str) -> Option<String> {
        let is_name = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if is_name {
            return Some(text.to_owned());
        }
        self.refuse(field, "must be 1 to 64 characters of a-z, 0-9, - and _")
    }

    /// Text for people.
    pub(super) fn note(&mut self, field: &'static str, text: &str, limit: usize) -> Option<String> {
        let is_note =
            text.chars().count() <= limit && !text.chars().any(|c| c.is_control() && c != '\n');
        if is_note {
            return Some(text.to_owned());
        }
        let rule = format!("must be at most {limit} characters, none of them a control character");
        self.refuse(field, rule)
    }

    /// Who is paid.
    pub(super) fn owner(
        &mut self,
        field: &'static str,
        owner: Option<&types::Owner>,
    ) -> Option<Owner> {
        let Some(owner) = owner else {
            return self.refuse(field, "is needed");
        };
        let kind = match owner.kind() {
            types::OwnerKind::User => OwnerKind::User,
            types::OwnerKind::Merchant => OwnerKind::Merchant,
            types::OwnerKind::Unspecified
            | types::OwnerKind::Tenant
            | types::OwnerKind::Connector => {
                return self.refuse(field, "must be a user or a merchant");
            }
        };
        let is_id = match kind {
            OwnerKind::User => owner.id.parse::<paymesh_kernel::id::UserId>().is_ok(),
            OwnerKind::Merchant => owner.id.parse::<paymesh_kernel::id::MerchantId>().is_ok(),
        };
        if !is_id {
            return self.refuse(field, "must have an id of its kind");
        }
        Some(Owner {
            kind,
            id: owner.id.clone(),
        })
    }

    /// An amount above zero in a currency that is named beside it.
    pub(super) fn amount(
        &mut self,
        [minor_field, currency_field]: [&'static str; 2],
        amount: &types::Money,
        currency: Option<Currency>,
    ) -> Option<Money> {
        let own: Option<Currency> = self.parse(currency_field, &amount.currency);
        if !(1..=AMOUNT_LIMIT).contains(&amount.minor) {
            let rule = format!("must be 1 to {AMOUNT_LIMIT} minor units");
            return self.refuse(minor_field, rule);
        }
        if own.is_some() && currency.is_some() && own != currency {
            return self.refuse(currency_field, "must be the currency of the payout");
        }
        Some(Money::new(amount.minor, own?))
    }

    /// A span that may be open at both ends.
    pub(super) fn between(
        &mut self,
        field: &'static str,
        range: Option<&types::TimeRange>,
    ) -> Between {
        let (from, until) = range.map_or((0, 0), |range| (range.from_at_us, range.until_at_us));
        let (from, until) = (moment(from), moment(until));
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            self.refuse::<()>(field, "must begin before it ends");
        }
        Between { from, until }
    }

    /// A span with both ends.
    pub(super) fn span(
        &mut self,
        field: &'static str,
        range: Option<&types::TimeRange>,
    ) -> Option<(Timestamp, Timestamp)> {
        let Between { from, until } = self.between(field, range);
        match (from, until) {
            (Some(from), Some(until)) => Some((from, until)),
            _ => self.refuse(field, "needs both a beginning and an end"),
        }
    }

    /// The page of a list of a tenant.
    pub(super) fn page(&mut self, tenant: TenantId, page: Option<&types::Page>) -> Option<Wanted> {
        let limit = self.limit(page)?;
        let token = page.map_or("", |page| page.token.as_str());
        if token.is_empty() {
            return Some(Wanted {
                tenant,
                after: None,
                limit,
            });
        }
        let after = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Uuid::from_bytes);
        if after.is_none() {
            return self.refuse("page.token", "must be the next_token of the page before");
        }
        Some(Wanted {
            tenant,
            after,
            limit,
        })
    }

    /// The page of a list of numbered lines.
    pub(super) fn numbered_page(&mut self, page: Option<&types::Page>) -> Option<(i64, u64)> {
        let limit = self.limit(page)?;
        let token = page.map_or("", |page| page.token.as_str());
        if token.is_empty() {
            return Some((0, limit));
        }
        let after = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(i64::from_be_bytes)
            .filter(|after| *after >= 0);
        match after {
            Some(after) => Some((after, limit)),
            None => self.refuse("page.token", "must be the next_token of the page before"),
        }
    }

    fn limit(&mut self, page: Option<&types::Page>) -> Option<u64> {
        match u64::try_from(page.map_or(0, |page| page.size)) {
            Ok(0) => Some(PAGE_DEFAULT),
            Ok(size) if size <= PAGE_MAX => Some(size),
            Ok(_) | Err(_) => self.refuse("page.size", "must be 1 to 100, or 0 for 20"),
        }
    }
}

/// Where the list goes on after a page that ends with `last`.
pub(super) fn page_info(last: Option<Uuid>, count: usize, limit: u64) -> Option<types::PageInfo> {
    info(last.map(|last| *last.as_bytes()), count, limit)
}

/// The same of numbered lines.
pub(super) fn numbered_info(
    last: Option<i64>,
    count: usize,
    limit: u64,
) -> Option<types::PageInfo> {
    info(last.map(i64::to_be_bytes), count, limit)
}

fn info(last: Option<impl AsRef<[u8]>>, count: usize, limit: u64) -> Option<types::PageInfo> {
    let is_full = u64::try_from(count).is_ok_and(|count| count >= limit);
    let next_token = last
        .filter(|_| is_full)
        .map_or_else(String::new, |last| URL_SAFE_NO_PAD.encode(last));
    Some(types::PageInfo { next_token })
}
