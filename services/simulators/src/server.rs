//! A small HTTP/1.1 server around an axum router, with what a simulator needs beyond one: it can leave a caller without an
//! answer, and it bounds connections, requests and hanging callers.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::problem::Problem;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long open connections get to finish when the server stops.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait after the system refused a connection, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a request ends that gets no answer. Put into a response's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Wait as configured, then close the connection.
    Hang,
    /// Close the connection at once.
    Cut,
}

/// Bounds of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Requests worked on at a time; more are answered with 503.
    pub requests: usize,
    /// Callers left hanging at a time; more are cut off at once.
    pub hanging: usize,
    /// How long a caller is left hanging, in milliseconds.
    pub hang_ms: u64,
    /// The size the journal may reach, in bytes; then everything that would write is answered with 507.
    pub journal_bytes: u64,
    /// Objects (payments, or payouts and deposits) that may be held in memory; then new ones are answered with 507.
    pub objects: usize,
}

/// The simulator closed the connection on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
struct ClosedOnPurpose;

struct Gate {
    router: Router,
    requests: Arc<Semaphore>,
    hanging: Arc<Semaphore>,
    hang: Duration,
    stop: CancellationToken,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            requests: 2_048,
            hanging: 1_024,
            hang_ms: 60_000,
            journal_bytes: 16 * 1024 * 1024 * 1024,
            objects: 2_000_000,
        }
    }
}

// === impl Gate ===

impl Gate {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response, ClosedOnPurpose> {
        let response = match Arc::clone(&self.requests).try_acquire_owned() {
            Ok(permit) => self.route(request, permit).await,
            Err(_) => Problem::busy("too many requests at once").into_response(),
        };
        match response.extensions().get::<Ending>() {
            None => Ok(response),
            Some(Ending::Cut) => Err(ClosedOnPurpose),
            Some(Ending::Hang) => {
                // A hanging caller gives its place as a request back and takes one of the places for hanging.
                if let Ok(_place) = self.hanging.try_acquire() {
                    until(&self.stop, tokio::time::sleep(self.hang)).await;
                }
                Err(ClosedOnPurpose)
            }
        }
    }

    async fn route(&self, request: Request<Incoming>, _permit: OwnedSemaphorePermit) -> Response {
        let answered: Result<Response, Infallible> =
            self.router.clone().oneshot(request.map(Body::new)).await;
        match answered {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

// === free functions ===

/// Accepts connections until `stop`, then lets open ones finish for a while. Dropping the future cuts all of them off.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let gate = Arc::new(Gate {
        router,
        requests: Arc::new(Semaphore::new(limits.requests)),
        hanging: Arc::new(Semaphore::new(limits.hanging)),
        hang: Duration::from_millis(limits.hang_ms),
        stop: stop.clone(),
    });
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, place)) => {
                connections.spawn(connection(Arc::clone(&gate), stream, place));
            }
            Err(error) => {
                tracing::debug!(error = %error, "a connection was not accepted");
                until(&stop, tokio::time::sleep(ACCEPT_PAUSE)).await;
            }
        }
    }
    drop(listener);
    let finished = tokio::time::timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    if finished.is_err() {
        tracing::warn!(
            open = connections.len(),
            "connections were cut off at the end of the grace period"
        );
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

async fn connection(gate: Arc<Gate>, stream: TcpStream, _place: OwnedSemaphorePermit) {
    let stop = gate.stop.clone();
    let service = service_fn(move |request| Arc::clone(&gate).answer(request));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

/// Waits for `wait`, or for the stop.
pub(crate) async fn until(stop: &CancellationToken, wait: impl Future<Output = ()>) {
    tokio::select! {
        () = wait => {}
        () = stop.cancelled() => {}
    }
}
