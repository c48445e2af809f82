//! A sliding window over two counters: what was counted in the present span, and the part of the span before that the window
//! still covers. It errs by little and costs two numbers a client.

/// Requests of one client and kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Which span of the window's length since the epoch.
    span: u64,
    current: u32,
    previous: u32,
}

/// How many in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) requests: u32,
    pub(crate) window_ms: u64,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) is_allowed: bool,
    /// Requests left at this moment.
    pub(crate) remaining: u32,
    /// Milliseconds until the present span ends.
    pub(crate) reset_ms: u64,
    /// Milliseconds until one more is allowed; 0 when one is allowed now.
    pub(crate) wait_ms: u64,
}

// === impl Window ===

impl Window {
    /// Counts one request at `now_ms`, if the quota allows it.
    pub(crate) fn take(&mut self, quota: Quota, now_ms: u64) -> Standing {
        let span = now_ms / quota.window_ms;
        if span != self.span {
            self.previous = if span == self.span + 1 {
                self.current
            } else {
                0
            };
            self.current = 0;
            self.span = span;
        }
        let elapsed_ms = now_ms % quota.window_ms;
        let used = self.used(quota, elapsed_ms);
        let is_allowed = used < quota.requests;
        if is_allowed {
            self.current += 1;
        }
        standing(quota, *self, elapsed_ms, is_allowed)
    }

    /// True when the window has nothing left to say at `now_ms`.
    pub(crate) const fn is_stale(&self, window_ms: u64, now_ms: u64) -> bool {
        now_ms / window_ms > self.span + 1
    }

    /// Requests that count now, rounded up.
    fn used(&self, quota: Quota, elapsed_ms: u64) -> u32 {
        let left_ms = quota.window_ms - elapsed_ms;
        let carried = (u64::from(self.previous) * left_ms).div_ceil(quota.window_ms);
        self.current
            .saturating_add(u32::try_from(carried).unwrap_or(u32::MAX))
    }
}

/// What the counters say after a request.
pub(crate) fn standing_of(
    quota: Quota,
    counters: (u32, u32),
    elapsed_ms: u64,
    is_allowed: bool,
) -> Standing {
    let window = Window {
        span: 0,
        current: counters.0,
        previous: counters.1,
    };
    standing(quota, window, elapsed_ms.min(quota.window_ms), is_allowed)
}

fn standing(quota: Quota, window: Window, elapsed_ms: u64, is_allowed: bool) -> Standing {
    let reset_ms = quota.window_ms - elapsed_ms;
    let remaining = quota
        .requests
        .saturating_sub(window.used(quota, elapsed_ms));
    Standing {
        is_allowed,
        remaining,
        reset_ms,
        wait_ms: if is_allowed {
            0
        } else {
            wait_ms(quota, window, elapsed_ms)
        },
    }
}

/// When the carried part has shrunk enough for one more.
fn wait_ms(quota: Quota, window: Window, elapsed_ms: u64) -> u64 {
    let reset_ms = quota.window_ms - elapsed_ms;
    let shrinks_to = |count: u32, room: u32| {
        // The part of `count` that the window still covers must not exceed `room`.
        quota.window_ms - u64::from(room) * quota.window_ms / u64::from(count.max(1))
    };
    let room_now = (quota.requests - 1).checked_sub(window.current);
    match room_now {
        Some(room) if window.previous > 0 => {
            shrinks_to(window.previous, room.min(window.previous)).saturating_sub(elapsed_ms)
        }
        Some(_) => 0,
        None => reset_ms + shrinks_to(window.current, (quota.requests - 1).min(window.current)),
    }
    .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        requests: 10,
        window_ms: 1_000,
    };

    #[test]
    fn a_window_allows_its_quota_and_not_one_more() {
        let mut window = Window::default();
        for left in (0..10).rev() {
            let standing = window.take(QUOTA, 5_000_100);
            assert!(standing.is_allowed);
            assert_eq!(standing.remaining, left);
        }
        let refused = window.take(QUOTA, 5_000_100);
        assert!(!refused.is_allowed);
        assert_eq!((refused.remaining, refused.reset_ms), (0, 900));
    }

    #[test]
    fn a_burst_at_the_end_of_a_span_counts_in_the_next() {
        let mut window = Window::default();
        for _ in 0..10 {
            assert!(window.take(QUOTA, 5_000_999).is_allowed);
        }
        assert!(!window.take(QUOTA, 5_001_000).is_allowed);
        assert!(window.take(QUOTA, 5_001_500).is_allowed);
        assert!(window.take(QUOTA, 5_003_000).is_allowed);
    }

    #[test]
    fn after_the_wait_that_is_named_a_request_is_allowed_and_not_before() {
        for (first_at, count) in [(100, 10), (900, 10), (500, 4)] {
            let mut window = Window::default();
            for _ in 0..count {
                window.take(QUOTA, 7_000_000 + first_at);
            }
            let mut now = 7_000_000 + first_at;
            while window.take(QUOTA, now).is_allowed {}
            let wait = window.take(QUOTA, now).wait_ms;
            assert!(
                !window.clone().take(QUOTA, now + wait - 20).is_allowed,
                "{first_at}"
            );
            now += wait;
            assert!(window.take(QUOTA, now).is_allowed, "{first_at} {wait}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_two_spans_in_a_row_allow_more_than_twice_the_quota(gaps in proptest::collection::vec(0_u64..80, 1..200)) {
            let mut window = Window::default();
            let mut now = 1_000_000;
            let mut allowed: Vec<u64> = Vec::new();
            for gap in gaps {
                now += gap;
                if window.take(QUOTA, now).is_allowed {
                    allowed.push(now);
                }
            }
            for &end in &allowed {
                let within = allowed.iter().filter(|&&at| at <= end && at + QUOTA.window_ms > end).count();
                proptest::prop_assert!(within <= 20);
            }
        }
    }
}
