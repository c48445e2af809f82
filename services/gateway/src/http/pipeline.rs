//! What happens to a request between the layers and its handler: who asks, how often, how much.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header, request::Parts},
};
use paymesh_kernel::{
    Outcome,
    call::{self, Scope},
};

use super::{
    Incoming, body,
    input::Caller,
    problem::Problem,
    route::{Access, Route},
};
use crate::{
    app::App,
    config::Class,
    domain::window::{Quota, Standing},
    error::Error,
};

/// Left between the deadline of calls and the end of the request, to answer.
const MARGIN: Duration = Duration::from_millis(50);
/// A client whose address is not known.
const NO_ADDRESS: &str = "unknown";

/// Serves one request of a route.
pub(crate) async fn serve(
    app: App,
    route: Arc<Route>,
    parameters: Vec<String>,
    request: Request,
) -> Response<Body> {
    let limit = Duration::from_millis(app.config().timeout_ms);
    let request_id = call::current().map_or_else(|| "".into(), |scope| scope.request_id);
    let scope = Scope::new(Arc::clone(&request_id)).within(limit.saturating_sub(MARGIN));
    let mut headers = HeaderMap::new();
    let work = scope.run(run(app, &route, parameters, request, &mut headers));
    let result = tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(Error::TimedOut.into()));
    let mut response = result.unwrap_or_else(|mut problem| {
        if route.method == Method::GET {
            // Nothing can have come of a read.
            problem.outcome = Outcome::NotProcessed;
        }
        problem.into_response_for(&request_id)
    });
    response.headers_mut().extend(headers);
    response
}

async fn run(
    app: App,
    route: &Route,
    parameters: Vec<String>,
    request: Request,
    headers: &mut HeaderMap,
) -> Result<Response<Body>, Problem> {
    // The place is given back when the headers are sent: what streams on afterwards has limits of its own.
    let state = app.clone();
    let place = state.place()?;
    let (parts, body) = request.into_parts();
    let address = client_address(&app, &parts);
    let caller = authenticate(&app, route, &parts, &address).await?;
    let client = match &caller {
        Some(caller) if route.access == Access::Principal => {
            format!("{}/{}", caller.principal.tenant, caller.principal.subject)
        }
        _ => address.clone(),
    };
    count(&app, route.class, &client, headers).await?;
    let from = (route.body_size, address.as_str());
    let (body, _place) = body::read(&state, from, (&parts, body), place).await?;
    let incoming = Incoming {
        app,
        parts,
        parameters,
        body,
        caller,
    };
    match &incoming.caller {
        Some(caller) => {
            let mut scope = call::current().unwrap_or_else(|| Scope::new(""));
            scope.principal = Some(Arc::clone(&caller.principal));
            scope.run(route.run(incoming)).await
        }
        None => route.run(incoming).await,
    }
}

async fn authenticate(
    app: &App,
    route: &Route,
    parts: &Parts,
    address: &str,
) -> Result<Option<Caller>, Problem> {
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
        return match route.access {
            Access::Public => Ok(None),
            Access::Principal => Err(Error::CredentialsMissing.into()),
        };
    };
    if route.access == Access::Public {
        // Whoever logs in may still carry an old token.
        return Ok(None);
    }
    let value = value.to_str().map_err(|_| Error::CredentialsMissing)?;
    match app.auth().authenticate(value).await {
        Ok(credential) => Ok(Some(Caller {
            principal: credential.principal,
            session: credential.session,
            expires_at: credential.expires_at,
        })),
        Err(error @ (Error::TokenInvalid | Error::ApiKeyInvalid)) => {
            // Guessing is counted like logging in.
            let standing = app.limits().take(Class::Login, address).await?;
            refuse_over(standing)?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn count(
    app: &App,
    class: Class,
    client: &str,
    headers: &mut HeaderMap,
) -> Result<(), Problem> {
    let quota = app.limits().quota(class);
    let standing = app.limits().take(class, client).await?;
    tell(class, quota, standing, headers);
    refuse_over(standing)
}

fn refuse_over(standing: Standing) -> Result<(), Problem> {
    if standing.is_allowed {
        return Ok(());
    }
    let retry_after_ms = standing.wait_ms;
    Err(Error::RateLimited { retry_after_ms }.into())
}

/// `RateLimit` and `RateLimit-Policy` as the IETF's draft 10 of "RateLimit header fields for HTTP" has them.
fn tell(class: Class, quota: Quota, standing: Standing, headers: &mut HeaderMap) {
    let name = class.as_str();
    let seconds = |ms: u64| ms.div_ceil(1_000);
    for (header, value) in [
        (
            HeaderName::from_static("ratelimit-policy"),
            format!(
                "\"{name}\";q={};w={}",
                quota.requests,
                seconds(quota.window_ms)
            ),
        ),
        (
            HeaderName::from_static("ratelimit"),
            format!(
                "\"{name}\";r={};t={}",
                standing.remaining,
                seconds(standing.reset_ms)
            ),
        ),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
}

/// The address of the client: that of the connection, or what the trusted proxies say.
fn client_address(app: &App, parts: &Parts) -> String {
    let hops = app.config().trusted_proxies;
    let forwarded = parts.headers.get_all("x-forwarded-for").into_iter();
    let addresses: Vec<&str> = forwarded
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    if hops > 0
        && let Some(place) = addresses.len().checked_sub(hops)
        && let Some(address) = addresses.get(place)
        && let Ok(address) = address.parse::<std::net::IpAddr>()
    {
        return address.to_string();
    }
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or_else(|| NO_ADDRESS.to_owned(), |info| info.0.ip().to_string())
}
