//! Limits of rates (G5): counted in memory, or in Redis when several gateways count together.
//!
//! When Redis fails, requests are counted in memory for the time being, except those that move money: they are refused, because
//! a limit that is not kept is no limit.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use paymesh_chassis::{ConfigError, InitError};
use paymesh_kernel::Clock;

use crate::{
    app::limits_redis::RedisWindows,
    config::{Class, RateLimits},
    domain::window::{Quota, Standing, Window},
    error::Error,
};

/// The place that is shared by the clients for which there is no room.
const OVERFLOW: u64 = 0;

/// Counts requests.
#[derive(Debug)]
pub(crate) struct Limits {
    config: RateLimits,
    clock: Arc<dyn Clock>,
    memory: MemoryWindows,
    redis: Option<RedisWindows>,
}

// === impl Limits ===

impl Limits {
    pub(crate) fn new(config: &RateLimits, clock: Arc<dyn Clock>) -> Result<Self, InitError> {
        let redis = (!config.redis_url.is_empty()).then(|| {
            RedisWindows::new(config.redis_url.expose(), config.redis_timeout_ms).map_err(|_| {
                InitError::Config(ConfigError::Rule {
                    field: "gateway.settings.rate_limits.redis_url".to_owned(),
                    rule: "must be redis://host:port/database".to_owned(),
                })
            })
        });
        Ok(Self {
            memory: MemoryWindows::new(config.clients),
            redis: redis.transpose()?,
            config: config.clone(),
            clock,
        })
    }

    /// The quota of a class.
    pub(crate) const fn quota(&self, class: Class) -> Quota {
        let limit = self.config.of(class);
        Quota {
            requests: limit.requests,
            window_ms: limit.window_ms,
        }
    }

    /// Counts a request of `client`.
    ///
    /// # Errors
    /// When the request moves money and cannot be counted.
    pub(crate) async fn take(&self, class: Class, client: &str) -> Result<Standing, Error> {
        let quota = self.quota(class);
        if let Some(redis) = &self.redis {
            match redis.take(class, client, quota).await {
                Some(standing) => return Ok(standing),
                None if class == Class::Money => return Err(Error::LimitsUnavailable),
                None => {}
            }
        }
        let now_ms = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        Ok(self.memory.take(class, client, quota, now_ms))
    }
}

/// Windows in memory, of a limited number of clients.
#[derive(Debug)]
struct MemoryWindows {
    limit: usize,
    hasher: RandomState,
    windows: Mutex<HashMap<(Class, u64), Window>>,
}

// === impl MemoryWindows ===

impl MemoryWindows {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            hasher: RandomState::new(),
            windows: Mutex::default(),
        }
    }

    fn take(&self, class: Class, client: &str, quota: Quota, now_ms: u64) -> Standing {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = (class, self.hasher.hash_one(client).max(OVERFLOW + 1));
        if windows.len() >= self.limit && !windows.contains_key(&place) {
            windows.retain(|_, window| !window.is_stale(quota.window_ms, now_ms));
            if windows.len() >= self.limit {
                place = (class, OVERFLOW);
            }
        }
        windows.entry(place).or_default().take(quota, now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        requests: 2,
        window_ms: 1_000,
    };

    #[test]
    fn clients_and_classes_are_counted_apart() {
        let windows = MemoryWindows::new(100);
        for (class, client) in [(Class::Read, "a"), (Class::Read, "b"), (Class::Money, "a")] {
            assert!(windows.take(class, client, QUOTA, 5_000).is_allowed);
            assert!(windows.take(class, client, QUOTA, 5_000).is_allowed);
            assert!(!windows.take(class, client, QUOTA, 5_000).is_allowed);
        }
    }

    #[test]
    fn clients_without_room_share_one_window_and_memory_stays_bounded() {
        let windows = MemoryWindows::new(3);
        for client in ["a", "b", "c", "d", "e"] {
            assert!(windows.take(Class::Read, client, QUOTA, 5_000).is_allowed);
        }
        assert!(!windows.take(Class::Read, "f", QUOTA, 5_000).is_allowed);
        assert!(windows.take(Class::Read, "a", QUOTA, 5_000).is_allowed);
        assert!(
            windows
                .windows
                .lock()
                .is_ok_and(|windows| windows.len() == 4)
        );
        assert!(windows.take(Class::Read, "f", QUOTA, 9_000).is_allowed);
        assert!(
            windows
                .windows
                .lock()
                .is_ok_and(|windows| windows.len() == 1)
        );
    }
}
