//! Background work: asking sources, reading what other replicas took in, forgetting what nobody needs, and saying how old rates are.

use std::{
    future::Future,
    sync::{Arc, OnceLock, PoisonError},
    time::Duration,
};

use paymesh_chassis::Host;
use paymesh_kernel::{Timestamp, backoff::Backoff, error::chain, metrics::counter};
use prometheus::{IntCounterVec, IntGaugeVec, Opts};

use super::App;
use crate::{
    domain::{Outcome, RateDate},
    error::Error,
    sources::{Scheduled, SourceError},
    store::{quotes, rates},
};

/// Waits after a source that failed.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(30), Duration::from_secs(1_800));
/// How often rows that nobody needs are thrown away.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// How long it is remembered that a file was taken in.
const IMPORT_RETENTION: Duration = Duration::from_secs(365 * 86_400);
/// Seconds in a day.
const DAY_SECONDS: u64 = 86_400;

/// Why a source gave nothing that could be used.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("the source gave no rates")]
    Source(#[from] SourceError),
    #[error("the rates of the source were not taken in")]
    Import(#[from] Error),
}

/// Starts the background work of the component.
pub(crate) fn start(app: &Arc<App>, scheduled: Vec<Scheduled>, host: &Host) {
    let tasks = &host.platform.tasks;
    let is_alone = scheduled.is_empty();
    for source in scheduled {
        let (app, stop) = (Arc::clone(app), tasks.stopping().clone());
        tasks.spawn("rate-source", async move {
            stop.run_until_cancelled(ask_for_ever(&app, &source)).await;
        });
    }
    let (worker, stop) = (Arc::clone(app), tasks.stopping().clone());
    tasks.spawn("rate-refresh", async move {
        let every = Duration::from_millis(worker.config.refresh_ms);
        let work = for_ever(every, || worker.refresh_quietly());
        stop.run_until_cancelled(work).await;
    });
    let (worker, stop) = (Arc::clone(app), tasks.stopping().clone());
    tasks.spawn("quote-cleaning", async move {
        let work = for_ever(FORGET_EVERY, || worker.forget());
        stop.run_until_cancelled(work).await;
    });
    let app = Arc::clone(app);
    host.platform.health.note(move || app.note(is_alone));
}

async fn for_ever<F: Future<Output = ()>>(every: Duration, mut work: impl FnMut() -> F) {
    loop {
        work().await;
        tokio::time::sleep(every).await;
    }
}

async fn ask_for_ever(app: &App, scheduled: &Scheduled) {
    let mut failures = 0_u32;
    loop {
        let wait = match app.ask(scheduled).await {
            Ok(count) => {
                tracing::debug!(source = %scheduled.name, count, "a source answered");
                failures = 0;
                scheduled.interval
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let wait = BACKOFF.wait(failures, app.ids.entropy());
                tracing::warn!(
                    source = %scheduled.name,
                    error = chain(&error),
                    failures,
                    wait_s = wait.as_secs(),
                    "a source of rates failed; the last known rates stay in use"
                );
                wait
            }
        };
        app.remember(scheduled, failures);
        tokio::time::sleep(wait).await;
    }
}

// === impl App ===

impl App {
    /// Asks a source once; says how many rates were new or changed.
    async fn ask(&self, scheduled: &Scheduled) -> Result<u64, AskError> {
        let newest = self
            .book()
            .history(&scheduled.name)
            .and_then(|history| history.newest());
        let today = RateDate::of(self.now());
        let publication = scheduled.source.fetch(newest, today).await?;
        let bounds = self.config.bounds(self.now());
        let outcome = self
            .take_in(scheduled.name.clone(), &publication, None, bounds)
            .await?;
        Ok(match outcome {
            Outcome::Applied(imported) | Outcome::AlreadyApplied(imported) => imported.count,
        })
    }

    fn remember(&self, scheduled: &Scheduled, failures: u32) {
        let now = self.now();
        let result = if failures == 0 { "ok" } else { "failed" };
        fetches()
            .with_label_values(&[scheduled.name.as_str(), result])
            .inc();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = asked.entry(scheduled.name.clone()).or_default();
        entry.failures = failures;
        if failures == 0 {
            entry.answered_at = Some(now);
        }
    }

    async fn refresh_quietly(&self) {
        if let Err(error) = self.refresh().await {
            tracing::warn!(
                error = chain(&error),
                "the rates of other replicas cannot be read"
            );
        }
        let today = RateDate::of(self.now());
        for history in self.book().histories() {
            if let Some(newest) = history.newest() {
                rate_age()
                    .with_label_values(&[history.source.name.as_str()])
                    .set(i64::from(newest.days_until(today)));
            }
        }
    }

    async fn forget(&self) {
        let now = self.now();
        let kept = u64::from(self.config.quote_retention_days).saturating_mul(DAY_SECONDS);
        let before = now.minus(Duration::from_secs(kept));
        let done = match quotes::forget_unused(&self.database, before).await {
            Ok(count) => rates::forget_imports(&self.database, now.minus(IMPORT_RETENTION))
                .await
                .map(|imports| (count, imports)),
            Err(error) => Err(error),
        };
        match done {
            Ok((count, imports)) => {
                tracing::debug!(count, imports, "old quotes and imports forgotten")
            }
            Err(error) => tracing::warn!(error = chain(&error), "old quotes cannot be thrown away"),
        }
    }

    /// What the health report says of rates, when there is something to say.
    fn note(&self, is_alone: bool) -> Option<String> {
        let now = self.now();
        let today = RateDate::of(now);
        let book = self.book();
        let newest = book.histories().iter().filter_map(|history| {
            let found = history.until(today).next()?;
            Some((found.date, history.source.name.clone()))
        });
        let Some((date, source)) = newest.max() else {
            return Some("currency has no rates; import some or switch a source on".to_owned());
        };
        let age = date.days_until(today);
        if age <= self.config.limits().fresh_days {
            return None;
        }
        let last = format!("currency's newest rates are of {date} by {source}, {age} days old");
        if is_alone {
            return Some(format!("{last}; no source is switched on"));
        }
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let failing: Vec<String> = asked
            .iter()
            .filter(|(_, asked)| asked.failures > 0)
            .map(|(name, asked)| format!("{name} {}", since(asked.answered_at)))
            .collect();
        Some(format!("{last}; {}", failing.join(", ")))
    }
}

fn since(answered_at: Option<Timestamp>) -> String {
    answered_at.map_or_else(
        || "has not answered since the start".to_owned(),
        |at| format!("answered last at {at}"),
    )
}

fn fetches() -> &'static IntCounterVec {
    static CELL: OnceLock<IntCounterVec> = OnceLock::new();
    counter(
        &CELL,
        "paymesh_rate_fetches_total",
        "Requests to sources of rates, by how they went",
        &["source", "result"],
    )
}

fn rate_age() -> &'static IntGaugeVec {
    static CELL: OnceLock<IntGaugeVec> = OnceLock::new();
    CELL.get_or_init(|| {
        let options = Opts::new(
            "paymesh_rate_age_days",
            "Days since the newest rate of a source",
        );
        let gauge = IntGaugeVec::new(options, &["source"])
            .expect("a metric's name and labels are constants of ours");
        prometheus::default_registry()
            .register(Box::new(gauge.clone()))
            .ok();
        gauge
    })
}
