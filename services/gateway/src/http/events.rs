//! Server-sent events: the caller's own facts, as they happen (G6).

use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use bytes::Bytes;
use futures::stream;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::Instant,
};

use super::{
    answer::{Describes, Raw},
    input::{Caller, Headers},
    problem::Problem,
    route::Route,
};
use crate::{
    app::{
        App,
        feed::{Feed, Seat, Told},
    },
    domain::audience::Viewer,
    store::feed::{Entry, PAGE},
};

const TAG: &str = "Events";
/// A stream ends after this, or with the token: who reads on proves who they are again.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How long a client should wait before it connects again, in milliseconds.
const RECONNECT_MS: u32 = 2_000;

/// A stream of events.
pub(crate) struct EventStream;

impl Describes for EventStream {
    const MEDIA_TYPE: &'static str = "text/event-stream";
    const ABOUT: &'static str = "`id` for `Last-Event-ID`, `event` with the kind, `data` with a JSON object: `id`, `type`, `occurred_at`, \
                                 `business_at`, `sequence` and the fact in `data`. An event may come twice; its `id` tells.";
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/events", follow)
            .about("Follow your events")
            .notes(
                "Facts of transactions and payments: staff sees the tenant's, customers and merchants see their own. With \
                 `Last-Event-ID` the stream begins with what was missed; `events.missed` says that some of it is not kept any more. \
                 A stream ends after 15 minutes, with the token, or when the reader is too slow: connect again.",
            )
            .tag(TAG),
    ]
}

async fn follow(
    app: App,
    caller: Caller,
    Headers(headers): Headers,
) -> Result<Raw<EventStream>, Problem> {
    let viewer = Viewer::of(&caller.principal);
    let client = format!("{}/{}", caller.principal.tenant, caller.principal.subject);
    let seat = app.feed().sit(client)?;
    let last = headers.get("last-event-id").map(|id| {
        let position = id
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok());
        position.filter(|position| *position >= 0).ok_or(())
    });
    let last = last.transpose().map_err(|()| {
        Problem::field("Last-Event-ID", "must be the id of an event of this stream")
    })?;
    let life = caller
        .expires_at
        .map_or(LONGEST, |at| at.since(app.clock().now()).min(LONGEST));
    // Listening begins before the past is read, so that nothing falls between.
    let listener = app.feed().listen();
    let low = app.feed().low();
    let mut waiting = VecDeque::from([Bytes::from(format!("retry: {RECONNECT_MS}\n\n"))]);
    if let Some(last) = last
        && app.feed().has_lost(last).await?
    {
        waiting.push_back(Bytes::from_static(b"event: events.missed\ndata: {}\n\n"));
    }
    let reader = Reader {
        feed: app.feed().clone(),
        _seat: seat,
        viewer,
        listener,
        low,
        // The client was told this position as a safe one.
        safe: last.map_or(low, |last| low.max(last)),
        replayed_to: last,
        replayed: HashSet::new(),
        waiting,
        sent_at: Instant::now(),
        ends_at: Instant::now() + life,
    };
    let body = Body::from_stream(stream::unfold(reader, Reader::step));
    let mut response = Response::new(body);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // Proxies are not to collect events before they pass them on.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(Raw::new(response))
}

/// One open stream.
struct Reader {
    feed: Feed,
    _seat: Seat,
    viewer: Viewer,
    listener: broadcast::Receiver<Arc<Told>>,
    /// Where `low` was when listening began.
    low: i64,
    /// No event of the past has an id for resuming beyond this.
    safe: i64,
    /// How far the past is read; None when it is, or when nobody asked for it.
    replayed_to: Option<i64>,
    /// Positions above `low` that were read from the past, and may be told again.
    replayed: HashSet<i64>,
    waiting: VecDeque<Bytes>,
    sent_at: Instant,
    ends_at: Instant,
}

// === impl Reader ===

impl Reader {
    /// The next piece of the stream; None ends it.
    async fn step(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if let Some(piece) = self.waiting.pop_front() {
                self.sent_at = Instant::now();
                return Some((Ok(piece), self));
            }
            if Instant::now() >= self.ends_at {
                return None;
            }
            match self.replayed_to {
                Some(position) => self.replay(position).await?,
                None => self.listen().await?,
            }
        }
    }

    /// Reads one page of the past.
    async fn replay(&mut self, position: i64) -> Option<()> {
        let page = match self.feed.page(&self.viewer, position).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "the past of a stream cannot be read; the stream ends");
                return None;
            }
        };
        let is_last = u64::try_from(page.len()).unwrap_or(0) < PAGE;
        self.replayed_to = page.last().map(|entry| entry.position).filter(|_| !is_last);
        for entry in page {
            if entry.position > self.low {
                self.replayed.insert(entry.position);
            }
            self.waiting
                .push_back(frame(&entry, entry.position.min(self.safe)));
        }
        Some(())
    }

    /// Waits for the next event, or for the time of a heartbeat.
    async fn listen(&mut self) -> Option<()> {
        let stopping = self.feed.draining();
        let wait = (self.sent_at + self.feed.heartbeat()).min(self.ends_at);
        tokio::select! {
            () = stopping.cancelled() => None,
            () = tokio::time::sleep_until(wait) => {
                self.waiting.push_back(Bytes::from_static(b": alive\n\n"));
                Some(())
            }
            told = self.listener.recv() => match told {
                Ok(told) => {
                    let Told { entry, resume } = told.as_ref();
                    let is_new = !self.replayed.remove(&entry.position);
                    if is_new && self.viewer.sees(entry.tenant, &entry.audience) {
                        self.waiting.push_back(frame(entry, *resume));
                    }
                    Some(())
                }
                // Too slow: the client connects again and resumes.
                Err(RecvError::Lagged(_) | RecvError::Closed) => None,
            },
        }
    }
}

/// One event. Its data is JSON on one line.
fn frame(entry: &Entry, resume: i64) -> Bytes {
    Bytes::from(format!(
        "id: {resume}\nevent: {}\ndata: {}\n\n",
        entry.kind, entry.data
    ))
}
