//! Windows in Redis: one script, one round trip. The time is Redis's, so that gateways agree on it.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::{
    config::Class,
    domain::window::{Quota, Standing, standing_of},
};

/// After a failure Redis is left alone this long, so that requests do not wait for it one by one.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a client's hash in its key.
const HASH_BYTES: usize = 16;

/// The same counting as [`Window::take`](crate::domain::window::Window::take). Answers allowed, current, previous, elapsed.
const SCRIPT: &str = r"
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local span, elapsed = math.floor(now / window), now % window
local row = redis.call('HMGET', KEYS[1], 's', 'c', 'p')
local was, current, previous = tonumber(row[1]) or -1, tonumber(row[2]) or 0, tonumber(row[3]) or 0
if was ~= span then
  if was == span - 1 then previous = current else previous = 0 end
  current = 0
end
local used = current + math.ceil(previous * (window - elapsed) / window)
local allowed = 0
if used < limit then
  allowed = 1
  current = current + 1
end
redis.call('HSET', KEYS[1], 's', span, 'c', current, 'p', previous)
redis.call('PEXPIRE', KEYS[1], window * 2)
return {allowed, current, previous, elapsed}
";

/// Counts in Redis.
pub(crate) struct RedisWindows {
    client: Client,
    config: ConnectionManagerConfig,
    timeout: Duration,
    script: Script,
    connection: Mutex<Option<ConnectionManager>>,
    paused_until: Mutex<Option<Instant>>,
    has_failed: AtomicBool,
}

// === impl RedisWindows ===

impl RedisWindows {
    /// Does not connect yet.
    pub(crate) fn new(url: &str, timeout_ms: u64) -> Result<Self, RedisError> {
        let timeout = Duration::from_millis(timeout_ms.max(1));
        Ok(Self {
            client: Client::open(url)?,
            config: ConnectionManagerConfig::new()
                .set_number_of_retries(0)
                .set_connection_timeout(Some(timeout))
                .set_response_timeout(Some(timeout)),
            timeout,
            script: Script::new(SCRIPT),
            connection: Mutex::default(),
            paused_until: Mutex::default(),
            has_failed: AtomicBool::new(false),
        })
    }

    /// Counts a request; None when Redis does not answer.
    pub(crate) async fn take(&self, class: Class, client: &str, quota: Quota) -> Option<Standing> {
        let now = Instant::now();
        let paused_until = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if paused_until.is_some_and(|until| now < until) {
            return None;
        }
        match tokio::time::timeout(self.timeout, self.invoke(class, client, quota)).await {
            Ok(Ok((allowed, current, previous, elapsed_ms))) => {
                if self.has_failed.swap(false, Ordering::Relaxed) {
                    tracing::info!("rate limits are counted in Redis again");
                }
                Some(standing_of(
                    quota,
                    (current, previous),
                    elapsed_ms,
                    allowed == 1,
                ))
            }
            Ok(Err(error)) => self.pause(now, &error.to_string()),
            Err(_) => self.pause(now, "no answer in time"),
        }
    }

    async fn invoke(
        &self,
        class: Class,
        client: &str,
        quota: Quota,
    ) -> Result<(u8, u32, u32, u64), RedisError> {
        let mut connection = self.connect()?;
        let digest = Sha256::digest(client.as_bytes());
        let hash: String = digest
            .iter()
            .take(HASH_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.script
            .key(format!("paymesh:rate:{}:{hash}", class.as_str()))
            .arg(quota.requests)
            .arg(quota.window_ms)
            .invoke_async(&mut connection)
            .await
    }

    fn connect(&self) -> Result<ConnectionManager, RedisError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = connection.as_ref() {
            return Ok(connection.clone());
        }
        let made =
            ConnectionManager::new_lazy_with_config(self.client.clone(), self.config.clone())?;
        Ok(connection.insert(made).clone())
    }

    fn pause(&self, now: Instant, cause: &str) -> Option<Standing> {
        *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(now + PAUSE);
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                cause,
                "Redis does not count rate limits; reads go on with local ones, money is refused"
            );
        }
        None
    }
}

impl fmt::Debug for RedisWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisWindows").finish_non_exhaustive()
    }
}
