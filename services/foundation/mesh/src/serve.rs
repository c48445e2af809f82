//! Serving a router on a socket: HTTP/1.1 and HTTP/2 without prior negotiation, with limits and a graceful end.
//!
//! A connection has a place of its own and one of its address. It keeps them only while it is used: one that has not asked
//! anything in time, or that has nothing under way for long, is ended.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use paymesh_kernel::Tasks;
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Limits of one listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeConfig {
    /// Connections at once; more wait in the kernel's queue.
    pub connections: usize,
    /// Connections of one address at once; one more is closed. Behind a proxy every connection has the proxy's address.
    pub connections_per_address: usize,
    /// Streams of one HTTP/2 connection at once.
    pub streams: u32,
    /// A client must have sent its headers after this time, and a new connection its first request.
    pub header_timeout_ms: u64,
    /// A connection with nothing under way is ended after this time. HTTP/1.1 waits no longer than `header_timeout_ms`.
    pub idle_timeout_ms: u64,
    /// How long connections may take to end after the stop.
    pub drain_ms: u64,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_address: 1_024,
            streams: 1_024,
            header_timeout_ms: 10_000,
            idle_timeout_ms: 600_000,
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
/// What an idle connection gets to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The places of a listener.
#[derive(Debug)]
struct Places {
    all: Arc<Semaphore>,
    each: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    address: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// Requests under way on a connection, bodies of answers included.
#[derive(Clone, Debug)]
struct Activity(watch::Sender<usize>);

/// One of them.
#[derive(Debug)]
struct UnderWay(Activity);

/// The body of an answer, under way until it is dropped.
#[derive(Debug)]
struct Counted {
    body: Body,
    _under_way: UnderWay,
}

/// Serves `router` until the process stops, then ends connections gracefully.
pub async fn serve(listener: TcpListener, router: Router, config: ServeConfig, tasks: Tasks) {
    let places = Places::new(&config);
    let builder = builder(&config);
    loop {
        let accepted = tokio::select! {
            accepted = places.accept(&listener) => accepted,
            () = tasks.stopping().cancelled() => break,
        };
        let Some((stream, peer, permit)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(place) = places.take(peer.ip(), permit) else {
            continue;
        };
        stream.set_nodelay(true).ok();
        let attended = attend(
            builder.clone(),
            router.clone(),
            (stream, peer),
            (config.clone(), tasks.stopping().clone()),
        );
        tasks.spawn_once(async move {
            attended.await;
            drop(place);
        });
    }
    drop(listener);
    tokio::time::timeout(
        Duration::from_millis(config.drain_ms),
        places.all_back(config.connections),
    )
    .await
    .ok();
}

/// Serves one connection until it ends, is idle for too long, or the process stops.
async fn attend(
    builder: auto::Builder<TokioExecutor>,
    router: Router,
    (stream, peer): (TcpStream, SocketAddr),
    (config, stop): (ServeConfig, CancellationToken),
) {
    let activity = Activity(watch::Sender::new(0));
    let first = Duration::from_millis(config.header_timeout_ms);
    let later = Duration::from_millis(config.idle_timeout_ms);
    let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (router, under_way) = (router.clone(), activity.begin());
        async move { Ok::<_, Infallible>(call(router, request, under_way).await) }
    });
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let is_idle = tokio::select! {
        // A broken connection is the client's business; its calls were logged where they ran.
        _ = connection.as_mut() => return,
        () = activity.idle(first, later) => true,
        () = stop.cancelled() => false,
    };
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        // What the client had sent before it heard of the end is answered.
        () = activity.idle(GOODBYE, GOODBYE), if is_idle => {}
    }
}

async fn call(router: Router, request: Request<Incoming>, under_way: UnderWay) -> Response<Body> {
    let response = match router.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    // What streams is under way until its last frame.
    response.map(|body| {
        Body::new(Counted {
            body,
            _under_way: under_way,
        })
    })
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

// === impl Places ===

impl Places {
    fn new(config: &ServeConfig) -> Self {
        Self {
            all: Arc::new(Semaphore::new(config.connections)),
            each: config.connections_per_address,
            taken: Arc::default(),
        }
    }

    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.all).acquire_owned().await.ok()?;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                return None;
            }
        };
        Some((stream, peer, permit))
    }

    /// None when the address has all that it may have.
    fn take(&self, address: IpAddr, permit: OwnedSemaphorePermit) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = taken.entry(address).or_default();
        if *of_address >= self.each {
            return None;
        }
        *of_address += 1;
        Some(Place {
            _permit: permit,
            address,
            taken: Arc::clone(&self.taken),
        })
    }

    /// Waits until no place is taken.
    async fn all_back(&self, places: usize) {
        let all = u32::try_from(places).unwrap_or(u32::MAX);
        self.all.acquire_many(all).await.ok();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_address) = taken.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

// === impl Activity ===

impl Activity {
    fn begin(&self) -> UnderWay {
        self.0.send_modify(|under_way| *under_way += 1);
        UnderWay(self.clone())
    }

    /// Ends when nothing was under way for the time `first`, or `later` once something was.
    async fn idle(&self, first: Duration, later: Duration) {
        let mut seen = self.0.subscribe();
        let mut longest = first;
        loop {
            let is_idle = *seen.borrow_and_update() == 0;
            let changed = if is_idle {
                tokio::time::timeout(longest, seen.changed()).await
            } else {
                Ok(seen.changed().await)
            };
            if changed.is_err() {
                return;
            }
            longest = later;
        }
    }
}

// === impl Counted ===

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|under_way| *under_way -= 1);
    }
}
