//! How often a password may be tried.
//!
//! U5: an attempt is counted before the password is looked at, so attempts made side by side count as many. Addresses that
//! nobody has are counted alike.

use std::time::Duration;

use paymesh_kernel::Timestamp;
use uuid::Uuid;

/// How many attempts, in what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit {
    /// Attempts without success in one window.
    pub attempts: i64,
    /// How long a window is.
    pub window: Duration,
    /// How long nothing is tried after too many.
    pub lockout: Duration,
}

/// Attempts without success for one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempts {
    /// Keyed hash of tenant and address.
    pub id: Uuid,
    /// Attempts in this window.
    pub count: i64,
    /// When the window began.
    pub began_at: Timestamp,
    /// Nothing is tried before.
    pub locked_until: Option<Timestamp>,
    /// Rises with each attempt.
    pub version: i64,
}

/// Too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locked {
    /// When it may be tried again.
    pub until: Timestamp,
}

// === impl Attempts ===

impl Attempts {
    /// The state after one more attempt at `now`, to be stored before the password is looked at.
    ///
    /// # Errors
    /// While attempts are locked.
    pub(crate) fn attempt(
        before: Option<Self>,
        id: Uuid,
        now: Timestamp,
        limit: &AttemptLimit,
    ) -> Result<Self, Locked> {
        let fresh = |version| Self {
            id,
            count: 1,
            began_at: now,
            locked_until: None,
            version,
        };
        let Some(before) = before else {
            return Ok(fresh(1));
        };
        let version = before.version + 1;
        match before.locked_until {
            Some(until) if now < until => return Err(Locked { until }),
            Some(_) => return Ok(fresh(version)),
            None => {}
        }
        if now.since(before.began_at) >= limit.window {
            return Ok(fresh(version));
        }
        let count = before.count + 1;
        Ok(Self {
            count,
            // The last attempt of a window still runs; what comes after it waits.
            locked_until: (count >= limit.attempts).then(|| now.plus(limit.lockout)),
            version,
            ..before
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const LIMIT: AttemptLimit = AttemptLimit {
        attempts: 3,
        window: Duration::from_secs(60),
        lockout: Duration::from_secs(600),
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_secs(seconds))
    }

    fn run(seconds: &[u64]) -> Vec<bool> {
        let mut state = None;
        let attempt =
            |&second: &u64| match Attempts::attempt(state, Uuid::nil(), at(second), &LIMIT) {
                Ok(next) => {
                    state = Some(next);
                    true
                }
                Err(Locked { .. }) => false,
            };
        seconds.iter().map(attempt).collect()
    }

    #[test]
    fn u5_the_attempt_after_the_last_waits_for_the_lockout() {
        for (seconds, allowed) in [
            (vec![0, 1, 2, 3], vec![true, true, true, false]),
            (vec![0, 1, 2, 601, 602], vec![true, true, true, false, true]),
            (vec![0, 1, 60, 61, 62], vec![true, true, true, true, true]),
            (
                vec![0, 1, 60, 61, 62, 63],
                vec![true, true, true, true, true, false],
            ),
        ] {
            assert_eq!(run(&seconds), allowed, "{seconds:?}");
        }
    }

    #[test]
    fn u5_the_lockout_says_when_it_ends() {
        let mut state = None;
        for second in 0..3 {
            state = Some(Attempts::attempt(state, Uuid::nil(), at(second), &LIMIT).unwrap());
        }
        let locked = Attempts::attempt(state, Uuid::nil(), at(10), &LIMIT).unwrap_err();
        assert_eq!(locked.until, at(602));
    }
}
