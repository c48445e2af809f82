//! Domain values as messages of the contract, for answers and facts alike.

use paymesh_kernel::Timestamp;
use paymesh_money::{Money, Rate};
use paymesh_proto::{currency::v1 as proto, types::v1 as types};

use crate::domain::{Method, Mid, Quote, Side, SpreadSide, State, digits_of};

/// An amount.
pub(crate) fn money(money: Money) -> types::Money {
    types::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

/// A rate.
pub(crate) fn decimal(rate: Rate) -> types::Decimal {
    let (units, scale) = digits_of(rate);
    types::Decimal {
        units: i64::try_from(units).expect("M11: a rate has at most 18 digits"),
        scale,
    }
}

/// A mid rate.
pub(crate) fn rate(mid: &Mid) -> proto::Rate {
    let method = match mid.method {
        Method::Direct => proto::RateMethod::Direct,
        Method::Inverse => proto::RateMethod::Inverse,
        Method::Cross => proto::RateMethod::Cross,
    };
    proto::Rate {
        base_currency: mid.base.code().to_owned(),
        quote_currency: mid.quote.code().to_owned(),
        value: Some(decimal(mid.rate)),
        method: method.into(),
        source: mid.source.to_string(),
        date: mid.date.to_string(),
        imported_at_us: mid.imported_at.as_micros(),
        age_days: mid.age_days,
    }
}

/// A quote as it stands at a moment.
pub(crate) fn quote(quote: &Quote, now: Timestamp) -> proto::Quote {
    let state = match quote.state(now) {
        State::Open => proto::QuoteState::Open,
        State::Consumed => proto::QuoteState::Consumed,
        State::Expired => proto::QuoteState::Expired,
    };
    let side = match quote.ask.side {
        Side::Source => proto::QuoteSide::Source,
        Side::Target => proto::QuoteSide::Target,
    };
    let spread_side = match quote.ask.spread_side {
        SpreadSide::Source => proto::SpreadSide::Source,
        SpreadSide::Target => proto::SpreadSide::Target,
    };
    let priced = &quote.priced;
    proto::Quote {
        id: quote.id.to_string(),
        state: state.into(),
        side: side.into(),
        source: Some(money(priced.source)),
        target: Some(money(priced.target)),
        spread: Some(money(priced.spread)),
        spread_side: spread_side.into(),
        mid_source: Some(money(priced.mid_source)),
        mid_target: Some(money(priced.mid_target)),
        mid_rate: Some(decimal(quote.mid_rate)),
        customer_rate: Some(decimal(priced.customer_rate)),
        spread_bp: i64::from(quote.spread_bp),
        rate_source: quote.rate_source.to_string(),
        rate_date: quote.rate_date.to_string(),
        consumed_by: quote
            .consumed
            .as_ref()
            .map(|consumption| consumption.by.to_string())
            .unwrap_or_default(),
        business_at_us: quote.business_at.as_micros(),
        expires_at_us: quote.expires_at.as_micros(),
        created_at_us: quote.created_at.as_micros(),
    }
}
