//! The tx of a batch: lock the head, load what the commands may touch, write what the batch says, commit.
//!
//! Each step is one statement however many commands there are. The head's lock makes batches of several replicas serial; the locks on
//! the accounts are taken in the order of their ids.

use paymesh_kernel::{
    ChangeSet, Database,
    database::{Backend, DatabaseError, bulk},
    id::TenantId,
};
use sea_orm::{
    DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Value,
    sea_query::{ArrayType, Expr, LockType},
};
use uuid::Uuid;

use super::{
    StoreError,
    entity::{account, ledger_head, pending_transfer, period, tombstone, transfer},
    map,
};
use crate::domain::{
    Account, AccountId, Batch, Period, Transfer, TransferId,
    chain::Head,
    transfer::{Pending, Tombstone},
};

/// An open tx that holds the head's lock.
#[derive(Debug)]
pub struct LedgerTx {
    tx: DatabaseTransaction,
    backend: Backend,
}

impl LedgerTx {
    /// Begins, and locks the head: also what was committed by a tx that broke off is seen, or certainly gone. Gives the id of the
    /// newest commit too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(database: &Database) -> Result<(Self, Head, Uuid), StoreError> {
        let tx = database.begin().await?;
        let row = ledger_head::Entity::find_by_id(1)
            .lock(LockType::NoKeyUpdate)
            .one(&tx)
            .await?
            .ok_or(StoreError::Corrupt { what: "head" })?;
        let head = map::head(&row)?;
        let backend = database.backend();
        Ok((Self { tx, backend }, head, row.commit_id))
    }

    /// Transfers by id, of every tenant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transfers(&self, ids: &[TransferId]) -> Result<Vec<Transfer>, StoreError> {
        let rows =
            bulk::find_by::<transfer::Entity>(&self.tx, transfer::Column::Id, values(ids)).await?;
        rows.into_iter().map(map::transfer).collect()
    }

    /// What became of pending transfers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pendings(&self, ids: &[TransferId]) -> Result<Vec<Pending>, StoreError> {
        let column = pending_transfer::Column::Id;
        let rows = bulk::find_by::<pending_transfer::Entity>(&self.tx, column, values(ids)).await?;
        rows.iter().map(map::pending).collect()
    }

    /// Tombstones of these ids, and those that these voids left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tombstones(&self, ids: &[TransferId]) -> Result<Vec<Tombstone>, StoreError> {
        type Entity = tombstone::Entity;
        let rows = match self.backend {
            Backend::Sqlite => {
                let column = tombstone::Column::Id;
                let mut rows = bulk::find_by::<Entity>(&self.tx, column, values(ids)).await?;
                let column = tombstone::Column::VoidId;
                rows.extend(bulk::find_by::<Entity>(&self.tx, column, values(ids)).await?);
                rows
            }
            Backend::Postgres => {
                let keys = uuids(values(ids));
                let either =
                    "\"tombstones\".\"id\" = ANY($1) OR \"tombstones\".\"void_id\" = ANY($2)";
                let either = Expr::cust_with_values(either, [keys.clone(), keys]);
                Entity::find().filter(either).all(&self.tx).await?
            }
        };
        Ok(rows.iter().map(map::tombstone).collect())
    }

    /// Which accounts these references mean.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn references(
        &self,
        references: Vec<Uuid>,
    ) -> Result<Vec<(Uuid, AccountId)>, StoreError> {
        let keys = references.into_iter().map(Value::from).collect();
        let column = account::Column::Reference;
        let rows = bulk::find_by::<account::Entity>(&self.tx, column, keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.reference, row.id))
            .collect())
    }

    /// Accounts by id, of every tenant, locked in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let rows = match self.backend {
            Backend::Sqlite => {
                let keys = ids.iter().map(|id| Value::from(*id)).collect();
                bulk::find_by::<account::Entity>(&self.tx, account::Column::Id, keys).await?
            }
            Backend::Postgres => {
                let keys = uuids(ids.iter().map(|id| Value::from(*id)).collect());
                account::Entity::find()
                    .filter(Expr::cust_with_values(
                        "\"accounts\".\"id\" = ANY($1)",
                        [keys],
                    ))
                    .order_by_asc(account::Column::Id)
                    .lock(LockType::NoKeyUpdate)
                    .all(&self.tx)
                    .await?
            }
        };
        rows.into_iter().map(map::account).collect()
    }

    /// Closed periods of these tenants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn periods(&self, tenants: &[TenantId]) -> Result<Vec<Period>, StoreError> {
        let keys = tenants.iter().map(|id| Value::from(*id)).collect();
        let rows =
            bulk::find_by::<period::Entity>(&self.tx, period::Column::TenantId, keys).await?;
        rows.into_iter().map(map::period).collect()
    }

    /// Writes a batch with further rows and commits.
    ///
    /// # Errors
    /// When the database fails; [`DatabaseError::Lost`] may have been committed.
    pub async fn commit(
        self,
        mut changes: ChangeSet,
        batch: &Batch,
        commit_id: Uuid,
    ) -> Result<(), DatabaseError> {
        add_batch(&mut changes, batch, commit_id);
        if let Err(error) = bulk::write_in_tx(&self.tx, &[&changes]).await {
            // The first error is the one that tells; a connection that is gone rolls back by itself.
            self.tx.rollback().await.ok();
            return Err(error);
        }
        Ok(self.tx.commit().await?)
    }

    /// Ends without a change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        Ok(self.tx.rollback().await?)
    }
}

/// The rows of a batch.
fn add_batch(changes: &mut ChangeSet, batch: &Batch, commit_id: Uuid) {
    changes.update(&map::head_row(&batch.head, commit_id));
    if let Some(link) = &batch.link {
        changes.insert(&map::batch_row(link));
    }
    for node in &batch.nodes {
        changes.insert(&map::node_row(node));
    }
    for account in &batch.opened {
        changes.insert(&map::account_row(account));
    }
    for account in &batch.changed {
        changes.update(&map::account_row(account));
    }
    for transfer in &batch.transfers {
        changes.insert(&map::transfer_row(transfer));
    }
    for entry in &batch.entries {
        changes.insert(&map::entry_row(entry));
    }
    for pending in &batch.reserved {
        changes.insert(&map::pending_row(pending));
    }
    for pending in &batch.resolved {
        changes.update(&map::pending_row(pending));
    }
    for tombstone in &batch.tombstones {
        changes.insert(&map::tombstone_row(tombstone));
    }
    for period in &batch.periods {
        changes.insert(&map::period_row(period));
    }
}

fn values(ids: &[TransferId]) -> Vec<Value> {
    ids.iter().map(|id| Value::from(*id)).collect()
}

/// One parameter for any number of ids.
fn uuids(ids: Vec<Value>) -> Value {
    Value::Array(ArrayType::Uuid, Some(Box::new(ids)))
}
