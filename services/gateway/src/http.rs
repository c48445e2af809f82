//! REST: the routes, the layers around them, and the document that describes them.

mod answer;
mod body;
mod cors;
mod document;
mod events;
pub(crate) mod facts;
pub(crate) mod form;
mod input;
mod layers;
mod metrics;
mod once;
mod page;
mod pipeline;
mod problem;
mod route;

mod accounts;
mod api_keys;
mod attempts;
mod breaks;
mod disputes;
mod existing;
mod home;
mod ledger;
mod merchants;
mod payment_methods;
mod payouts;
mod rates;
mod reports;
mod risk;
mod risk_history;
mod sessions;
mod settlement;
mod tenants;
mod transaction_steps;
mod transactions;
mod users;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawPathParams, Request, State},
    http::{Response, header, request::Parts},
    middleware,
    routing::{MethodFilter, on},
};
use bytes::Bytes;

use crate::{app::App, error::Error};
use input::Caller;
use problem::Problem;
use route::Route;

/// A request as handlers see it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) app: App,
    pub(crate) parts: Parts,
    /// Of the path, in order.
    pub(crate) parameters: Vec<String>,
    pub(crate) body: Bytes,
    /// None on public routes, unless somebody came with a valid proof.
    pub(crate) caller: Option<Caller>,
}

// === impl Incoming ===

impl Incoming {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }
}

/// Every route.
pub(crate) fn routes() -> Vec<Route> {
    [
        home::routes(),
        users::routes(),
        sessions::routes(),
        tenants::routes(),
        api_keys::routes(),
        accounts::routes(),
        ledger::routes(),
        transactions::routes(),
        transaction_steps::routes(),
        payment_methods::routes(),
        attempts::routes(),
        disputes::routes(),
        risk::routes(),
        risk_history::routes(),
        rates::routes(),
        merchants::routes(),
        settlement::routes(),
        breaks::routes(),
        payouts::routes(),
        reports::routes(),
        webhooks::routes(),
        events::routes(),
    ]
    .concat()
}

/// The router with its layers.
pub(crate) fn router(app: App) -> Router {
    problem::set_docs_url(&app.config().docs_url);
    document::make_once();
    let mut router = Router::new();
    for route in routes() {
        let path = route.path;
        let filter = MethodFilter::try_from(route.method.clone())
            .expect("routes use the methods of RFC 9110");
        let route = Arc::new(route);
        let handler = move |State(app): State<App>, parameters: RawPathParams, request: Request| async move {
            let parameters = parameters
                .iter()
                .map(|(_, value)| value.to_owned())
                .collect();
            pipeline::serve(app, route, parameters, request).await
        };
        router = router.route(path, on(filter, handler));
    }
    router
        .fallback(|| async { refuse(Error::RouteUnknown) })
        .method_not_allowed_fallback(|| async { refuse(Error::MethodNotAllowed) })
        .with_state(app.clone())
        .layer(middleware::from_fn_with_state(app, layers::around))
}

fn refuse(error: Error) -> Response<axum::body::Body> {
    Problem::from(error).into_response()
}

/// The essence of a media type in a header.
pub(crate) fn essence(media_type: &str) -> String {
    media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// The name of the header with the request id.
pub(crate) const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");
