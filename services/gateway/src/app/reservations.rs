//! Ids reserved under an idempotency key (G3), for commands whose proto takes an id made by the caller instead of a key.
//!
//! The id is committed before the component is called, so that a repeat, also after a crash, names the same object. What was
//! certainly not processed gives its key back.

use std::{fmt, sync::Arc};

use paymesh_chassis::Host;
use paymesh_kernel::{ChangeSet, Clock, Database, Ids, Principal, Writer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    error::Error,
    store::{self, reservation::Reservation},
};

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
    /// True when an earlier request with the same key reserved it.
    pub(crate) is_repeat: bool,
    row: Reservation,
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

    /// The id for what `principal` asks for at `route` with this key; always the same one.
    ///
    /// # Errors
    /// When the key was used with something else, or the id cannot be kept.
    pub(crate) async fn reserve(
        &self,
        principal: &Principal,
        route: &str,
        key: &str,
        asked: &[u8],
    ) -> Result<Reserved, Error> {
        let tenant = principal.tenant.as_uuid();
        let scope = [
            tenant.as_bytes().as_slice(),
            principal.subject.as_bytes(),
            route.as_bytes(),
            key.as_bytes(),
        ];
        let row = Reservation {
            id: hash(&scope),
            fingerprint: hash(&[asked]),
            object_id: self.ids.next(),
            created_at: self.clock.now(),
        };
        if let Some(known) = self.known(&row).await? {
            return Ok(known);
        }
        let mut changes = ChangeSet::new();
        store::reservation::insert(&mut changes, row);
        match self.writer.commit(changes).await {
            Ok(()) => Ok(Reserved {
                object: row.object_id,
                is_repeat: false,
                row,
            }),
            Err(error) if store::reservation::is_taken(&error) => {
                // Another request with the same key was faster.
                self.known(&row).await?.ok_or(Error::Commit(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the key of a request back that was certainly not processed.
    pub(crate) async fn forget(&self, reserved: Reserved) {
        if reserved.is_repeat {
            return;
        }
        let mut changes = ChangeSet::new();
        store::reservation::delete(&mut changes, reserved.row);
        if let Err(error) = self.writer.commit(changes).await {
            tracing::warn!(%error, "an idempotency key could not be given back");
        }
    }

    async fn known(&self, asked: &Reservation) -> Result<Option<Reserved>, Error> {
        let row = store::reservation::find(&self.database, asked.id)
            .await
            .map_err(Error::Database)?;
        match row {
            None => Ok(None),
            Some(row) if row.fingerprint == asked.fingerprint => Ok(Some(Reserved {
                object: row.object_id,
                is_repeat: true,
                row,
            })),
            Some(_) => Err(Error::KeyReused),
        }
    }
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
