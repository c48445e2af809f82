//! Ids reserved under an idempotency key (G3), for commands whose proto takes an id made by the caller instead of a key.
//!
//! The id is committed before the component is called, so that a repeat, also after a crash, names the same object. A row counts the
//! requests that may have been processed under its id (`holders`): each that takes the id adds itself, and takes itself off again
//! when it was certainly not processed. With none left the key is free, and the next request takes the row over with an id of its
//! own. A request that never ends stays counted.

use std::{fmt, sync::Arc};

use paymesh_chassis::Host;
use paymesh_kernel::{ChangeSet, Clock, Database, Ids, Principal, Writer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    error::Error,
    store::{self, reservation::Reservation},
};

/// How often a change is tried again when another request with the same key was faster.
const ATTEMPTS: usize = 64;

/// Reserves ids.
#[derive(Clone)]
pub(crate) struct Reservations {
    database: Database,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
}

/// A reserved id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved {
    /// The id for the new object.
    pub(crate) object: Uuid,
    row: Uuid,
}

/// What a repeat does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It asks the component again, under the same id.
    Again,
    /// It is refused: the answer cannot be given twice.
    Refused,
}

// === impl Reservations ===

impl Reservations {
    pub(crate) fn new(host: &Host) -> Self {
        Self {
            database: host.database.clone(),
            writer: host.writer.clone(),
            clock: Arc::clone(&host.platform.clock),
            ids: host.platform.ids.clone(),
        }
    }

    /// The id for what `principal` asks for at `route` with this key; the same one as long as it may be in use.
    ///
    /// # Errors
    /// When the key was used with something else, is used and `repeat` refuses that, or the id cannot be kept.
    pub(crate) async fn reserve(
        &self,
        principal: &Principal,
        (route, key): (&str, &str),
        asked: &[u8],
        repeat: Repeat,
    ) -> Result<Reserved, Error> {
        let tenant = principal.tenant.as_uuid();
        let scope = [
            tenant.as_bytes().as_slice(),
            principal.subject.as_bytes(),
            route.as_bytes(),
            key.as_bytes(),
        ];
        let fresh = Reservation {
            id: hash(&scope),
            fingerprint: hash(&[asked]),
            object_id: self.ids.next(),
            holders: 1,
            version: 1,
            created_at: self.clock.now(),
        };
        let held = self
            .change(fresh.id, |known| hold(known, fresh, repeat).map(Some))
            .await?
            .unwrap_or(fresh);
        Ok(Reserved {
            object: held.object_id,
            row: held.id,
        })
    }

    /// Takes a request off that was certainly not processed. The key is free when no other request may have been.
    pub(crate) async fn forget(&self, reserved: Reserved) {
        let done = self
            .change(reserved.row, |known| Ok(release(known, reserved.object)))
            .await;
        if let Err(error) = done {
            tracing::warn!(%error, "an idempotency key could not be given back");
        }
    }

    /// Changes a row as `change` says, against what is stored at that moment. None when there is nothing to change.
    async fn change(
        &self,
        id: Uuid,
        change: impl Fn(Option<Reservation>) -> Result<Option<Reservation>, Error>,
    ) -> Result<Option<Reservation>, Error> {
        let mut attempts = ATTEMPTS;
        loop {
            let known = store::reservation::find(&self.database, id)
                .await
                .map_err(Error::Database)?;
            let Some(row) = change(known)? else {
                return Ok(None);
            };
            let mut changes = ChangeSet::new();
            match known {
                None => store::reservation::insert(&mut changes, row),
                Some(_) => store::reservation::update(&mut changes, row),
            }
            match self.writer.commit(changes).await {
                Ok(()) => return Ok(Some(row)),
                Err(error) if attempts > 0 && store::reservation::is_overtaken(&error) => {
                    attempts -= 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The row with one more request that uses its id; `fresh` when no other may have been processed.
fn hold(
    known: Option<Reservation>,
    fresh: Reservation,
    repeat: Repeat,
) -> Result<Reservation, Error> {
    match known {
        None => Ok(fresh),
        Some(known) if known.holders <= 0 => Ok(Reservation {
            version: known.version + 1,
            ..fresh
        }),
        Some(known) if known.fingerprint != fresh.fingerprint => Err(Error::KeyReused),
        Some(_) if repeat == Repeat::Refused => Err(Error::SecretShownOnce),
        Some(known) => Ok(Reservation {
            holders: known.holders + 1,
            version: known.version + 1,
            ..known
        }),
    }
}

/// The row with one request less; None when its id is another one by now.
fn release(known: Option<Reservation>, object: Uuid) -> Option<Reservation> {
    let known = known.filter(|known| known.object_id == object && known.holders > 0)?;
    Some(Reservation {
        holders: known.holders - 1,
        version: known.version + 1,
        ..known
    })
}

impl fmt::Debug for Reservations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservations").finish_non_exhaustive()
    }
}

/// 128 bits of a hash over length-prefixed parts.
fn hash(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(first)
}
