//! Delivers events: signed, at least once, in parallel, with repeats until a 2xx, some twice or late when asked for.
//!
//! Invariants:
//! - W1: an event leaves only after the line it belongs to is durable.
//! - W2: an event counts as delivered after a 2xx; the mark is written in batches, so a crash repeats a delivery but loses none.
//! - W3: bounded: deliveries at a time, events in hand, tries.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::engine::Engine;
use crate::provider::event::{Event, line_of};
use crate::provider::fact::Fact;
use crate::provider::settings::{WebhookPolicy, WebhookTarget};
use crate::provider::state::State;
use crate::timestamp::Timestamp;

/// The header of the signature.
pub(crate) const SIGNATURE: &str = "Paymesh-Simulator-Signature";
/// Events of one target held in hand; the rest waits in the state.
const IN_HAND: usize = 2_048;
/// Marks that are written together.
const MARKS_AT_ONCE: usize = 512;
/// How long a mark may wait to be written.
const MARK_WAIT: Duration = Duration::from_millis(100);
/// A second copy follows the first by this much, so that both are on their way at once.
const COPY_LAG: Duration = Duration::from_millis(5);

/// One delivery that waits for its time. Ordered by time, then by the event's sequence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    sequence: u64,
    copy: u8,
    attempt: u32,
}

/// What came of one try.
struct Tried {
    due: Due,
    event: Arc<Event>,
    accepted: Accepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepted {
    Yes,
    No,
}

/// Delivers to one target.
pub(crate) struct Courier {
    pub(crate) engine: Arc<Engine<State>>,
    pub(crate) client: reqwest::Client,
    pub(crate) target: WebhookTarget,
    pub(crate) policy: WebhookPolicy,
    pub(crate) chance: Chance,
    pub(crate) stop: CancellationToken,
}

/// What a courier has in hand.
#[derive(Default)]
struct Hand {
    queue: BinaryHeap<Reverse<(Due, Held)>>,
    trying: JoinSet<Tried>,
    taken: u64,
    delivered: Vec<u64>,
    abandoned: Vec<u64>,
    mark_by: Option<Instant>,
}

/// An event in the queue; it takes no part in the order.
#[derive(Debug)]
struct Held(Arc<Event>);

// === impl Held ===

impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

// === impl Courier ===

impl Courier {
    /// Delivers until the stop, then writes the last marks.
    pub(crate) async fn run(self) {
        let mut progress = self.engine.progress();
        let mut hand = Hand::default();
        loop {
            let Ok(durable) = progress.current() else {
                return;
            };
            self.take(&mut hand, durable);
            self.start_due(&mut hand);
            self.mark(&mut hand);
            let wake = self.next_wake(&hand);
            tokio::select! {
                () = self.stop.cancelled() => break,
                changed = progress.changed() => if changed.is_err() { return },
                Some(tried) = hand.trying.join_next() => self.settle(&mut hand, tried),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        hand.mark_by = Some(Instant::now());
        self.mark(&mut hand);
    }

    /// Takes durable events from the state (W1).
    fn take(&self, hand: &mut Hand, durable: u64) {
        let room = IN_HAND.saturating_sub(hand.queue.len() + hand.trying.len());
        if room == 0 {
            return;
        }
        let events = self
            .engine
            .peek(|state| state.outbox.after(&self.target.url, hand.taken, room));
        let now = Instant::now();
        for event in events
            .into_iter()
            .take_while(|event| line_of(event.sequence) <= durable)
        {
            hand.taken = event.sequence;
            let held =
                self.chance
                    .hits("webhook-reorder", &event.id, self.policy.reorder_per_mille);
            let hold = if held { self.policy.reorder_hold_ms } else { 0 };
            let twice = event.twice
                || self.chance.hits(
                    "webhook-duplicate",
                    &event.id,
                    self.policy.duplicate_per_mille,
                );
            let due = |copy: u8| Due {
                at: now + Duration::from_millis(hold) + COPY_LAG * u32::from(copy),
                sequence: event.sequence,
                copy,
                attempt: 0,
            };
            if twice {
                hand.queue.push(Reverse((due(1), Held(Arc::clone(&event)))));
            }
            hand.queue.push(Reverse((due(0), Held(event))));
        }
    }

    fn start_due(&self, hand: &mut Hand) {
        let now = Instant::now();
        while hand.trying.len() < self.policy.concurrency {
            match hand.queue.pop() {
                Some(Reverse((due, Held(event)))) if due.at <= now => {
                    let request = self.request(&event.body, self.engine.now());
                    hand.trying.spawn(async move {
                        let accepted = match request.send().await {
                            Ok(response) if response.status().is_success() => Accepted::Yes,
                            Ok(_) | Err(_) => Accepted::No,
                        };
                        Tried {
                            due,
                            event,
                            accepted,
                        }
                    });
                }
                Some(later) => {
                    hand.queue.push(later);
                    return;
                }
                None => return,
            }
        }
    }

    /// Notes what came of a try: done, again later, or given up (W3).
    fn settle(&self, hand: &mut Hand, tried: Result<Tried, tokio::task::JoinError>) {
        let Ok(Tried {
            due,
            event,
            accepted,
        }) = tried
        else {
            tracing::error!("a webhook delivery ended early");
            return;
        };
        // Only the first copy decides; the second is an extra that is tried once.
        if due.copy > 0 {
            return;
        }
        if accepted == Accepted::No && due.attempt + 1 < self.policy.attempts {
            let wait = self.back_off(due.attempt, &event.id);
            let again = Due {
                at: Instant::now() + wait,
                attempt: due.attempt + 1,
                ..due
            };
            hand.queue.push(Reverse((again, Held(event))));
            return;
        }
        match accepted {
            Accepted::Yes => hand.delivered.push(event.sequence),
            Accepted::No => {
                tracing::warn!(event = %event.id, attempts = self.policy.attempts, "a webhook is given up");
                hand.abandoned.push(event.sequence);
            }
        }
        hand.mark_by
            .get_or_insert_with(|| Instant::now() + MARK_WAIT);
    }

    /// Writes marks when they are due (W2).
    fn mark(&self, hand: &mut Hand) {
        let many = hand.delivered.len() + hand.abandoned.len() >= MARKS_AT_ONCE;
        if !many && hand.mark_by.is_none_or(|by| by > Instant::now()) {
            return;
        }
        hand.mark_by = None;
        if hand.delivered.is_empty() && hand.abandoned.is_empty() {
            return;
        }
        let done = Fact::WebhooksDone {
            target: self.target.url.clone(),
            delivered: std::mem::take(&mut hand.delivered),
            abandoned: std::mem::take(&mut hand.abandoned),
        };
        if self.engine.note(&[done]).is_err() {
            tracing::warn!(
                "delivered webhooks could not be marked; they are delivered again after a restart"
            );
        }
    }

    fn next_wake(&self, hand: &Hand) -> Instant {
        let full = hand.trying.len() >= self.policy.concurrency;
        let due = hand
            .queue
            .peek()
            .filter(|_| !full)
            .map(|Reverse((due, _))| due.at);
        let wake = due.into_iter().chain(hand.mark_by).min();
        wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600))
    }

    fn back_off(&self, attempt: u32, event_id: &str) -> Duration {
        let doubled = self
            .policy
            .first_retry_ms
            .saturating_mul(1 << attempt.min(20));
        let wait = doubled.min(self.policy.longest_retry_ms).max(1);
        // Up to a quarter more, so that events which failed together do not come back together.
        Duration::from_millis(wait + self.chance.draw("webhook-jitter", event_id) % (wait / 4 + 1))
    }

    fn request(&self, body: &str, now: Timestamp) -> reqwest::RequestBuilder {
        self.client
            .post(&self.target.url)
            .timeout(Duration::from_millis(self.policy.timeout_ms))
            .header("content-type", "application/json")
            .header(
                SIGNATURE,
                signature(self.target.secret.expose_secret(), now, body),
            )
            .body(body.to_owned())
    }
}

// === free functions ===

/// `t=<seconds>,v1=<hex HMAC-SHA-256 of "seconds.body">`.
fn signature(secret: &str, now: Timestamp, body: &str) -> String {
    let seconds = now.unix_seconds();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    format!(
        "t={seconds},v1={}",
        hex::encode(mac.finalize().into_bytes())
    )
}

#[cfg(test)]
mod tests;
