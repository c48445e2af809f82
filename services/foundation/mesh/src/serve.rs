//! Serving a router on a socket: HTTP/1.1 and HTTP/2 without prior negotiation, with limits and a graceful end.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use paymesh_kernel::Tasks;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::Semaphore};
use tower::ServiceExt as _;

/// Limits of one listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeConfig {
    /// Connections at once; more wait in the kernel's queue.
    pub connections: usize,
    /// Streams of one HTTP/2 connection at once.
    pub streams: u32,
    /// A client must have sent its headers after this time.
    pub header_timeout_ms: u64,
    /// How long connections may take to end after the stop.
    pub drain_ms: u64,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            connections: 4_096,
            streams: 1_024,
            header_timeout_ms: 10_000,
            drain_ms: 10_000,
        }
    }
}

/// Wait after `accept` failed, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Largest block of request headers, in bytes.
const HEADER_LIMIT: u32 = 16 * 1024;
/// Interval of HTTP/2 pings.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Serves `router` until the process stops, then ends connections gracefully.
pub async fn serve(listener: TcpListener, router: Router, config: ServeConfig, tasks: Tasks) {
    let graceful = GracefulShutdown::new();
    let permits = std::sync::Arc::new(Semaphore::new(config.connections));
    let builder = builder(&config);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = tasks.stopping().cancelled() => break,
        };
        let Some((stream, permit)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        stream.set_nodelay(true).ok();
        let peer = stream.peer_addr().ok();
        let router = router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            let router = router.clone();
            async move { Ok::<_, Infallible>(call(router, request).await) }
        });
        let connection = builder
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .into_owned();
        let watched = graceful.watch(connection);
        tasks.spawn_once(async move {
            // A broken connection is the client's business; its calls were logged where they ran.
            watched.await.ok();
            drop(permit);
        });
    }
    drop(listener);
    tokio::time::timeout(Duration::from_millis(config.drain_ms), graceful.shutdown())
        .await
        .ok();
}

async fn accept(
    listener: &TcpListener,
    permits: &std::sync::Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = std::sync::Arc::clone(permits).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, permit))
}

async fn call(router: Router, request: Request<Incoming>) -> http::Response<Body> {
    match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn builder(config: &ServeConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.header_timeout_ms));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.streams)
        .max_header_list_size(HEADER_LIMIT)
        .keep_alive_interval(KEEP_ALIVE);
    builder
}
