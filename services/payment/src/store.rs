//! The tables of payments. Nothing else in the component knows the database library.
//!
//! A book is saved as a difference: what is new is inserted, what changed is updated, and the attempt's row is always updated with
//! it, so that its version guards the whole book.

pub(crate) mod entity;
mod lists;
mod migration;
pub(crate) mod rows;
mod webhooks;

use std::collections::HashMap;

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    database::{DatabaseError, bulk},
    id::{TenantId, reexport::Uuid},
};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Value,
};
use sea_orm_migration::MigrationTrait;

use self::{
    entity::{attempt, dispute, evidence, operation, payment_method},
    rows::{hash, operation_id},
};
use crate::{
    connector::EvidencePiece,
    domain::{AttemptId, Book, Dispute, DisputeId, Operation, PaymentMethod, PaymentMethodId},
};

pub(crate) use lists::{AttemptFilter, DisputeFilter, Keyset, MethodFilter};
pub(crate) use webhooks::{WebhookEvent, WebhookState};

/// Unique indexes that two of the same authorization run into.
const AUTHORIZATION_KEYS: [&str; 3] = [
    "attempts_pkey",
    "attempts_connector_reference_key",
    "operations_pkey",
];
const OPERATION_KEY: &str = "operations_pkey";

/// The state of a row that stands for an attempt which was canceled before it arrived.
const TOMBSTONE: &str = "tombstone";

/// The migrations of the component.
pub(crate) type Migrations = Vec<Box<dyn MigrationTrait>>;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the database cannot be read")]
    Database(#[source] DatabaseError),
    /// A row holds what was never written.
    #[error("a row is corrupt in {column}")]
    Corrupt {
        /// Where.
        column: &'static str,
    },
}

/// What an attempt's id stands for.
#[derive(Debug)]
pub(crate) enum Found {
    /// An attempt.
    Book(Box<Book>),
    /// Canceled before it arrived.
    Tombstone(TenantId),
    /// Nothing.
    Nothing,
}

/// Reads rows. Clones share the database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    database: Database,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

// === impl Store ===

impl Store {
    pub(crate) const fn new(database: Database) -> Self {
        Self { database }
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// An attempt with all that belongs to it. The attempt is read first: what is read after it can only be newer, and then the
    /// version of the attempt refuses what was decided on both.
    pub(crate) async fn book(&self, id: AttemptId) -> Result<Found, StoreError> {
        let attempt = attempt::Entity::find_by_id(id)
            .one(self.database.reader())
            .await?;
        let Some(attempt) = attempt else {
            return Ok(Found::Nothing);
        };
        if attempt.state == TOMBSTONE {
            return Ok(Found::Tombstone(attempt.tenant_id));
        }
        let operations = operation::Entity::find()
            .filter(operation::Column::AttemptId.eq(id))
            .order_by_asc(operation::Column::Position)
            .all(self.database.reader())
            .await?;
        let book = self.assembled(attempt, operations).await?;
        Ok(Found::Book(Box::new(book)))
    }

    /// The books of attempts by their references at a connector, of those that there are. Read in the order of [`Store::book`]; one
    /// that cannot be read spoils none of the others.
    pub(crate) async fn books_of_references(
        &self,
        connector: &str,
        references: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, Result<Book, StoreError>>, StoreError> {
        let reader = self.database.reader();
        let references: Vec<Value> = references.map(Value::from).collect();
        let column = attempt::Column::Reference;
        let attempts = attempt::Entity::find()
            .filter(attempt::Column::Connector.eq(connector))
            .filter(attempt::Column::State.ne(TOMBSTONE))
            .filter(bulk::is_any_of::<attempt::Entity>(
                reader, column, references,
            ))
            .all(reader)
            .await?;
        let ids = attempts.iter().map(|attempt| attempt.id.into()).collect();
        let column = operation::Column::AttemptId;
        let mut operations: HashMap<AttemptId, Vec<operation::Model>> = HashMap::new();
        for row in bulk::find_by::<operation::Entity>(reader, column, ids).await? {
            operations.entry(row.attempt_id).or_default().push(row);
        }
        let mut books = HashMap::with_capacity(attempts.len());
        for attempt in attempts {
            let mut own = operations.remove(&attempt.id).unwrap_or_default();
            own.sort_by_key(|row| row.position);
            let reference = attempt.reference.clone();
            books.insert(reference, self.assembled(attempt, own).await);
        }
        Ok(books)
    }

    async fn assembled(
        &self,
        attempt: attempt::Model,
        operations: Vec<operation::Model>,
    ) -> Result<Book, StoreError> {
        let disputes = if attempt.dispute_count > 0 {
            self.disputes_of(attempt.id).await?
        } else {
            Vec::new()
        };
        let operations: Result<Vec<Operation>, StoreError> =
            operations.into_iter().map(rows::read_operation).collect();
        Ok(Book {
            attempt: rows::read_attempt(attempt)?,
            operations: operations?,
            disputes,
            told: Vec::new(),
        })
    }

    async fn disputes_of(&self, id: AttemptId) -> Result<Vec<Dispute>, StoreError> {
        let rows = dispute::Entity::find()
            .filter(dispute::Column::AttemptId.eq(id))
            .order_by_asc(dispute::Column::OpenedAt)
            .order_by_asc(dispute::Column::Id)
            .all(self.database.reader())
            .await?;
        rows.into_iter().map(rows::read_dispute).collect()
    }

    pub(crate) async fn dispute(&self, id: DisputeId) -> Result<Option<Dispute>, StoreError> {
        let row = dispute::Entity::find_by_id(id)
            .one(self.database.reader())
            .await?;
        row.map(rows::read_dispute).transpose()
    }

    pub(crate) async fn method(
        &self,
        id: PaymentMethodId,
    ) -> Result<Option<PaymentMethod>, StoreError> {
        let row = payment_method::Entity::find_by_id(id)
            .one(self.database.reader())
            .await?;
        row.map(rows::read_method).transpose()
    }

    /// The attempt that an operation belongs to.
    pub(crate) async fn attempt_of_key(
        &self,
        tenant: TenantId,
        key: &str,
    ) -> Result<Option<AttemptId>, StoreError> {
        let id = hash(&[tenant.as_uuid().as_bytes(), key.as_bytes()]);
        let row = operation::Entity::find_by_id(id)
            .one(self.database.reader())
            .await?;
        Ok(row.map(|row| row.attempt_id))
    }

    /// Operations that somebody must look after now, the longest due first.
    pub(crate) async fn due_operations(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<(AttemptId, String)>, StoreError> {
        let rows = operation::Entity::find()
            .filter(operation::Column::WakeAt.lte(now))
            .order_by_asc(operation::Column::WakeAt)
            .limit(u64::from(most))
            .all(self.database.reader())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.attempt_id, row.key))
            .collect())
    }

    /// The evidence that an operation sends.
    pub(crate) async fn evidence(
        &self,
        sent_by: &Operation,
    ) -> Result<Vec<EvidencePiece>, StoreError> {
        let rows = evidence::Entity::find()
            .filter(evidence::Column::OperationId.eq(operation_id(sent_by)))
            .order_by_asc(evidence::Column::Position)
            .all(self.database.reader())
            .await?;
        let piece = |row: evidence::Model| EvidencePiece {
            kind: row.kind,
            text: row.text,
            file: row.file,
            media_type: row.media_type,
        };
        Ok(rows.into_iter().map(piece).collect())
    }
}

// === free functions ===

/// The schema, in order.
pub(crate) fn migrations() -> Migrations {
    vec![
        Box::new(paymesh_chassis::idempotency::Migration),
        Box::new(migration::Tables),
    ]
}

/// Hash of what was asked under a key.
pub(crate) fn fingerprint(asked: &[u8]) -> Uuid {
    hash(&[asked])
}

/// True when the commit lost against the same authorization, or another use of its id or key.
pub(crate) fn is_taken(error: &paymesh_kernel::CommitError) -> bool {
    AUTHORIZATION_KEYS
        .iter()
        .any(|index| error.is_duplicate(index))
}

/// True when the commit lost against another use of an operation's key.
pub(crate) fn is_key_taken(error: &paymesh_kernel::CommitError) -> bool {
    error.is_duplicate(OPERATION_KEY)
}

/// A book that was never saved.
pub(crate) fn insert_book(changes: &mut ChangeSet, book: &Book) {
    changes.insert(&rows::attempt_row(&book.attempt));
    for (place, operation) in book.operations.iter().enumerate() {
        changes.insert(&rows::operation_row(operation, place));
    }
}

/// The difference between a book as it was loaded and as it is now; versions are raised in `after`.
pub(crate) fn update_book(changes: &mut ChangeSet, before: &Book, after: &mut Book) {
    for (place, operation) in after.operations.iter_mut().enumerate() {
        match before.operations.get(place) {
            None => changes.insert(&rows::operation_row(operation, place)),
            Some(known) if known == operation => {}
            Some(known) => {
                operation.version = known.version + 1;
                changes.update(&rows::operation_row(operation, place));
            }
        }
    }
    for (place, dispute) in after.disputes.iter_mut().enumerate() {
        match before.disputes.get(place) {
            None => changes.insert(&rows::dispute_row(dispute)),
            Some(known) if known == dispute => {}
            Some(known) => {
                dispute.version = known.version + 1;
                changes.update(&rows::dispute_row(dispute));
            }
        }
    }
    if !changes.is_empty() || before.attempt != after.attempt {
        after.attempt.version = before.attempt.version + 1;
        changes.update(&rows::attempt_row(&after.attempt));
    }
}

/// A row that refuses an attempt which arrives after its cancellation.
pub(crate) fn insert_tombstone(
    changes: &mut ChangeSet,
    (tenant, id): (TenantId, AttemptId),
    now: Timestamp,
) {
    changes.insert(&attempt::Model {
        id,
        tenant_id: tenant,
        transaction_id: Uuid::nil().into(),
        payment_method_id: Uuid::nil().into(),
        customer_id: None,
        merchant_id: None,
        connector: String::new(),
        reference: id.to_string(),
        connector_reference: None,
        state: TOMBSTONE.to_owned(),
        capture: String::new(),
        three_ds: String::new(),
        statement_descriptor: None,
        return_url: None,
        currency: String::new(),
        amount_minor: 0,
        authorized_minor: 0,
        captured_minor: 0,
        released_minor: 0,
        refunded_minor: 0,
        charged_back_minor: 0,
        decline_reason: None,
        decline_code: None,
        action_url: None,
        action_id: None,
        action_expires_at: None,
        authorization_expires_at: None,
        is_abandoned: true,
        correlation_id: String::new(),
        business_at: now,
        dispute_count: 0,
        event_sequence: 0,
        created_at: now,
        updated_at: now,
        version: 1,
    });
}

pub(crate) fn insert_method(changes: &mut ChangeSet, method: &PaymentMethod) {
    changes.insert(&rows::method_row(method));
}

pub(crate) fn update_method(changes: &mut ChangeSet, method: &PaymentMethod) {
    changes.update(&rows::method_row(method));
}

/// The pieces that an operation sends.
pub(crate) fn insert_evidence(
    changes: &mut ChangeSet,
    sent_by: &Operation,
    pieces: &[EvidencePiece],
) {
    for (place, piece) in pieces.iter().enumerate() {
        changes.insert(&evidence::Model {
            operation_id: operation_id(sent_by),
            position: i32::try_from(place).unwrap_or(i32::MAX),
            dispute_id: sent_by.subject.into(),
            tenant_id: sent_by.tenant,
            kind: piece.kind.clone(),
            text: piece.text.clone(),
            file: piece.file.clone(),
            media_type: piece.media_type.clone(),
            created_at: sent_by.created_at,
        });
    }
}
