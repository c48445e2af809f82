//! One request from admission to answer, the same for both simulators: key, delay, fault before the effect, effect, fault
//! after the effect.
//!
//! The work runs in a task of its own, so a caller who hangs up does not stop what the simulator has begun: that is how
//! outcomes become unknown to a caller in the field.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chance::Chance;
use crate::engine::{Admission, Engine, Ticket};
use crate::machine::{Answer, Machine};
use crate::problem::Problem;
use crate::request::Submission;
use crate::server::{Ending, until};
use crate::timestamp::Timestamp;

/// The header that says an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How often timers are looked at while the next one is not due, so that a clock that jumps is noticed.
const TIMER_LOOK: Duration = Duration::from_millis(100);
/// How long timers wait after one could not be recorded.
const TIMER_PAUSE: Duration = Duration::from_secs(5);
/// How many timers run before others get a turn.
const TIMERS_AT_ONCE: usize = 256;

/// How long a simulator thinks before it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// At least this long, in milliseconds.
    pub base_ms: u32,
    /// And up to this much longer, in milliseconds, drawn from the seed.
    pub jitter_ms: u32,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Nothing is done, and the caller hangs.
    HangWithoutEffect,
    /// It is done, and the caller hangs.
    HangWithEffect,
    /// It is done, and the connection is closed.
    CutWithEffect,
    /// 500, nothing is done.
    Error,
    /// 429, nothing is done.
    TooMany,
}

/// What happens to a request around its effect.
#[derive(Debug)]
pub(crate) struct Plan<F> {
    pub(crate) wait: Duration,
    pub(crate) fault: Fault,
    /// Remembers that a fault which shows once has been shown.
    pub(crate) shown: Option<F>,
}

/// A machine whose requests may be delayed and fail.
pub(crate) trait Faulty: Machine {
    fn plan(&self, command: &Self::Command, scope: &str) -> Plan<Self::Fact>;
}

/// What handlers share.
#[derive(Debug)]
pub(crate) struct Host<M: Machine> {
    pub(crate) engine: Arc<Engine<M>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

// === impl Latency ===

impl Latency {
    pub(crate) fn of(self, chance: Chance, scope: &str) -> Duration {
        let jitter = match self.jitter_ms {
            0 => 0,
            most => chance.draw("latency", scope) % (u64::from(most) + 1),
        };
        Duration::from_millis(u64::from(self.base_ms) + jitter)
    }
}

// === impl Host ===

impl<M: Machine> Clone for Host<M> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
        }
    }
}

impl<M: Faulty> Host<M> {
    pub(crate) fn new(engine: Arc<Engine<M>>) -> Self {
        Self {
            engine,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Works a request off and gives the response, or the ending that stands for it.
    pub(crate) async fn submit(
        &self,
        submission: Submission,
        command: M::Command,
    ) -> Result<Response, Problem> {
        let ticket = match self.engine.admit(submission.keyed).await? {
            Admission::Replay(answer) => return Ok(replayed(answer)),
            Admission::Fresh(ticket) => ticket,
        };
        let work = Work {
            scope: submission.scope,
            business_at: submission.business_at,
            ticket,
            command,
        };
        let host = self.clone();
        self.tasks
            .spawn(async move { host.work(work).await })
            .await
            .map_err(|error| {
                tracing::error!(error = %error, "a request's task ended early");
                Problem::journal_lost()
            })?
    }

    /// Runs timers as they come due, until the stop.
    pub(crate) async fn run_timers(self) {
        while !self.stop.is_cancelled() {
            let ran = self
                .engine
                .run_timers(self.engine.now(), TIMERS_AT_ONCE)
                .await;
            if ran.is_err() {
                // The record is full or lost, which every request is told; a timer can only be tried again later.
                until(&self.stop, tokio::time::sleep(TIMER_PAUSE)).await;
            } else if matches!(ran, Ok(0)) {
                let wait = match self.engine.peek(Machine::next_timer) {
                    Some(due) => due
                        .after(self.engine.now())
                        .clamp(Duration::from_millis(1), TIMER_LOOK),
                    None => Duration::MAX,
                };
                let next = async {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.engine.timers_changed() => {}
                    }
                };
                until(&self.stop, next).await;
            }
        }
    }

    async fn work(&self, work: Work<M>) -> Result<Response, Problem> {
        let plan = self
            .engine
            .peek(|machine| machine.plan(&work.command, &work.scope));
        if !plan.wait.is_zero() {
            until(&self.stop, tokio::time::sleep(plan.wait)).await;
        }
        if let Some(shown) = plan.shown {
            let seq = self.engine.note(&[shown])?;
            self.engine.wait_for(seq).await?;
        }
        match plan.fault {
            Fault::HangWithoutEffect => return Ok(ending(Ending::Hang)),
            Fault::Error => {
                let detail = "a simulated failure; nothing was done";
                return Err(Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "simulated_failure",
                    detail,
                ));
            }
            Fault::TooMany => {
                let detail = "a simulated rate limit; nothing was done";
                return Err(
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
                        .retry_after(1),
                );
            }
            Fault::None | Fault::HangWithEffect | Fault::CutWithEffect => {}
        }
        let answer = self
            .engine
            .run(&work.command, work.business_at, work.ticket.as_ref())
            .await?;
        Ok(match plan.fault {
            Fault::HangWithEffect => ending(Ending::Hang),
            Fault::CutWithEffect => ending(Ending::Cut),
            Fault::None | Fault::HangWithoutEffect | Fault::Error | Fault::TooMany => {
                answer.into_response()
            }
        })
    }
}

struct Work<M: Machine> {
    scope: String,
    business_at: Option<Timestamp>,
    ticket: Option<Ticket<M>>,
    command: M::Command,
}

// === impl Answer ===

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        response
    }
}

// === free functions ===

fn replayed(answer: Answer) -> Response {
    let mut response = answer.into_response();
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn ending(ending: Ending) -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(ending);
    response
}
