//! Reading a body: how large it may be, and how long it may take to come.

use std::{task::Poll, time::Duration};

use axum::{
    body::Body,
    http::{header, request::Parts},
};
use bytes::{Bytes, BytesMut};
use futures::poll;
use http_body_util::BodyExt as _;
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};

use super::{problem::Problem, route::BodySize};
use crate::{app::App, error::Error};

/// Room that is made for a body before any of it has come.
const FIRST_ROOM_BYTES: usize = 16 * 1024;

/// Reads the whole body of a request from `address`. While it has to wait for the client, the request's place among those that are
/// handled is given back, and one among the uploads is held.
///
/// # Errors
/// When it is too large, too slow or broken, or there is no place.
pub(crate) async fn read<'a>(
    app: &'a App,
    (size, address): (BodySize, &str),
    (parts, mut body): (&Parts, Body),
    handled: SemaphorePermit<'a>,
) -> Result<(Bytes, SemaphorePermit<'a>), Problem> {
    let config = app.config();
    let limit_bytes = match size {
        BodySize::Usual => config.body_limit_bytes,
        BodySize::Webhook => config.webhook_limit_bytes,
        BodySize::Import => config.import_limit_bytes,
    };
    let announced = announced(parts);
    if announced.is_some_and(|length| length > limit_bytes) {
        return Err(Error::BodyTooLarge { limit_bytes }.into());
    }
    let pace = Pace::new(app, size);
    let mut handled = Some(handled);
    let mut upload = None;
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0).min(FIRST_ROOM_BYTES));
    loop {
        let mut next = body.frame();
        let frame = match poll!(&mut next) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if upload.is_none() {
                    upload = Some(app.uploads().take(address)?);
                    drop(handled.take());
                }
                let until = pace.until(bytes.len());
                timeout_at(until, next).await.map_err(|_| Error::BodySlow)?
            }
        };
        let Some(frame) = frame else {
            break;
        };
        let Ok(data) = frame.map_err(|_| Error::BodyBroken)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit_bytes {
            return Err(Error::BodyTooLarge { limit_bytes }.into());
        }
        bytes.extend_from_slice(&data);
    }
    let handled = match handled {
        Some(handled) => handled,
        None => app.place()?,
    };
    Ok((bytes.freeze(), handled))
}

fn announced(parts: &Parts) -> Option<usize> {
    let length = parts.headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// How long a body may take: so long in all, and after a while no slower than so many bytes a second.
#[derive(Clone, Copy, Debug)]
struct Pace {
    started: Instant,
    in_all: Duration,
    grace: Duration,
    bytes_per_second: u32,
}

// === impl Pace ===

impl Pace {
    fn new(app: &App, size: BodySize) -> Self {
        let config = &app.config().bodies;
        let in_all_ms = match size {
            BodySize::Usual | BodySize::Webhook => config.timeout_ms,
            BodySize::Import => config.import_timeout_ms,
        };
        Self {
            started: Instant::now(),
            in_all: Duration::from_millis(in_all_ms),
            grace: Duration::from_millis(config.grace_ms),
            bytes_per_second: config.bytes_per_second,
        }
    }

    /// When more than `received` bytes must have come.
    fn until(self, received: usize) -> Instant {
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1).saturating_mul(received) / self.bytes_per_second.max(1);
        self.started + self.in_all.min(self.grace.saturating_add(earned))
    }
}
