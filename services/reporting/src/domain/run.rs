//! One run of a report: queued, running under a lease, completed or failed.

use std::time::Duration;

use paymesh_kernel::{Timestamp, id::TenantId};

use super::{DefinitionId, Format, Kind, Parameters, RunId, ScheduleId, words::words};

/// First wait after something passing was in the way.
const RETRY_WAIT: Duration = Duration::from_secs(1);
/// Longest such wait.
const RETRY_LIMIT: Duration = Duration::from_secs(60);
/// Why a run ends that was taken up too often.
pub(crate) const ATTEMPTS_EXHAUSTED: &str = "ATTEMPTS_EXHAUSTED";

words! {
    /// Where a run stands.
    State {
        /// It waits.
        Queued = "queued",
        /// Somebody makes it.
        Running = "running",
        /// Its file is ready.
        Completed = "completed",
        /// It could not be made.
        Failed = "failed",
    }
}

/// A half-open span of time; a missing end has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) tenant: TenantId,
    pub(crate) definition: DefinitionId,
    pub(crate) schedule: Option<ScheduleId>,
    pub(crate) state: State,
    pub(crate) kind: Kind,
    pub(crate) format: Format,
    pub(crate) parameters: Parameters,
    pub(crate) span: Span,
    pub(crate) content: Content,
    /// Why it failed, or why it was put back.
    pub(crate) reason: String,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    /// How often it was taken up.
    pub(crate) attempts: i32,
    /// Which attempt wrote the file; 0 when there is none, or none any more.
    pub(crate) file_attempt: i32,
    /// When somebody has to look at it: when it is due, or when its lease ends. None when it has ended.
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) version: i64,
}

/// What a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) row_count: i64,
    pub(crate) size_bytes: i64,
    /// Hex.
    pub(crate) sha256: String,
}

/// What taking up a run that is due leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is ours until the lease ends.
    Taken(Run),
    /// It was taken up too often and has failed.
    Exhausted(Run),
}

// === impl Span ===

impl Span {
    /// The lower end, from the begin of time.
    pub(crate) fn begin(&self) -> Timestamp {
        self.from.unwrap_or(Timestamp::from_micros(i64::MIN))
    }

    /// The upper end, to the end of time.
    pub(crate) fn end(&self) -> Timestamp {
        self.until.unwrap_or(Timestamp::from_micros(i64::MAX))
    }
}

// === impl State ===

impl State {
    /// True when nothing follows.
    pub(crate) const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

// === impl Run ===

impl Run {
    /// Takes up a run that waits, or whose lease ran out; None when it is not due (P4).
    pub(crate) fn claim(&self, now: Timestamp, lease: Duration, most: i32) -> Option<Claim> {
        if self.state.is_end() || self.wake_at.is_none_or(|wake| wake > now) {
            return None;
        }
        if self.attempts >= most {
            let why = if self.reason.is_empty() {
                ATTEMPTS_EXHAUSTED.to_owned()
            } else {
                format!("{ATTEMPTS_EXHAUSTED}: {}", self.reason)
            };
            return Some(Claim::Exhausted(self.failed(why, now)));
        }
        Some(Claim::Taken(Self {
            state: State::Running,
            attempts: self.attempts.saturating_add(1),
            wake_at: Some(now.plus(lease)),
            version: self.version.saturating_add(1),
            ..self.clone()
        }))
    }

    /// Keeps it for another lease.
    pub(crate) fn renewed(&self, now: Timestamp, lease: Duration) -> Self {
        Self {
            wake_at: Some(now.plus(lease)),
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// Its file is ready.
    pub(crate) fn completed(&self, content: Content, now: Timestamp) -> Self {
        Self {
            content,
            reason: String::new(),
            file_attempt: self.attempts,
            ..self.ended(State::Completed, now)
        }
    }

    /// It cannot be made.
    pub(crate) fn failed(&self, reason: String, now: Timestamp) -> Self {
        Self {
            reason,
            ..self.ended(State::Failed, now)
        }
    }

    /// Something passing was in the way: it waits, longer each time.
    pub(crate) fn put_back(&self, reason: String, now: Timestamp) -> Self {
        let doublings = u32::try_from(self.attempts.saturating_sub(1)).unwrap_or(0);
        let wait = RETRY_WAIT
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(RETRY_LIMIT);
        Self {
            state: State::Queued,
            reason,
            wake_at: Some(now.plus(wait)),
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// Its file is kept no longer.
    pub(crate) fn without_file(&self) -> Self {
        Self {
            file_attempt: 0,
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    fn ended(&self, state: State, now: Timestamp) -> Self {
        assert!(!self.state.is_end(), "P4: a run ends once");
        Self {
            state,
            finished_at: Some(now),
            wake_at: None,
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use paymesh_kernel::id::reexport::Uuid;

    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    fn run() -> Run {
        let now = Timestamp::EPOCH;
        Run {
            id: Uuid::from_u128(1).into(),
            tenant: Uuid::from_u128(2).into(),
            definition: Uuid::from_u128(3).into(),
            schedule: None,
            state: State::Queued,
            kind: Kind::Fees,
            format: Format::Csv,
            parameters: Parameters::default(),
            span: Span::default(),
            content: Content::default(),
            reason: String::new(),
            created_by: "user_1".to_owned(),
            created_at: now,
            finished_at: None,
            attempts: 0,
            file_attempt: 0,
            wake_at: Some(now),
            version: 1,
        }
    }

    fn taken(run: &Run, now: Timestamp) -> Run {
        match run.claim(now, LEASE, 3) {
            Some(Claim::Taken(run)) => run,
            other => panic!("it is taken: {other:?}"),
        }
    }

    #[test]
    fn p4_a_run_under_a_lease_is_left_alone_and_taken_up_when_it_ran_out() {
        let first = taken(&run(), Timestamp::EPOCH);
        assert_eq!((first.state, first.attempts), (State::Running, 1));
        let during = Timestamp::EPOCH.plus(Duration::from_secs(29));
        assert_eq!(first.claim(during, LEASE, 3), None);
        let renewed = first.renewed(during, LEASE);
        assert_eq!(renewed.claim(Timestamp::EPOCH.plus(LEASE), LEASE, 3), None);
        let second = taken(&renewed, during.plus(LEASE));
        assert_eq!(second.attempts, 2);
    }

    #[test]
    fn p4_a_run_that_is_taken_up_too_often_fails_with_the_last_reason() {
        let mut run = run();
        let mut now = Timestamp::EPOCH;
        for _ in 0..3 {
            run = taken(&run, now).put_back("LEDGER_AWAY".to_owned(), now);
            now = run.wake_at.unwrap();
        }
        let Some(Claim::Exhausted(failed)) = run.claim(now, LEASE, 3) else {
            panic!("it is exhausted");
        };
        assert_eq!(failed.state, State::Failed);
        assert_eq!(failed.reason, "ATTEMPTS_EXHAUSTED: LEDGER_AWAY");
        assert_eq!(failed.claim(now.plus(LEASE), LEASE, 9), None);
    }

    #[test]
    fn p5_the_attempt_that_completes_owns_the_file() {
        let now = Timestamp::EPOCH;
        let second = taken(&taken(&run(), now), now.plus(LEASE));
        let done = second.completed(Content::default(), now);
        assert_eq!(
            (done.state, done.file_attempt, done.wake_at),
            (State::Completed, 2, None)
        );
    }
}
