//! Keys of commands: the first request with a key does the work, every other one with the same body gets its result (C3).
//!
//! The key's row is part of the change set that has the effect, so there is no key without its effect and no effect without its
//! key. It names the object that came of it; what is answered to a repeat is read from that object. Keys are kept thirty days.

use std::time::Duration;

use paymesh_kernel::{
    ChangeSet, CommitError, Database, ErrorKind, Fault, FieldViolation, Principal, Timestamp,
};
use sea_orm::{DbErr, EntityTrait as _};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};
use uuid::Uuid;

/// Longest key, in characters.
pub const KEY_LIMIT: usize = 255;
/// How long a key is kept.
pub const RETENTION: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The unique index that a second request with the same key runs into.
const PRIMARY_KEY: &str = "idempotency_keys_pkey";

/// The stored row.
pub mod entity {
    use paymesh_kernel::Timestamp;
    use sea_orm::entity::prelude::*;

    /// One key, and the object that came of it.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        /// Hash of tenant, principal, route and key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Hash of what was asked.
        pub fingerprint: Uuid,
        /// The object that came of it.
        pub object_id: Uuid,
        /// When.
        pub created_at: Timestamp,
    }

    /// None.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, too long, or with characters that are not visible ASCII.
    #[error("the idempotency key must be 1 to 255 visible ASCII characters")]
    Malformed,
    /// The same key came with another body.
    #[error("this idempotency key was used with another request; use a new key for a new request")]
    Reused,
}

impl Fault for KeyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed => ErrorKind::InvalidArgument,
            Self::Reused => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "IDEMPOTENCY_KEY_MALFORMED",
            Self::Reused => "IDEMPOTENCY_KEY_REUSED",
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        vec![FieldViolation::new("idempotency_key", self.to_string())]
    }
}

/// A key with what was asked under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    id: Uuid,
    fingerprint: Uuid,
}

// === impl IdempotencyKey ===

impl IdempotencyKey {
    /// A key as `principal` sent it to `route`, with the bytes that were asked (a protobuf message without the key is good).
    ///
    /// # Errors
    /// When the key is malformed.
    pub fn try_new(
        principal: &Principal,
        route: &str,
        key: &str,
        asked: &[u8],
    ) -> Result<Self, KeyError> {
        let is_visible = key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if key.is_empty() || key.len() > KEY_LIMIT || !is_visible {
            return Err(KeyError::Malformed);
        }
        let tenant = principal.tenant.as_uuid();
        Ok(Self {
            id: hash(&[
                tenant.as_bytes(),
                principal.subject.as_bytes(),
                route.as_bytes(),
                key.as_bytes(),
            ]),
            fingerprint: hash(&[asked]),
        })
    }

    /// Adds the key to the change set that makes `object_id`.
    pub fn record(&self, changes: &mut ChangeSet, object_id: Uuid, now: Timestamp) {
        changes.insert(&entity::Model {
            id: self.id,
            fingerprint: self.fingerprint,
            object_id,
            created_at: now,
        });
    }

    /// The object that an earlier request with this key made; None when there was none.
    ///
    /// # Errors
    /// When the key was used with another body, or the database fails.
    pub async fn find(&self, database: &Database) -> Result<Option<Uuid>, LookupError> {
        let row = entity::Entity::find_by_id(self.id)
            .one(database.reader())
            .await?;
        match row {
            None => Ok(None),
            Some(row) if row.fingerprint == self.fingerprint => Ok(Some(row.object_id)),
            Some(_) => Err(LookupError::Key(KeyError::Reused)),
        }
    }

    /// True when the commit lost against another request with the same key: look it up with [`IdempotencyKey::find`].
    #[must_use]
    pub fn lost(error: &CommitError) -> bool {
        error.is_duplicate(PRIMARY_KEY)
    }
}

/// Why a key could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The key itself.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error("the idempotency key cannot be looked up")]
    Database(#[from] DbErr),
}

/// Takes away keys that are older than [`RETENTION`]; returns how many. Call it now and then.
///
/// # Errors
/// When the database fails.
pub async fn purge(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    use sea_orm::{ColumnTrait as _, QueryFilter as _};
    let done = entity::Entity::delete_many()
        .filter(entity::Column::CreatedAt.lt(now.minus(RETENTION)))
        .exec(database.writer())
        .await?;
    Ok(done.rows_affected)
}

/// 128 bits of a hash over length-prefixed parts.
fn hash(parts: &[&[u8]]) -> Uuid {
    use sha2::{Digest as _, Sha256};
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(first)
}

/// Makes the table. A component that takes keyed commands adds it to its migrations.
#[derive(Debug)]
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "idempotency_keys_1"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = |name: &'static str| ColumnDef::new(Alias::new(name)).not_null().to_owned();
        let table = Table::create()
            .table(Alias::new("idempotency_keys"))
            .col(column("id").uuid().primary_key())
            .col(column("fingerprint").uuid())
            .col(column("object_id").uuid())
            .col(column("created_at").big_integer())
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("idempotency_keys_created_at_idx")
            .table(Alias::new("idempotency_keys"))
            .col(Alias::new("created_at"))
            .to_owned();
        manager.create_index(index).await
    }
}
