//! Keys that sign access tokens: in the database, sealed, so that every replica has the same ones (U7).
//!
//! Nobody has to wake up for a rotation: whoever needs a key looks whether something is due. Each replica keeps the keys for a
//! bounded time, which is well below the time that a key is published before it signs.

use std::sync::{Arc, PoisonError, RwLock};

use paymesh_kernel::{ChangeSet, Timestamp};
use uuid::Uuid;

use super::App;
use crate::{
    domain::signing_key::{Schedule, signing},
    error::Error,
    secrets::{AccessToken, SigningKey, access::Claims},
    store::{self, keys::StoredSigningKey},
};

/// How often the keys are looked at again after another replica was faster.
const LOOKS: u32 = 5;

/// The keys as this replica knows them.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys {
    known: RwLock<Option<Arc<Ring>>>,
}

/// Keys as they were at some moment, by generation.
#[derive(Debug)]
struct Ring {
    loaded_at: Timestamp,
    schedules: Vec<Schedule>,
    keys: Vec<SigningKey>,
}

// === impl App ===

impl App {
    /// Signs an access token.
    pub(crate) async fn sign(&self, claims: &Claims) -> Result<AccessToken, Error> {
        let ring = self.ring().await?;
        let place = signing(&ring.schedules, self.now()).unwrap_or_default();
        let key = ring
            .keys
            .get(place)
            .ok_or(crate::secrets::access::SigningError)?;
        Ok(key.sign(claims)?)
    }

    /// Public keys: the one that signs first, then the others.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub(crate) async fn jwks(&self) -> Result<Vec<SigningKey>, Error> {
        let ring = self.ring().await?;
        let place = signing(&ring.schedules, self.now()).unwrap_or_default();
        let mut keys: Vec<SigningKey> = ring.keys.clone();
        keys[..=place].rotate_right(1);
        Ok(keys)
    }

    async fn ring(&self) -> Result<Arc<Ring>, Error> {
        let now = self.now();
        let known = self.parts.signing.get();
        if let Some(ring) = known
            && now.since(ring.loaded_at) < self.parts.settings.signing_keys_age()
        {
            return Ok(ring);
        }
        for _ in 0..LOOKS {
            let stored = store::keys::signing_keys(&self.parts.database).await?;
            let schedules: Vec<Schedule> = stored.iter().map(|key| key.schedule).collect();
            let plan = self.parts.settings.rotation().plan(&schedules, now);
            let mut changes = ChangeSet::new();
            if let Some(schedule) = plan.create {
                let id: Uuid = self.parts.ids.next();
                let sealed = self
                    .parts
                    .vault
                    .seal_signing_key(id, &SigningKey::make_seed());
                let key = StoredSigningKey {
                    id,
                    schedule,
                    sealed,
                    created_at: now,
                };
                store::keys::insert_signing_key(&mut changes, &key);
                tracing::info!(generation = schedule.generation, activates_at = %schedule.activates_at, "a new signing key");
            }
            for key in stored
                .iter()
                .filter(|key| plan.remove.contains(&key.schedule.generation))
            {
                store::keys::delete_signing_key(&mut changes, key);
            }
            if changes.is_empty() {
                return self.keep(&stored, now);
            }
            match self.parts.writer.commit(changes).await {
                Ok(()) => {}
                // Another replica made the same generation: its key is the one.
                Err(error) if error.is_duplicate(store::GENERATION_INDEX) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(paymesh_kernel::CommitError::Stale.into())
    }

    fn keep(&self, stored: &[StoredSigningKey], now: Timestamp) -> Result<Arc<Ring>, Error> {
        let open = |key: &StoredSigningKey| -> Result<SigningKey, Error> {
            let seed = self.parts.vault.open_signing_key(key.id, &key.sealed)?;
            Ok(SigningKey::try_new(key.id, &seed)?)
        };
        let ring = Arc::new(Ring {
            loaded_at: now,
            schedules: stored.iter().map(|key| key.schedule).collect(),
            keys: stored.iter().map(open).collect::<Result<_, _>>()?,
        });
        self.parts.signing.set(Arc::clone(&ring));
        Ok(ring)
    }
}

// === impl SigningKeys ===

impl SigningKeys {
    fn get(&self) -> Option<Arc<Ring>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, ring: Arc<Ring>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(ring);
    }
}
