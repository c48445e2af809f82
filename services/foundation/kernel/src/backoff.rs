//! Waits between attempts: exponential, capped, with jitter, so that many who failed together do not come back together.

use std::time::Duration;

/// How long to wait before attempt `n`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Wait before the second attempt.
    pub first: Duration,
    /// No wait is longer.
    pub max: Duration,
}

impl Backoff {
    /// A backoff that doubles from `first` to `max`.
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max }
    }

    /// The wait after `failures` failures in a row (1 or more): between half and all of the doubled wait, chosen by `entropy`,
    /// which may be any number that differs between callers.
    #[must_use]
    pub fn wait(&self, failures: u32, entropy: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let full = self
            .first
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(self.max);
        let half = full.div_f64(2.0);
        let share = f64::from(u32::try_from(entropy % 1_000).unwrap_or(0)) / 1_000.0;
        half.saturating_add(half.mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_maximum_and_stay_within_jitter() {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        for (failures, full_ms) in [(1, 100), (2, 200), (3, 400), (6, 2_000), (60, 2_000)] {
            for entropy in [0, 7, 999, u64::MAX] {
                let wait = backoff.wait(failures, entropy);
                assert!(
                    wait >= Duration::from_millis(full_ms / 2),
                    "{failures}: {wait:?}"
                );
                assert!(
                    wait <= Duration::from_millis(full_ms),
                    "{failures}: {wait:?}"
                );
            }
        }
    }
}
