//! The open loop, and what came of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::{sync::Semaphore, task::JoinSet, time};

use super::mix::{Kind, Mix, Payment, Refundable};
use crate::rest::{Answer, Rest, run_name};

/// Longest time that is measured, in microseconds.
const LONGEST_US: u64 = 120_000_000;
/// Significant digits of times.
const DIGITS: u8 = 3;
/// Between two looks at what has not ended.
const PACE: Duration = Duration::from_millis(200);

/// How much and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) rate: u32,
    pub(super) warm_up: u32,
    pub(super) seconds: u32,
    pub(super) in_flight: u32,
}

/// What came of the payments, the warm-up's too; times are without it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// From the intended start to the answer, in microseconds.
    pub(super) times: Histogram<u64>,
    /// Answers in the measured time, and how long that was.
    pub(super) measured: u64,
    pub(super) elapsed: Duration,
    /// Not started because too many were under way.
    pub(super) shed: u64,
    pub(super) results: Vec<Sent>,
}

/// One payment that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) kind: Kind,
    pub(super) minor: i64,
    pub(super) currency: &'static str,
    pub(super) transaction: String,
    /// Its last known status, or the problem's reason.
    pub(super) status: String,
    pub(super) is_failure: bool,
}

/// What every payment under way shares.
struct Shared {
    rest: Rest,
    refundable: Refundable,
    run: String,
    results: Mutex<Vec<Sent>>,
    times: Mutex<Histogram<u64>>,
    measured: AtomicU64,
}

// === impl Load ===

impl Load {
    /// Sends everything and waits for every answer.
    ///
    /// # Errors
    /// When the histogram cannot be made.
    pub(super) async fn run(&self, rest: &Rest, mut mix: Mix) -> Result<Outcome> {
        let shared = Arc::new(Shared {
            rest: rest.clone(),
            refundable: mix.refundable(),
            run: run_name(),
            results: Mutex::default(),
            times: Mutex::new(Histogram::new_with_max(LONGEST_US, DIGITS)?),
            measured: AtomicU64::new(0),
        });
        let slots = Arc::new(Semaphore::new(usize::try_from(self.in_flight)?));
        let begin = Instant::now();
        let counted_from = begin + Duration::from_secs(u64::from(self.warm_up));
        let total = u64::from(self.rate) * u64::from(self.warm_up + self.seconds);
        let (mut tasks, mut shed) = (JoinSet::new(), 0);
        for number in 0..total {
            let intended =
                begin + Duration::from_nanos(number * 1_000_000_000 / u64::from(self.rate));
            time::sleep_until(intended.into()).await;
            while tasks.try_join_next().is_some() {}
            let payment = mix.next();
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                shed += u64::from(intended >= counted_from);
                continue;
            };
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                shared
                    .send(number, payment, intended, intended >= counted_from)
                    .await;
                drop(slot);
            });
        }
        while tasks.join_next().await.is_some() {}
        let elapsed = counted_from.elapsed();
        let shared = Arc::into_inner(shared).expect("every task has ended");
        Ok(Outcome {
            times: shared
                .times
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            measured: shared.measured.into_inner(),
            elapsed,
            shed,
            results: shared
                .results
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        })
    }
}

// === impl Shared ===

impl Shared {
    async fn send(&self, number: u64, payment: Payment, intended: Instant, counts: bool) {
        let key = format!("{}-{number}", self.run);
        let answer = self.rest.post(&payment.path, &key, &payment.body).await;
        let took = u64::try_from(intended.elapsed().as_micros()).unwrap_or(LONGEST_US);
        if counts {
            self.measured.fetch_add(1, Ordering::Relaxed);
            locked(&self.times).saturating_record(took);
        }
        let sent = sent(&payment, answer);
        if payment.kind == Kind::Purchase && sent.status == "completed" {
            self.refundable
                .add(&sent.transaction, sent.minor, sent.currency);
        }
        locked(&self.results).push(sent);
    }
}

fn sent(payment: &Payment, answer: Result<Answer>) -> Sent {
    let (status, transaction, is_failure) = match answer {
        Ok(answer) if answer.is_good() => match payment.kind {
            Kind::Refund => {
                let status = answer.text_at("/operation/state").to_owned();
                (status, answer.text_at("/transaction/id").to_owned(), false)
            }
            Kind::Purchase | Kind::Transfer => (
                answer.text_at("/status").to_owned(),
                answer.text_at("/id").to_owned(),
                false,
            ),
        },
        Ok(answer) => (
            format!("{} {}", answer.status, answer.text_at("/reason")),
            String::new(),
            true,
        ),
        Err(_) => ("no answer".to_owned(), String::new(), true),
    };
    Sent {
        kind: payment.kind,
        minor: payment.minor,
        currency: payment.currency,
        transaction,
        status,
        is_failure,
    }
}

// === impl Outcome ===

impl Outcome {
    /// What everything came to, after waiting for what was still under way.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub(super) async fn settle(&self, rest: &Rest, limit: Duration) -> Result<Vec<Sent>> {
        let until = Instant::now() + limit;
        let mut settled = Vec::with_capacity(self.results.len());
        for sent in &self.results {
            let mut sent = sent.clone();
            while !sent.is_failure && !is_end(&sent.status) && Instant::now() < until {
                time::sleep(PACE).await;
                let answer = rest
                    .get(&format!("/v1/transactions/{}", sent.transaction))
                    .await?;
                sent.status = match sent.kind {
                    Kind::Refund => answer.text_at("/operations/1/state").to_owned(),
                    Kind::Purchase | Kind::Transfer => answer.text_at("/status").to_owned(),
                };
            }
            settled.push(sent);
        }
        Ok(settled)
    }
}

/// How many of each status.
pub(super) fn by_status(sent: &[Sent]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for one in sent {
        *counts.entry(one.status.as_str()).or_default() += 1;
    }
    counts
}

/// True when nothing more happens by itself. A payment that risk could not judge in time waits for a person.
pub(super) fn is_end(status: &str) -> bool {
    matches!(
        status,
        "completed" | "declined" | "canceled" | "failed" | "compensated" | "in_review"
    )
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
