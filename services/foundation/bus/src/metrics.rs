//! The bus's metrics. Registered once a process; component and queue are labels.

use std::sync::OnceLock;

use paymesh_kernel::{
    Timestamp,
    metrics::{counter, histogram},
};
use prometheus::{Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, Opts};

use crate::{inbox::InboxDepth, outbox::read::OutboxDepth};

/// Seconds from a decision to its effect at a consumer.
const DELAY_BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0, 60.0];

/// Of one component's relay.
#[derive(Debug)]
pub(crate) struct RelayMetrics {
    pub(crate) published: IntCounter,
    pub(crate) refused: IntCounter,
    pub(crate) outages: IntCounter,
    unsent: Gauge,
    blocked: Gauge,
    oldest: Gauge,
}

impl RelayMetrics {
    pub(crate) fn new(component: &str) -> Self {
        static PUBLISHED: OnceLock<IntCounterVec> = OnceLock::new();
        static REFUSED: OnceLock<IntCounterVec> = OnceLock::new();
        static OUTAGES: OnceLock<IntCounterVec> = OnceLock::new();
        static UNSENT: OnceLock<GaugeVec> = OnceLock::new();
        static BLOCKED: OnceLock<GaugeVec> = OnceLock::new();
        static OLDEST: OnceLock<GaugeVec> = OnceLock::new();
        let labels = ["component"];
        let count =
            |cell, name, help| counter(cell, name, help, &labels).with_label_values(&[component]);
        let level =
            |cell, name, help| gauge(cell, name, help, &labels).with_label_values(&[component]);
        Self {
            published: count(
                &PUBLISHED,
                "paymesh_outbox_published_total",
                "Events that the broker confirmed",
            ),
            refused: count(
                &REFUSED,
                "paymesh_outbox_refused_total",
                "Events that the broker refused or could not route",
            ),
            outages: count(
                &OUTAGES,
                "paymesh_outbox_relay_failures_total",
                "Rounds of the relay that failed because broker or database were away",
            ),
            unsent: level(
                &UNSENT,
                "paymesh_outbox_rows",
                "Rows in the outbox that the broker has not confirmed",
            ),
            blocked: level(
                &BLOCKED,
                "paymesh_outbox_blocked_aggregates",
                "Aggregates held up by an event that the broker refused",
            ),
            oldest: level(
                &OLDEST,
                "paymesh_outbox_oldest_unsent_seconds",
                "Age of the oldest unsent row",
            ),
        }
    }

    pub(crate) fn set(&self, depth: &OutboxDepth, now: Timestamp) {
        self.unsent.set(number(depth.unsent));
        self.blocked.set(number(depth.blocked));
        self.oldest.set(age(depth.oldest_at, now));
    }
}

/// Of one subscription.
#[derive(Debug)]
pub(crate) struct ConsumerMetrics {
    pub(crate) applied: IntCounter,
    pub(crate) dropped: IntCounter,
    pub(crate) parked: IntCounter,
    pub(crate) retried: IntCounter,
    pub(crate) died: IntCounter,
    pub(crate) conflicts: IntCounter,
    pub(crate) delay: Histogram,
    gaps: Gauge,
    dead: Gauge,
    oldest_gap: Gauge,
}

impl ConsumerMetrics {
    pub(crate) fn new(queue: &str) -> Self {
        static EVENTS: OnceLock<IntCounterVec> = OnceLock::new();
        static CONFLICTS: OnceLock<IntCounterVec> = OnceLock::new();
        static DELAY: OnceLock<HistogramVec> = OnceLock::new();
        static WAITING: OnceLock<GaugeVec> = OnceLock::new();
        static OLDEST: OnceLock<GaugeVec> = OnceLock::new();
        let outcome = |outcome: &str| {
            counter(
                &EVENTS,
                "paymesh_inbox_events_total",
                "Deliveries by what became of them",
                &["queue", "outcome"],
            )
            .with_label_values(&[queue, outcome])
        };
        let waiting = |state: &str| {
            gauge(
                &WAITING,
                "paymesh_inbox_waiting",
                "Events that wait in the inbox, by state",
                &["queue", "state"],
            )
            .with_label_values(&[queue, state])
        };
        Self {
            applied: outcome("applied"),
            dropped: outcome("duplicate"),
            parked: outcome("parked"),
            retried: outcome("retry"),
            died: outcome("dead"),
            conflicts: counter(
                &CONFLICTS,
                "paymesh_inbox_conflicts_total",
                "Effects decided again because a row was changed meanwhile",
                &["queue"],
            )
            .with_label_values(&[queue]),
            delay: histogram(
                &DELAY,
                "paymesh_event_delay_seconds",
                "Time from the decision that an event tells of to its committed effect",
                &DELAY_BUCKETS,
                &["queue"],
            )
            .with_label_values(&[queue]),
            gaps: waiting("gap"),
            dead: waiting("dead"),
            oldest_gap: gauge(
                &OLDEST,
                "paymesh_inbox_oldest_gap_seconds",
                "Age of the oldest event that waits for an earlier one of its aggregate",
                &["queue"],
            )
            .with_label_values(&[queue]),
        }
    }

    pub(crate) fn set(&self, depth: &InboxDepth, now: Timestamp) {
        self.gaps.set(number(depth.gaps));
        self.dead.set(number(depth.dead));
        self.oldest_gap.set(age(depth.oldest_gap_at, now));
    }
}

/// Of one connection to a broker.
#[derive(Debug)]
pub(crate) struct LinkMetrics {
    pub(crate) connected: Gauge,
    pub(crate) connections: IntCounter,
}

impl LinkMetrics {
    pub(crate) fn new(link: &str) -> Self {
        static CONNECTED: OnceLock<GaugeVec> = OnceLock::new();
        static CONNECTIONS: OnceLock<IntCounterVec> = OnceLock::new();
        Self {
            connected: gauge(
                &CONNECTED,
                "paymesh_broker_connected",
                "1 while the connection to the broker stands",
                &["link"],
            )
            .with_label_values(&[link]),
            connections: counter(
                &CONNECTIONS,
                "paymesh_broker_connections_total",
                "Connections opened to the broker",
                &["link"],
            )
            .with_label_values(&[link]),
        }
    }
}

fn gauge(
    cell: &'static OnceLock<GaugeVec>,
    name: &str,
    help: &str,
    labels: &[&str],
) -> &'static GaugeVec {
    cell.get_or_init(|| {
        let vec = GaugeVec::new(Opts::new(name, help), labels)
            .expect("a metric's name and labels are constants of ours");
        prometheus::default_registry()
            .register(Box::new(vec.clone()))
            .ok();
        vec
    })
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn age(since: Option<Timestamp>, now: Timestamp) -> f64 {
    since.map_or(0.0, |since| now.since(since).as_secs_f64())
}
