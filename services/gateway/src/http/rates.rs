//! Rates and quotes.

use std::sync::Arc;

use paymesh_proto::{currency::v1 as pb, types::v1 as types};

use super::{
    answer::{Done, Found, Made, Page, present},
    form::{Amount, Form, Moment, Rate as Number, Word, form, number_of, request, words},
    input::{Body, Listing, NoFilter, Path, Query, RawBody, range},
    once::Once,
    problem::Problem,
    route::{BodySize, Route},
};
use crate::clients::Clients;

const TAG: &str = "Rates and quotes";

words! {
    pb::RateMethod = RateMethod "RATE_METHOD_";
    pb::QuoteSide = QuoteSide "QUOTE_SIDE_";
    pb::SpreadSide = SpreadSide "SPREAD_SIDE_";
    pb::QuoteState = QuoteState "QUOTE_STATE_";
    pb::RateFormat = RateFormat "RATE_FORMAT_";
}

form! {
    /// A mid rate, in major units.
    ExchangeRate from pb::Rate {
        base_currency: String,
        quote_currency: String,
        /// Units of `quote_currency` for one of `base_currency`.
        value: Option<Number>,
        method: Word<pb::RateMethod>,
        source: String,
        /// That it is published for.
        date: String,
        imported_at: Option<Moment> = imported_at_us,
    }
}

form! {
    /// Where rates come from.
    RateSource from pb::RateSource {
        name: String,
        base_currency: String,
        /// Lower first.
        priority: i32,
        /// Older rates are not used for quotes.
        max_age_ms: i64,
        newest_date: Option<String>,
        currency_count: u32,
        imported_at: Option<Moment> = imported_at_us,
    }
}

form! {
    /// What an amount would come to; nothing is fixed.
    Conversion from pb::ConvertResponse {
        source: Option<Amount>,
        target: Option<Amount>,
        spread: Option<Amount>,
        mid_rate: Option<Number>,
        /// With the spread.
        customer_rate: Option<Number>,
        rate_source: String,
        rate_date: String,
    }
}

form! {
    /// A rate that holds for a while, with both amounts fixed.
    Quote from pb::Quote {
        /// `qt_…`
        id: String,
        state: Word<pb::QuoteState>,
        /// Which amount was asked for.
        side: Word<pb::QuoteSide>,
        /// What leaves the payer's side.
        source: Option<Amount>,
        /// What arrives.
        target: Option<Amount>,
        spread: Option<Amount>,
        spread_side: Option<Word<pb::SpreadSide>>,
        mid_source: Option<Amount>,
        mid_target: Option<Amount>,
        mid_rate: Option<Number>,
        /// With the spread.
        customer_rate: Option<Number>,
        spread_bp: i64,
        rate_source: String,
        rate_date: String,
        /// The operation that used it.
        consumed_by: Option<String>,
        business_at: Option<Moment> = business_at_us,
        expires_at: Moment = expires_at_us,
        created_at: Moment = created_at_us,
    }
}

form! {
    /// What was taken.
    RatesImported from pb::ImportResponse {
        /// Rates that are new or changed.
        imported_count: u64,
        oldest_date: Option<String>,
        newest_date: Option<String>,
    }
}

request! {
    /// Which rate.
    RateQuery {
        /// The best by priority, if it is left out.
        source: Option<String>,
        /// The newest at or before this moment; now, if it is left out.
        at: Option<Moment>,
    }
}

request! {
    /// Which rates. With both currencies, the pair's history, newest first.
    RateFilter {
        source: Option<String>,
        /// As 2026-01-31; the newest, if it is left out.
        date: Option<String>,
        base_currency: Option<String>,
        quote_currency: Option<String>,
    }
}

request! {
    /// What to convert.
    ConversionQuery {
        minor: i64,
        currency: String,
        /// The other side's currency.
        to: String,
        /// Which side the amount is: `source`, if it is left out.
        side: Option<Word<pb::QuoteSide>>,
        /// `target`, if it is left out.
        spread_side: Option<Word<pb::SpreadSide>>,
        /// Sandboxes only.
        business_at: Option<Moment>,
    }
}

request! {
    /// A quote to lock.
    LockQuote {
        /// Above zero.
        amount: Amount,
        /// The other side's currency.
        other_currency: String,
        /// Which side the amount is: `source`, if it is left out.
        side: Option<Word<pb::QuoteSide>>,
        /// `target`, if it is left out.
        spread_side: Option<Word<pb::SpreadSide>>,
        /// How long it holds, at most one hour.
        ttl_ms: Option<i64>,
        /// Sandboxes only.
        business_at: Option<Moment>,
    }
}

request! {
    /// Which quotes.
    QuoteFilter {
        state: Option<Word<pb::QuoteState>>,
        created_from: Option<Moment>,
        /// Exclusive.
        created_until: Option<Moment>,
    }
}

request! {
    /// What the file is.
    RateImportQuery {
        /// Name of the source; made when it is new.
        source: String,
        format: Word<pb::RateFormat>,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/rates", list_rates).about("List rates").calls(&["CurrencyService/ListRates"]).tag(TAG),
        Route::get("/v1/rates/sources", list_sources)
            .about("List sources of rates")
            .calls(&["CurrencyService/ListSources"])
            .tag(TAG),
        Route::get("/v1/rates/{base_currency}/{quote_currency}", get_rate)
            .about("Read the rate of a pair")
            .calls(&["CurrencyService/GetRate"])
            .tag(TAG),
        Route::post("/v1/rates/import", import)
            .about("Import a file of rates")
            .notes("The file is the body, as its source publishes it. The same file is not taken twice.")
            .calls(&["CurrencyService/Import"])
            .body_size(BodySize::Import)
            .tag(TAG),
        Route::get("/v1/convert", convert)
            .about("Convert an amount")
            .notes("With the spread; nothing is fixed.")
            .calls(&["CurrencyService/Convert"])
            .tag(TAG),
        Route::post("/v1/quotes", lock_quote)
            .about("Lock a quote")
            .notes("Fixes both amounts for a while.")
            .calls(&["CurrencyService/LockQuote"])
            .tag(TAG),
        Route::get("/v1/quotes", list_quotes)
            .about("List quotes, newest first")
            .calls(&["CurrencyService/ListQuotes"])
            .tag(TAG),
        Route::get("/v1/quotes/{quote_id}", get_quote)
            .about("Read a quote")
            .calls(&["CurrencyService/GetQuote"])
            .tag(TAG),
    ]
}

async fn list_rates(
    clients: Arc<Clients>,
    listing: Listing<RateFilter>,
) -> Result<Page<ExchangeRate>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListRatesRequest {
        source: filter.source.unwrap_or_default(),
        date: filter.date.unwrap_or_default(),
        base_currency: filter.base_currency.unwrap_or_default(),
        quote_currency: filter.quote_currency.unwrap_or_default(),
        page: Some(page),
    };
    let answer = clients.currency().list_rates(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.rates), answer.page_info))
}

async fn list_sources(
    clients: Arc<Clients>,
    listing: Listing<NoFilter>,
) -> Result<Page<RateSource>, Problem> {
    let request = pb::ListSourcesRequest {
        page: Some(listing.page),
    };
    let answer = clients.currency().list_sources(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.sources), answer.page_info))
}

async fn get_rate(
    clients: Arc<Clients>,
    Path(base_currency): Path<0>,
    Path(quote_currency): Path<1>,
    Query(query): Query<RateQuery>,
) -> Result<Found<ExchangeRate>, Problem> {
    let request = pb::GetRateRequest {
        base_currency,
        quote_currency,
        source: query.source.unwrap_or_default(),
        business_at_us: query.at.map_or(0, Moment::as_micros),
    };
    let answer = clients.currency().get_rate(request).await?.into_inner();
    Ok(Found(ExchangeRate::form(present(
        answer.rate,
        "currency",
        "rate",
    )?)))
}

async fn import(
    clients: Arc<Clients>,
    once: Once,
    Query(query): Query<RateImportQuery>,
    RawBody(body): RawBody,
) -> Result<Done<RatesImported>, Problem> {
    let request = pb::ImportRequest {
        source: query.source,
        format: query.format.number(),
        content: body.to_vec(),
    };
    let answer = once
        .run_once(async || Ok(clients.currency().import(request).await?.into_inner()))
        .await?;
    let outcome = answer.outcome;
    Ok(Done::new(RatesImported::form(answer), outcome))
}

fn side_of(side: Option<Word<pb::QuoteSide>>) -> i32 {
    side.map_or(pb::QuoteSide::Source.into(), Word::number)
}

async fn convert(
    clients: Arc<Clients>,
    Query(query): Query<ConversionQuery>,
) -> Result<Found<Conversion>, Problem> {
    let request = pb::ConvertRequest {
        amount: Some(types::Money {
            minor: query.minor,
            currency: query.currency,
        }),
        side: side_of(query.side),
        other_currency: query.to,
        spread_side: number_of(query.spread_side),
        business_at_us: query.business_at.map_or(0, Moment::as_micros),
    };
    let answer = clients.currency().convert(request).await?.into_inner();
    Ok(Found(Conversion::form(answer)))
}

async fn lock_quote(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<LockQuote>,
) -> Result<Made<Quote>, Problem> {
    let answer = once
        .with_id("qt", async |quote_id| {
            let request = pb::LockQuoteRequest {
                quote_id,
                amount: Some(body.amount.into()),
                side: side_of(body.side),
                other_currency: body.other_currency,
                spread_side: number_of(body.spread_side),
                ttl_ms: body.ttl_ms.unwrap_or(0),
                business_at_us: body.business_at.map_or(0, Moment::as_micros),
                ..pb::LockQuoteRequest::default()
            };
            Ok(clients.currency().lock_quote(request).await?.into_inner())
        })
        .await?;
    let quote = Quote::form(present(answer.quote, "currency", "quote")?);
    let location = format!("/v1/quotes/{}", quote.id);
    Ok(Made::new(quote, location, answer.outcome))
}

async fn list_quotes(
    clients: Arc<Clients>,
    listing: Listing<QuoteFilter>,
) -> Result<Page<Quote>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListQuotesRequest {
        state: number_of(filter.state),
        created: range(filter.created_from, filter.created_until),
        page: Some(page),
    };
    let answer = clients.currency().list_quotes(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.quotes), answer.page_info))
}

async fn get_quote(
    clients: Arc<Clients>,
    Path(quote_id): Path<0>,
) -> Result<Found<Quote>, Problem> {
    let answer = clients
        .currency()
        .get_quote(pb::GetQuoteRequest { quote_id })
        .await?
        .into_inner();
    Ok(Found(Quote::form(present(
        answer.quote,
        "currency",
        "quote",
    )?)))
}
