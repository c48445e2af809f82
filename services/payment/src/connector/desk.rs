//! One connector at work: its bulkhead, the repeats inside one call, and its metrics.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use paymesh_kernel::{backoff::Backoff, metrics};
use prometheus::{HistogramVec, IntCounterVec};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Call, Connector};
use crate::domain::Answer;

const CALL_BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How often a call is repeated that certainly had no effect.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries of one call.
    pub tries: u32,
    /// Waits between them.
    pub backoff: Backoff,
    /// How long a call waits for its turn.
    pub queue: Duration,
}

/// A connector with its limits. Clones share them.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Its name.
    pub name: Arc<str>,
    /// The connector.
    pub connector: Arc<dyn Connector>,
    patience: Patience,
    permits: Arc<Semaphore>,
}

/// As many calls as allowed are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

// === impl Desk ===

impl Desk {
    /// A desk at which `concurrent_calls` are made at once.
    pub fn new(
        name: &str,
        connector: Arc<dyn Connector>,
        patience: Patience,
        concurrent_calls: usize,
    ) -> Self {
        Self {
            name: name.into(),
            connector,
            patience,
            permits: Arc::new(Semaphore::new(concurrent_calls)),
        }
    }

    /// A turn at the desk; waits a little when there is none.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, Full> {
        let turn = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.patience.queue, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    /// Makes a call, and again while certainly nothing happened and tries are left. A call whose outcome is unknown is never
    /// repeated here.
    pub async fn send<'a>(
        &'a self,
        step: &'static str,
        call: impl Fn() -> Call<'a, Answer>,
    ) -> Answer {
        let timer = seconds()
            .with_label_values(&[&*self.name, step])
            .start_timer();
        let mut failures = 0;
        let answer = loop {
            let answer = call().await;
            failures += 1;
            let Answer::NotProcessed { retry_after, .. } = &answer else {
                break answer;
            };
            if failures >= self.patience.tries {
                break answer;
            }
            let entropy = u64::from(failures).wrapping_mul(389);
            let wait = self.patience.backoff.wait(failures, entropy);
            // A provider that wants a long rest gets it from the task that works later, not from a caller who waits.
            let wait = retry_after.unwrap_or(wait).min(self.patience.backoff.max);
            tokio::time::sleep(wait).await;
        };
        timer.observe_duration();
        calls()
            .with_label_values(&[&*self.name, step, word(&answer)])
            .inc();
        answer
    }
}

// === free functions ===

const fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Reply(_) | Answer::Look(_) | Answer::Part(_) | Answer::Dispute(_) => "answered",
        Answer::Tombstone => "tombstone",
        Answer::Refused(_) => "refused",
        Answer::NotProcessed { .. } => "not_processed",
        Answer::Unknown => "unknown",
    }
}

fn seconds() -> &'static HistogramVec {
    static CELL: OnceLock<HistogramVec> = OnceLock::new();
    metrics::histogram(
        &CELL,
        "paymesh_connector_call_seconds",
        "Time of one step at a provider, repeats included",
        &CALL_BUCKETS,
        &["connector", "step"],
    )
}

fn calls() -> &'static IntCounterVec {
    static CELL: OnceLock<IntCounterVec> = OnceLock::new();
    metrics::counter(
        &CELL,
        "paymesh_connector_calls_total",
        "Steps sent to providers, by what is known of their outcome",
        &["connector", "step", "answer"],
    )
}
