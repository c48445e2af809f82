//! Rows of transactions and their operations. Every write is part of a change set that the writer commits.

pub(crate) mod entity;
mod map;
mod migration;
pub(crate) mod view;

use paymesh_kernel::{
    ChangeSet, Database, ErrorKind, Fault, Timestamp,
    database::{DatabaseError, bulk},
    id::TenantId,
};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, LikeExpr},
};
use sea_orm_migration::MigrationTrait;

use crate::domain::{
    OperationId, PaymentMethodId, TransactionId,
    operation::Operation,
    transaction::Transaction,
    work::{Pending, Work},
};
use entity::{operation, transaction};

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the database cannot be read")]
    Database(#[source] DatabaseError),
    /// A row does not say what it must: somebody changed it by hand, or it is of a newer version.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// Of what.
        what: &'static str,
    },
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Fault for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Database(DatabaseError::Unavailable(_) | DatabaseError::Lost(_)) => {
                ErrorKind::Unavailable
            }
            Self::Database(DatabaseError::Retry(_)) => ErrorKind::ResourceExhausted,
            Self::Database(
                DatabaseError::Duplicate { .. }
                | DatabaseError::Check { .. }
                | DatabaseError::Stale
                | DatabaseError::UnknownEngine
                | DatabaseError::Other(_),
            )
            | Self::Corrupt { .. } => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Database(DatabaseError::Unavailable(_) | DatabaseError::Lost(_)) => {
                "STORAGE_UNAVAILABLE"
            }
            Self::Database(_) | Self::Corrupt { .. } => "STORAGE_UNREADABLE",
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        (self.kind() != ErrorKind::Internal).then_some(1_000)
    }
}

/// Migrations in order.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// The schema.
#[must_use]
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(paymesh_chassis::idempotency::Migration),
        Box::new(migration::Transactions),
        Box::new(migration::ReadModels),
    ]
}

/// An operation that is due and cannot be read. It is put off, so that it does not stand in the way of others.
#[derive(Clone, Debug)]
pub(crate) struct BadRow(operation::Model);

impl BadRow {
    /// Its name, for the log.
    pub(crate) const fn id(&self) -> OperationId {
        self.0.id
    }

    /// Puts it off until `at`.
    pub(crate) fn put_off(mut self, changes: &mut ChangeSet, at: Timestamp) {
        self.0.version = self.0.version.saturating_add(1);
        self.0.next_wake_at = Some(at);
        changes.update(&self.0);
    }
}

/// Writes what a step brought about: the operation, and the transaction when it changed. Both versions are checked.
pub(crate) fn write(changes: &mut ChangeSet, work: &Work, is_new: IsNew) {
    let row = map::to_operation_row(&work.operation);
    match is_new {
        IsNew::Yes => changes.insert(&row),
        IsNew::No => changes.update(&row),
    }
    match work.pending {
        Pending::New => changes.insert(&map::to_transaction_row(&work.transaction)),
        Pending::Changed => changes.update(&map::to_transaction_row(&work.transaction)),
        Pending::Stored => {}
    }
}

/// Whether an operation has a row yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsNew {
    /// It has none.
    Yes,
    /// It has one.
    No,
}

/// A transaction of a tenant.
pub(crate) async fn transaction(
    database: &Database,
    tenant: TenantId,
    id: TransactionId,
) -> Result<Option<Transaction>, StoreError> {
    let row = transaction::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.filter(|row| row.tenant_id == tenant)
        .map(map::to_transaction)
        .transpose()
}

/// Transactions by their ids, in the order of the ids.
pub(crate) async fn transactions(
    database: &Database,
    ids: &[TransactionId],
) -> Result<Vec<(Transaction, Vec<Operation>)>, StoreError> {
    let keys = |ids: &[TransactionId]| ids.iter().map(|id| (*id).into()).collect::<Vec<_>>();
    let reader = database.reader();
    let rows =
        bulk::find_by::<transaction::Entity>(reader, transaction::Column::Id, keys(ids)).await?;
    let column = operation::Column::TransactionId;
    let parts = bulk::find_by::<operation::Entity>(reader, column, keys(ids)).await?;
    let mut parts: Vec<Operation> = parts
        .into_iter()
        .map(map::to_operation)
        .collect::<Result<_, _>>()?;
    parts.sort_by_key(|part| (part.created_at, part.id));
    let mut found = Vec::with_capacity(ids.len());
    for row in rows {
        let transaction = map::to_transaction(row)?;
        let own = parts
            .iter()
            .filter(|part| part.transaction == transaction.id)
            .cloned()
            .collect();
        found.push((transaction, own));
    }
    found.sort_by_key(|(transaction, _)| ids.iter().position(|id| *id == transaction.id));
    Ok(found)
}

/// All operations of a transaction, oldest first.
pub(crate) async fn operations(
    database: &Database,
    id: TransactionId,
) -> Result<Vec<Operation>, StoreError> {
    let rows = operation::Entity::find()
        .filter(operation::Column::TransactionId.eq(id))
        .order_by_asc(operation::Column::CreatedAt)
        .order_by_asc(operation::Column::Id)
        .all(database.reader())
        .await?;
    rows.into_iter().map(map::to_operation).collect()
}

/// An operation with its transaction.
pub(crate) async fn work(database: &Database, id: OperationId) -> Result<Option<Work>, StoreError> {
    let Some(row) = operation::Entity::find_by_id(id)
        .one(database.reader())
        .await?
    else {
        return Ok(None);
    };
    let operation = map::to_operation(row)?;
    let transaction = transaction(database, operation.tenant, operation.transaction).await?;
    Ok(transaction.map(|transaction| Work::loaded(transaction, operation)))
}

/// Operations that are due, the longest waiting first, and those among them that cannot be read.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<(Vec<Operation>, Vec<BadRow>), StoreError> {
    let rows = operation::Entity::find()
        .filter(operation::Column::NextWakeAt.lte(now))
        .order_by_asc(operation::Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    let (mut good, mut bad) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match map::to_operation(row.clone()) {
            Ok(operation) => good.push(operation),
            Err(_) => bad.push(BadRow(row)),
        }
    }
    Ok((good, bad))
}

/// Ends leases of earlier lives of the replica; says how many. `instance` is the replica's name, a colon, and the present life.
pub(crate) async fn end_leases_of(
    database: &Database,
    instance: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let Some((replica, _)) = instance.rsplit_once(':') else {
        return Ok(0);
    };
    let version = Expr::col(operation::Column::Version).add(1);
    let ended = operation::Entity::update_many()
        .col_expr(operation::Column::LeaseUntil, Expr::value(now))
        .col_expr(operation::Column::NextWakeAt, Expr::value(now))
        .col_expr(operation::Column::Version, version)
        .filter(operation::Column::LeaseUntil.gt(now))
        .filter(operation::Column::LeaseOwner.like(LikeExpr::new(lives_of(replica)).escape('!')))
        .filter(operation::Column::LeaseOwner.ne(instance))
        .exec(database.writer())
        .await?;
    Ok(ended.rows_affected)
}

/// The pattern of the names of all lives of a replica. A name may hold what patterns use as wildcards.
fn lives_of(replica: &str) -> String {
    let mut pattern = String::with_capacity(replica.len().saturating_add(2));
    for letter in replica.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern + ":%"
}

/// True when a payment method was used before.
pub(crate) async fn was_used(
    database: &Database,
    method: PaymentMethodId,
) -> Result<bool, StoreError> {
    let row = transaction::Entity::find()
        .select_only()
        .column(transaction::Column::Id)
        .filter(transaction::Column::PaymentMethodId.eq(method))
        .limit(1)
        .into_tuple::<TransactionId>()
        .one(database.reader())
        .await?;
    Ok(row.is_some())
}
