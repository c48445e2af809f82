//! Where to begin: links, the document, the keys that tokens are verified with.

use std::sync::OnceLock;

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use paymesh_proto::user::v1 as pb;

use super::{
    answer::{Describes, Found, Raw},
    document,
    form::{form, shape},
    page,
    problem::Problem,
    route::Route,
};
use crate::app::App;

const TAG: &str = "Discovery";
/// The page has its style in itself and nothing else.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// The document and the page change with the version alone.
const CACHE: &str = "public, max-age=300";

shape! {
    /// Where to go from here.
    Home {
        name: String,
        version: String,
        links: Links,
    }
}

shape! {
    /// Paths.
    Links {
        documentation: String,
        openapi: String,
        events: String,
        jwks: String,
    }
}

form! {
    /// A public key (RFC 7517, RFC 8037).
    Jwk from pb::Jwk {
        kid: String,
        kty: String,
        crv: String,
        alg: String,
        x: String,
    }
}

shape! {
    /// The keys that access tokens are signed with.
    JwkSet {
        keys: Vec<Jwk>,
    }
}

/// The document.
pub(crate) struct Document;

impl Describes for Document {
    const MEDIA_TYPE: &'static str = "application/json";
    const ABOUT: &'static str = "The OpenAPI 3.1 document";
}

/// The page.
pub(crate) struct Html;

impl Describes for Html {
    const MEDIA_TYPE: &'static str = "text/html";
    const ABOUT: &'static str = "The document for people";
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/", home)
            .about("Where to begin")
            .public()
            .tag(TAG),
        Route::get("/openapi.json", openapi)
            .about("This document")
            .public()
            .tag(TAG),
        Route::get("/docs", docs)
            .about("This document for people")
            .public()
            .tag(TAG),
        Route::get("/.well-known/jwks.json", jwks)
            .about("The keys that access tokens are verified with")
            .calls(&["UserService/GetJwks"])
            .public()
            .tag(TAG),
    ]
}

async fn home() -> Result<Found<Home>, Problem> {
    std::future::ready(Ok(Found(Home {
        name: "Paymesh".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        links: Links {
            documentation: "/docs".to_owned(),
            openapi: "/openapi.json".to_owned(),
            events: "/v1/events".to_owned(),
            jwks: "/.well-known/jwks.json".to_owned(),
        },
    })))
    .await
}

async fn openapi() -> Result<Raw<Document>, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document::document().to_string());
    std::future::ready(Ok(Raw::new(kept("application/json", text)))).await
}

async fn docs() -> Result<Raw<Html>, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| page::render(document::document()));
    let mut response = kept("text/html; charset=utf-8", text);
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(PAGE_POLICY),
    );
    std::future::ready(Ok(Raw::new(response))).await
}

fn kept(media_type: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    response
}

async fn jwks(app: App) -> Result<Found<JwkSet>, Problem> {
    let keys = app.auth().jwks().published().await?;
    Ok(Found(JwkSet {
        keys: super::form::Form::form(keys),
    }))
}
