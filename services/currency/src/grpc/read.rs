//! Messages read into commands. Every field that breaks a rule is named, not only the first.

use std::{str::FromStr, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paymesh_kernel::{FieldViolation, Timestamp};
use paymesh_money::{Amount, Currency};
use paymesh_proto::{currency::v1 as proto, types::v1 as types};
use prost::Message as _;

use crate::{
    app::{ListQuotes, ListRates, Listed, Lock, fingerprint},
    config::TTL_LIMIT_MS,
    domain::{Ask, OperationId, QuoteId, RateDate, Side, SourceName, SpreadSide, State},
    error::Error,
    formats::{FILE_LIMIT, Format},
};

/// Items of a page when the caller does not say.
const PAGE_DEFAULT: usize = 20;
/// Items of a page at most.
const PAGE_LIMIT: usize = 100;
/// Longest token of a page.
const TOKEN_LIMIT: usize = 128;
/// Shortest time that a quote holds.
const TTL_LEAST_MS: u64 = 1;
/// Business times lie before the year 10000, where dates end.
const MOMENT_LIMIT_US: i64 = 253_402_300_800_000_000;

/// What GetRate asks for.
pub(super) struct GetRate {
    pub(super) pair: (Currency, Currency),
    pub(super) source: Option<SourceName>,
    pub(super) business_at: Option<Timestamp>,
}

/// Collects what is wrong.
#[derive(Default)]
struct Reader {
    violations: Vec<FieldViolation>,
}

/// The page that is asked for.
struct Page<K> {
    after: Option<K>,
    size: usize,
}

pub(super) fn get_rate(message: &proto::GetRateRequest) -> Result<GetRate, Error> {
    let mut read = Reader::default();
    let base = read.currency("base_currency", &message.base_currency);
    let quote = read.currency("quote_currency", &message.quote_currency);
    read.differ("quote_currency", base, quote);
    let source = read.optional("source", &message.source);
    let business_at = read.moment("business_at", message.business_at_us);
    read.finish(|| {
        Some(GetRate {
            pair: (base?, quote?),
            source: source?,
            business_at: business_at?,
        })
    })
}

pub(super) fn list_rates(message: &proto::ListRatesRequest) -> Result<ListRates, Error> {
    let mut read = Reader::default();
    let source = read.optional::<SourceName>("source", &message.source);
    let date = read.optional::<RateDate>("date", &message.date);
    let base = read.optional::<Currency>("base_currency", &message.base_currency);
    let quote = read.optional::<Currency>("quote_currency", &message.quote_currency);
    read.differ("quote_currency", base.flatten(), quote.flatten());
    let is_history = matches!((base, quote), (Some(Some(_)), Some(Some(_))));
    let page = read.page(message.page.as_ref(), |key| {
        if is_history {
            key.parse().ok().map(Listed::Date)
        } else {
            key.parse().ok().map(Listed::Currency)
        }
    });
    read.finish(|| {
        let page = page?;
        Some(ListRates {
            source: source?,
            date: date?,
            base: base?,
            quote: quote?,
            after: page.after,
            size: page.size,
        })
    })
}

pub(super) fn convert(message: &proto::ConvertRequest) -> Result<(Ask, Option<Timestamp>), Error> {
    let mut read = Reader::default();
    let ask = read.ask(
        message.amount.as_ref(),
        message.side,
        &message.other_currency,
        message.spread_side,
    );
    let business_at = read.moment("business_at", message.business_at_us);
    read.finish(|| Some((ask?, business_at?)))
}

pub(super) fn lock(message: &proto::LockQuoteRequest) -> Result<Lock, Error> {
    let mut read = Reader::default();
    let id = read.parse::<QuoteId>("quote_id", &message.quote_id);
    let ask = read.ask(
        message.amount.as_ref(),
        message.side,
        &message.other_currency,
        message.spread_side,
    );
    let ttl = read.ttl(message.ttl_ms);
    let business_at = read.moment("business_at", message.business_at_us);
    let consume_for = read.optional::<OperationId>("consume_for", &message.consume_for);
    let asked = proto::LockQuoteRequest {
        quote_id: String::new(),
        ..message.clone()
    };
    read.finish(|| {
        Some(Lock {
            id: id?,
            ask: ask?,
            ttl: ttl?,
            business_at: business_at?,
            consume_for: consume_for?,
            fingerprint: fingerprint(&[&asked.encode_to_vec()]),
        })
    })
}

pub(super) fn consume(
    message: &proto::ConsumeQuoteRequest,
) -> Result<(QuoteId, OperationId), Error> {
    let mut read = Reader::default();
    let id = read.parse("quote_id", &message.quote_id);
    let operation = read.parse("operation_id", &message.operation_id);
    read.finish(|| Some((id?, operation?)))
}

pub(super) fn quote_id(text: &str) -> Result<QuoteId, Error> {
    let mut read = Reader::default();
    let id = read.parse("quote_id", text);
    read.finish(|| id)
}

pub(super) fn list_quotes(message: &proto::ListQuotesRequest) -> Result<ListQuotes, Error> {
    let mut read = Reader::default();
    let state = match proto::QuoteState::try_from(message.state) {
        Ok(proto::QuoteState::Unspecified) => Some(None),
        Ok(proto::QuoteState::Open) => Some(Some(State::Open)),
        Ok(proto::QuoteState::Consumed) => Some(Some(State::Consumed)),
        Ok(proto::QuoteState::Expired) => Some(Some(State::Expired)),
        Err(_) => read.refuse("state", "must be open, consumed or expired"),
    };
    let created = message.created.unwrap_or_default();
    let from = read.moment("created.from", created.from_at_us);
    let until = read.moment("created.until", created.until_at_us);
    let page = read.page(message.page.as_ref(), |key| {
        let (at, id) = key.split_once(' ')?;
        Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
    });
    read.finish(|| {
        let page = page?;
        Some(ListQuotes {
            state: state?,
            from: from?,
            until: until?,
            after: page.after,
            size: page.size,
        })
    })
}

pub(super) fn import(
    message: proto::ImportRequest,
) -> Result<(SourceName, Format, Vec<u8>), Error> {
    let mut read = Reader::default();
    let source = read.parse("source", &message.source);
    let format = match proto::RateFormat::try_from(message.format) {
        Ok(proto::RateFormat::EcbCsv) => Some(Format::EcbCsv),
        Ok(proto::RateFormat::EcbXml) => Some(Format::EcbXml),
        Ok(proto::RateFormat::Unspecified) | Err(_) => {
            read.refuse("format", "must be ecb_csv or ecb_xml")
        }
    };
    if message.content.is_empty() {
        read.refuse::<()>("content", "must not be empty");
    }
    if message.content.len() > FILE_LIMIT {
        read.refuse::<()>("content", "must have at most 16777216 bytes");
    }
    read.finish(|| Some((source?, format?, message.content)))
}

/// The place of the last source of the page before, and how many are wanted.
pub(super) fn list_sources(
    message: &proto::ListSourcesRequest,
) -> Result<(Option<usize>, usize), Error> {
    let mut read = Reader::default();
    let page = read.page(message.page.as_ref(), |key| key.parse().ok());
    read.finish(|| page.map(|page| (page.after, page.size)))
}

/// The end of a page.
pub(super) fn page_info(last_key: Option<String>) -> types::PageInfo {
    types::PageInfo {
        next_token: last_key.map_or_else(String::new, |key| URL_SAFE_NO_PAD.encode(key)),
    }
}

// === impl Reader ===

impl Reader {
    /// The command, when nothing is wrong.
    fn finish<T>(self, command: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        if !self.violations.is_empty() {
            return Err(Error::Invalid(self.violations));
        }
        Ok(command().expect("a field that is missing has left a violation"))
    }

    fn refuse<T>(
        &mut self,
        field: impl Into<std::borrow::Cow<'static, str>>,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Option<T> {
        self.violations.push(FieldViolation::new(field, rule));
        None
    }

    fn parse<T: FromStr<Err: ToString>>(&mut self, field: &'static str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(field, ToString::to_string(&error)),
        }
    }

    /// Empty is None.
    fn optional<T: FromStr<Err: ToString>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<Option<T>> {
        if text.is_empty() {
            Some(None)
        } else {
            self.parse(field, text).map(Some)
        }
    }

    fn currency(&mut self, field: &'static str, text: &str) -> Option<Currency> {
        self.parse(field, text)
    }

    fn differ(&mut self, field: &'static str, left: Option<Currency>, right: Option<Currency>) {
        if left.is_some() && left == right {
            self.refuse::<()>(field, "must be another currency");
        }
    }

    /// Zero is None.
    fn moment(&mut self, field: &'static str, micros: i64) -> Option<Option<Timestamp>> {
        match micros {
            0 => Some(None),
            1..MOMENT_LIMIT_US => Some(Some(Timestamp::from_micros(micros))),
            _ => self.refuse(field, "must be a moment between 1970 and 9999"),
        }
    }

    /// Zero is None.
    fn ttl(&mut self, ttl_ms: i64) -> Option<Option<Duration>> {
        if ttl_ms == 0 {
            return Some(None);
        }
        match u64::try_from(ttl_ms) {
            Ok(ttl) if (TTL_LEAST_MS..=TTL_LIMIT_MS).contains(&ttl) => {
                Some(Some(Duration::from_millis(ttl)))
            }
            Ok(_) | Err(_) => {
                self.refuse("ttl_ms", "must be from 1 to 3600000, or 0 for the default")
            }
        }
    }

    fn ask(
        &mut self,
        amount: Option<&types::Money>,
        side: i32,
        other: &str,
        spread_side: i32,
    ) -> Option<Ask> {
        let amount = self.amount(amount);
        let side = match proto::QuoteSide::try_from(side) {
            Ok(proto::QuoteSide::Source) => Some(Side::Source),
            Ok(proto::QuoteSide::Target) => Some(Side::Target),
            Ok(proto::QuoteSide::Unspecified) | Err(_) => {
                self.refuse("side", "must be source or target")
            }
        };
        let other = self.currency("other_currency", other);
        self.differ("other_currency", amount.map(Amount::currency), other);
        let spread_side = match proto::SpreadSide::try_from(spread_side) {
            Ok(proto::SpreadSide::Source) => Some(SpreadSide::Source),
            Ok(proto::SpreadSide::Target | proto::SpreadSide::Unspecified) => {
                Some(SpreadSide::Target)
            }
            Err(_) => self.refuse("spread_side", "must be source or target"),
        };
        Some(Ask {
            amount: amount?,
            side: side?,
            other: other?,
            spread_side: spread_side?,
        })
    }

    fn amount(&mut self, amount: Option<&types::Money>) -> Option<Amount> {
        let Some(amount) = amount else {
            return self.refuse("amount", "must be set");
        };
        let currency = self.currency("amount.currency", &amount.currency)?;
        match Amount::try_new(amount.minor, currency) {
            Ok(amount) => Some(amount),
            Err(error) => self.refuse("amount.minor", error.to_string()),
        }
    }

    fn page<K>(
        &mut self,
        page: Option<&types::Page>,
        key: impl FnOnce(&str) -> Option<K>,
    ) -> Option<Page<K>> {
        let (size, token) = page.map_or((0, ""), |page| (page.size, page.token.as_str()));
        let size = match usize::try_from(size) {
            Ok(0) => Some(PAGE_DEFAULT),
            Ok(size) if size <= PAGE_LIMIT => Some(size),
            Ok(_) | Err(_) => self.refuse("page.size", "must be from 1 to 100, or 0 for 20"),
        };
        let after = if token.is_empty() {
            Some(None)
        } else {
            match decode(token).and_then(|text| key(&text)) {
                Some(key) => Some(Some(key)),
                None => self.refuse("page.token", "must be the next_token of the page before"),
            }
        };
        Some(Page {
            after: after?,
            size: size?,
        })
    }
}

fn decode(token: &str) -> Option<String> {
    if token.len() > TOKEN_LIMIT {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    String::from_utf8(bytes).ok()
}
