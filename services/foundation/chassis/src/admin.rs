//! The admin port: `/livez`, `/readyz`, `/health`, `/metrics`, `/log-level`. Plain HTTP, for probes and scrapers.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, put},
};
use prometheus::{Encoder as _, TextEncoder};

use crate::{Health, telemetry::LogLevel};

#[derive(Clone)]
struct Admin {
    health: Health,
    level: LogLevel,
}

/// The routes of the admin port.
pub fn router(health: Health, level: LogLevel) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/health", get(report))
        .route("/metrics", get(|| async { metrics() }))
        .route("/log-level", put(set_level))
        .with_state(Admin { health, level })
}

async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    if admin.health.report().await.ready {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready; /health says why\n",
        )
    }
}

async fn report(State(admin): State<Admin>) -> impl IntoResponse {
    let report = admin.health.report().await;
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report))
}

async fn set_level(State(admin): State<Admin>, directives: String) -> impl IntoResponse {
    match admin.level.set(directives.trim()) {
        Ok(()) => (StatusCode::OK, "set\n".to_owned()),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

fn metrics() -> impl IntoResponse {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&prometheus::gather(), &mut text) {
        Ok(()) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
            text,
        ),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain")],
            error.to_string().into_bytes(),
        ),
    }
}
