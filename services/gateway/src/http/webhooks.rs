//! Webhooks of providers: passed on as they came, to be verified by the component that knows the provider's secret.

use std::sync::Arc;

use axum::http::HeaderMap;
use paymesh_proto::payment::v1 as pb;

use super::{
    answer::Found,
    form::shape,
    input::{Headers, Path, RawBody},
    problem::Problem,
    route::{BodySize, Route},
};
use crate::{app::App, clients::Clients, config::Class};

const TAG: &str = "Webhooks";
/// Headers that are passed on at most.
const HEADERS: usize = 64;
/// Headers that are the transport's, or somebody's credentials.
const NOT_PASSED_ON: [&str; 6] = [
    "authorization",
    "connection",
    "cookie",
    "host",
    "proxy-authorization",
    "transfer-encoding",
];

shape! {
    /// The webhook is kept, and will be acted on.
    WebhookTaken {
        received: bool,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    let webhook = |route: Route| {
        route
            .about("Take a provider's webhook")
            .notes("Verified by its signature and committed before it is answered. The same event is taken once.")
            .calls(&["PaymentService/HandleWebhook"])
            .public()
            .class(Class::Webhook)
            .body_size(BodySize::Webhook)
            .tag(TAG)
    };
    vec![
        webhook(Route::post("/v1/webhooks/{connector}", take)),
        webhook(Route::post(
            "/v1/webhooks/{connector}/{account}",
            take_for_account,
        )),
    ]
}

async fn take(
    app: App,
    Path(connector): Path<0>,
    Headers(headers): Headers,
    RawBody(body): RawBody,
) -> Result<Found<WebhookTaken>, Problem> {
    let request = request(&app, (connector, String::new()), &headers, body.to_vec());
    pass_on(app.clients(), request).await
}

async fn take_for_account(
    app: App,
    Path(connector): Path<0>,
    Path(account): Path<1>,
    Headers(headers): Headers,
    RawBody(body): RawBody,
) -> Result<Found<WebhookTaken>, Problem> {
    let request = request(&app, (connector, account), &headers, body.to_vec());
    pass_on(app.clients(), request).await
}

fn request(
    app: &App,
    (connector, connector_account): (String, String),
    headers: &HeaderMap,
    body: Vec<u8>,
) -> pb::HandleWebhookRequest {
    let passed_on = headers
        .iter()
        .filter(|(name, _)| !NOT_PASSED_ON.contains(&name.as_str()))
        .filter_map(|(name, value)| {
            Some(pb::WebhookHeader {
                name: name.as_str().to_owned(),
                value: value.to_str().ok()?.to_owned(),
            })
        });
    pb::HandleWebhookRequest {
        connector,
        connector_account,
        headers: passed_on.take(HEADERS).collect(),
        body,
        received_at_us: app.clock().now().as_micros(),
    }
}

async fn pass_on(
    clients: &Arc<Clients>,
    request: pb::HandleWebhookRequest,
) -> Result<Found<WebhookTaken>, Problem> {
    clients.payment().handle_webhook(request).await?;
    Ok(Found(WebhookTaken { received: true }))
}
