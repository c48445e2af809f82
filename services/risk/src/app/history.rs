//! Past payments in bulk, before a tenant's own are assessed.

use paymesh_kernel::{ChangeSet, CommitError, Principal, Timestamp, id::reexport::Uuid};

use super::App;
use crate::{
    config::HistoryImport,
    domain::{DecisionId, Outcome, Past, Payment, ids::derived},
    error::Error,
    store::{self, history::Chunk},
};

/// A piece of an import.
#[derive(Clone, Debug)]
pub(crate) struct ImportHistory {
    /// Made by the caller.
    pub(crate) import: String,
    /// From 0.
    pub(crate) chunk: i32,
    /// What was paid.
    pub(crate) items: Vec<Item>,
    /// Hash of what was asked.
    pub(crate) fingerprint: Uuid,
}

/// A past payment.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Unique in the tenant's imports.
    pub(crate) reference: String,
    /// What was paid.
    pub(crate) payment: Payment,
    /// Known to be fraud, and since when.
    pub(crate) fraud_at: Option<Timestamp>,
}

// === impl App ===

impl App {
    /// Takes a piece of history in one commit, once for each import and number (R9). Its payments count from then on.
    ///
    /// # Errors
    /// When the piece came with other items before, an item was imported before, or the installation takes no history.
    pub(crate) async fn import_history(
        &self,
        principal: &Principal,
        command: ImportHistory,
    ) -> Result<Outcome<i64>, Error> {
        match self.settings().history_import {
            HistoryImport::Open => {}
            HistoryImport::Closed => return Err(Error::ImportClosed),
        }
        self.tenant(principal.tenant).await?;
        let parts = [
            b"import".as_slice(),
            command.import.as_bytes(),
            &command.chunk.to_be_bytes(),
        ];
        let chunk = Chunk {
            id: derived(principal.tenant, &parts),
            tenant: principal.tenant,
            fingerprint: command.fingerprint,
            imported_count: i64::try_from(command.items.len()).unwrap_or(i64::MAX),
        };
        if let Some(taken) = store::history::find(self.database(), chunk.id).await? {
            return repeated(chunk, taken);
        }
        let now = self.now();
        let mut changes = ChangeSet::new();
        store::history::insert(&mut changes, chunk, now);
        let mut payments: Vec<Past> = command
            .items
            .into_iter()
            .map(|item| past_of(principal, item, now))
            .collect();
        for past in &payments {
            store::payments::insert_past(&mut changes, past, self.inner.node);
        }
        match self.commit(changes).await {
            Ok(()) => {}
            Err(error)
                if error.is_duplicate(store::CHUNKS_KEY)
                    || error.is_duplicate(store::PAYMENTS_KEY) =>
            {
                let taken = store::history::find(self.database(), chunk.id).await?;
                return taken.map_or(Err(Error::ReferenceExists), |taken| repeated(chunk, taken));
            }
            Err(CommitError::Unknown) => {
                // Memory cannot know whether these count, so it is filled anew.
                self.inner.tenants.drop_tenant(principal.tenant);
                return Err(CommitError::Unknown.into());
            }
            Err(error) => return Err(error.into()),
        }
        payments.sort_by_key(|past| past.payment.business_at);
        for past in &payments {
            self.inner.windows.count(past.tenant, &past.payment);
            self.learn_of(past);
        }
        Ok(Outcome::Applied(chunk.imported_count))
    }
}

fn past_of(principal: &Principal, item: Item, now: Timestamp) -> Past {
    let id = derived(principal.tenant, &[b"history", item.reference.as_bytes()]);
    Past {
        id: DecisionId::from(id),
        tenant: principal.tenant,
        payment: item.payment,
        fraud_at: item.fraud_at,
        recorded_at: now,
    }
}

fn repeated(asked: Chunk, taken: Chunk) -> Result<Outcome<i64>, Error> {
    if asked == taken {
        Ok(Outcome::AlreadyApplied(taken.imported_count))
    } else {
        Err(Error::ChunkReused)
    }
}
