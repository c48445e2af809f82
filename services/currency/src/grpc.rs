//! The contract: messages in, checked commands, messages out. No rule of the business is here.

mod read;

use std::sync::Arc;

use paymesh_mesh::{caller, to_status, token::EDGE};
use paymesh_proto::{
    currency::v1::{
        self as proto,
        currency_service_server::{CurrencyService, CurrencyServiceServer},
    },
    types::v1 as types,
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    app::{App, Listed},
    domain::{History, Outcome},
    error::Error,
    wire,
};

/// The largest message: a file of rates and what is around it.
const MESSAGE_LIMIT: usize = 17 * 1024 * 1024;
/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// The service as it is served.
pub(crate) fn routes(app: Arc<App>) -> Routes {
    let server = CurrencyServiceServer::new(Grpc { app });
    Routes::new(server.max_decoding_message_size(MESSAGE_LIMIT))
}

/// The service.
#[derive(Clone, Debug)]
struct Grpc {
    app: Arc<App>,
}

// === impl Grpc ===

impl Grpc {
    fn source(&self, place: usize, history: &History) -> proto::RateSource {
        let newest = history.newest().and_then(|date| history.until(date).next());
        let max_age_days = i64::from(self.app.config().limits().max_age_days);
        proto::RateSource {
            name: history.source.name.to_string(),
            base_currency: history.source.base.code().to_owned(),
            priority: i32::try_from(place).unwrap_or(i32::MAX),
            max_age_ms: max_age_days.saturating_mul(DAY_MS),
            newest_date: newest.map_or_else(String::new, |found| found.date.to_string()),
            currency_count: newest.map_or(0, |found| {
                u32::try_from(found.day.rates.len()).unwrap_or(u32::MAX)
            }),
            imported_at_us: history.source.imported_at.as_micros(),
        }
    }
}

#[tonic::async_trait]
impl CurrencyService for Grpc {
    async fn get_rate(
        &self,
        request: Request<proto::GetRateRequest>,
    ) -> Result<Response<proto::GetRateResponse>, Status> {
        caller(&request)?;
        let wanted = read::get_rate(request.get_ref()).map_err(status)?;
        let mid = self
            .app
            .rate(wanted.pair, wanted.source.as_ref(), wanted.business_at)
            .map_err(status)?;
        Ok(Response::new(proto::GetRateResponse {
            rate: Some(wire::rate(&mid)),
        }))
    }

    async fn list_rates(
        &self,
        request: Request<proto::ListRatesRequest>,
    ) -> Result<Response<proto::ListRatesResponse>, Status> {
        caller(&request)?;
        let wanted = read::list_rates(request.get_ref()).map_err(status)?;
        let (rates, next) = self.app.list_rates(&wanted).map_err(status)?;
        let next = next.map(|next| match next {
            Listed::Currency(currency) => currency.code().to_owned(),
            Listed::Date(date) => date.to_string(),
        });
        Ok(Response::new(proto::ListRatesResponse {
            rates: rates.iter().map(wire::rate).collect(),
            page_info: Some(read::page_info(next)),
        }))
    }

    async fn convert(
        &self,
        request: Request<proto::ConvertRequest>,
    ) -> Result<Response<proto::ConvertResponse>, Status> {
        caller(&request)?;
        let (ask, business_at) = read::convert(request.get_ref()).map_err(status)?;
        let (priced, mid) = self.app.price(&ask, business_at).map_err(status)?;
        Ok(Response::new(proto::ConvertResponse {
            source: Some(wire::money(priced.source)),
            target: Some(wire::money(priced.target)),
            spread: Some(wire::money(priced.spread)),
            mid_rate: Some(wire::decimal(mid.rate)),
            customer_rate: Some(wire::decimal(priced.customer_rate)),
            rate_source: mid.source.to_string(),
            rate_date: mid.date.to_string(),
        }))
    }

    async fn lock_quote(
        &self,
        request: Request<proto::LockQuoteRequest>,
    ) -> Result<Response<proto::LockQuoteResponse>, Status> {
        let (caller, principal) = caller(&request)?;
        let message = request.get_ref();
        if !message.consume_for.is_empty() && &*caller.component == EDGE {
            return Err(status(Error::ConsumeForbidden));
        }
        let lock = read::lock(message).map_err(status)?;
        let locked = self.app.lock_quote(principal, lock).await;
        let (outcome, quote) = parts(locked.map_err(status)?);
        Ok(Response::new(proto::LockQuoteResponse {
            quote: Some(wire::quote(&quote, self.app.now())),
            outcome,
        }))
    }

    async fn consume_quote(
        &self,
        request: Request<proto::ConsumeQuoteRequest>,
    ) -> Result<Response<proto::ConsumeQuoteResponse>, Status> {
        let (_, principal) = caller(&request)?;
        let (id, operation) = read::consume(request.get_ref()).map_err(status)?;
        let consumed = self.app.consume_quote(principal, id, operation).await;
        let (outcome, quote) = parts(consumed.map_err(status)?);
        Ok(Response::new(proto::ConsumeQuoteResponse {
            quote: Some(wire::quote(&quote, self.app.now())),
            outcome,
        }))
    }

    async fn get_quote(
        &self,
        request: Request<proto::GetQuoteRequest>,
    ) -> Result<Response<proto::GetQuoteResponse>, Status> {
        let (_, principal) = caller(&request)?;
        let id = read::quote_id(&request.get_ref().quote_id).map_err(status)?;
        let quote = self.app.quote(principal, id).await.map_err(status)?;
        Ok(Response::new(proto::GetQuoteResponse {
            quote: Some(wire::quote(&quote, self.app.now())),
        }))
    }

    async fn list_quotes(
        &self,
        request: Request<proto::ListQuotesRequest>,
    ) -> Result<Response<proto::ListQuotesResponse>, Status> {
        let (_, principal) = caller(&request)?;
        let wanted = read::list_quotes(request.get_ref()).map_err(status)?;
        let listed = self.app.list_quotes(principal, wanted).await;
        let (quotes, next) = listed.map_err(status)?;
        let now = self.app.now();
        Ok(Response::new(proto::ListQuotesResponse {
            quotes: quotes.iter().map(|quote| wire::quote(quote, now)).collect(),
            page_info: Some(read::page_info(
                next.map(|(at, id)| format!("{} {id}", at.as_micros())),
            )),
        }))
    }

    async fn import(
        &self,
        request: Request<proto::ImportRequest>,
    ) -> Result<Response<proto::ImportResponse>, Status> {
        caller(&request)?;
        let (source, format, content) = read::import(request.into_inner()).map_err(status)?;
        let imported = self.app.import_file(source, format, content).await;
        let (outcome, imported) = parts(imported.map_err(status)?);
        Ok(Response::new(proto::ImportResponse {
            imported_count: imported.count,
            oldest_date: imported.oldest.to_string(),
            newest_date: imported.newest.to_string(),
            outcome,
        }))
    }

    async fn list_sources(
        &self,
        request: Request<proto::ListSourcesRequest>,
    ) -> Result<Response<proto::ListSourcesResponse>, Status> {
        caller(&request)?;
        let (after, size) = read::list_sources(request.get_ref()).map_err(status)?;
        let sources = self.app.sources();
        // Places are stable as long as no source is made, and there are at most sixteen.
        let wanted = sources
            .iter()
            .enumerate()
            .filter(|(place, _)| after.is_none_or(|after| *place > after));
        let page: Vec<proto::RateSource> = wanted
            .take(size)
            .map(|(place, history)| self.source(place, history))
            .collect();
        let last = page
            .last()
            .and_then(|last| usize::try_from(last.priority).ok());
        let next = last.filter(|last| last.saturating_add(1) < sources.len());
        Ok(Response::new(proto::ListSourcesResponse {
            sources: page,
            page_info: Some(read::page_info(next.map(|place| place.to_string()))),
        }))
    }
}

fn parts<T>(outcome: Outcome<T>) -> (i32, T) {
    match outcome {
        Outcome::Applied(inner) => (types::Outcome::Applied.into(), inner),
        Outcome::AlreadyApplied(inner) => (types::Outcome::AlreadyApplied.into(), inner),
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it is handed to map_err, which gives the error away"
)]
fn status(error: Error) -> Status {
    to_status(&error)
}
