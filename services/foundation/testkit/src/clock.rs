//! A clock that stands still until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use paymesh_kernel::{Clock, Timestamp};

/// Clones share the time.
#[derive(Clone, Debug)]
pub struct FakeClock {
    micros: Arc<AtomicI64>,
}

impl FakeClock {
    /// Stands at 2026-01-15T12:00:00Z, a Thursday.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::from_micros(1_768_478_400_000_000))
    }

    /// Stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            micros: Arc::new(AtomicI64::new(now.as_micros())),
        }
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }
}
