//! User's public keys, kept for as long as user says and looked at again for a key that is not known, at a bounded rate.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::DecodingKey;
use paymesh_kernel::{Clock, Timestamp, error::chain};
use paymesh_proto::user::v1 as pb;
use tokio::sync::Mutex;

use crate::{clients::Clients, error::Error};

/// Keys taken from user at most.
const KEYS_LIMIT: usize = 16;
/// Keys are not believed longer than this without looking, whatever user says.
const LONGEST_CACHE: Duration = Duration::from_secs(3_600);

/// The keys.
pub(crate) struct Jwks {
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
    refresh: Duration,
    known: RwLock<Known>,
    /// One look at a time.
    looking: Mutex<Option<Timestamp>>,
}

#[derive(Clone, Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    published: Vec<pb::Jwk>,
    stale_at: Option<Timestamp>,
}

// === impl Jwks ===

impl Jwks {
    pub(crate) fn new(clients: Arc<Clients>, clock: Arc<dyn Clock>, refresh_ms: u64) -> Self {
        Self {
            clients,
            clock,
            refresh: Duration::from_millis(refresh_ms),
            known: RwLock::default(),
            looking: Mutex::default(),
        }
    }

    /// The key with this id; None when user has none.
    ///
    /// # Errors
    /// When nothing is known yet and user cannot be asked.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<DecodingKey>, Error> {
        let known = self.known();
        let is_fresh = known.stale_at.is_some_and(|at| self.clock.now() < at);
        match known.keys.get(kid) {
            Some(key) if is_fresh => Ok(Some(key.clone())),
            old => {
                let looked = self.look().await;
                match (looked, old) {
                    (Ok(()), _) => Ok(self.known().keys.get(kid).cloned()),
                    // The key was good a while ago, and user cannot say otherwise now.
                    (Err(error), Some(key)) => {
                        tracing::warn!(
                            error = chain(&error),
                            "the keys that sign tokens cannot be looked at; the known ones stay"
                        );
                        Ok(Some(key.clone()))
                    }
                    (Err(error), None) => Err(error),
                }
            }
        }
    }

    /// The keys as user publishes them.
    ///
    /// # Errors
    /// When nothing is known yet and user cannot be asked.
    pub(crate) async fn published(&self) -> Result<Vec<pb::Jwk>, Error> {
        let known = self.known();
        if known.stale_at.is_none_or(|at| self.clock.now() >= at) {
            match self.look().await {
                Ok(()) => return Ok(self.known().published),
                Err(error) if known.published.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(known.published)
    }

    /// Asks user, unless that was done just now.
    async fn look(&self) -> Result<(), Error> {
        let mut looked_at = self.looking.lock().await;
        let now = self.clock.now();
        if looked_at.is_some_and(|at| now < at.plus(self.refresh)) {
            return Ok(());
        }
        let answer = self
            .clients
            .user()
            .get_jwks(pb::GetJwksRequest {})
            .await?
            .into_inner();
        *looked_at = Some(now);
        let cache = Duration::from_millis(u64::try_from(answer.cacheable_ms).unwrap_or(0));
        let mut published = answer.keys;
        published.truncate(KEYS_LIMIT);
        let usable = published.iter().filter_map(|key| {
            let is_usable = key.kty == "OKP" && key.crv == "Ed25519";
            let decoding = DecodingKey::from_ed_components(&key.x).ok();
            decoding
                .filter(|_| is_usable)
                .map(|decoding| (key.kid.clone(), decoding))
        });
        let known = Known {
            keys: usable.collect(),
            stale_at: Some(now.plus(cache.clamp(self.refresh, LONGEST_CACHE))),
            published,
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    fn known(&self) -> Known {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").finish_non_exhaustive()
    }
}
