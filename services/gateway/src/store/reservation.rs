//! Table `reservations`: an id under an idempotency key.

use std::time::Duration;

use paymesh_kernel::{ChangeSet, CommitError, Database, Timestamp, database::DatabaseError};
use sea_orm::entity::prelude::*;

pub(crate) use entity::Model as Reservation;

/// How long a key is kept.
pub(crate) const RETENTION: Duration = Duration::from_secs(30 * 24 * 3_600);
const PRIMARY_KEY: &str = "reservations_pkey";

mod entity {
    use paymesh_kernel::Timestamp;
    use sea_orm::entity::prelude::*;

    /// A reserved id.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reservations")]
    pub(crate) struct Model {
        /// Hash of tenant, principal, route and key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        /// Hash of what was asked.
        pub(crate) fingerprint: Uuid,
        /// The id.
        pub(crate) object_id: Uuid,
        /// Requests that may have been processed under the id; with none the key is free.
        pub(crate) holders: i64,
        /// Rises with each change.
        pub(crate) version: i64,
        /// When.
        pub(crate) created_at: Timestamp,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Adds a row.
pub(crate) fn insert(changes: &mut ChangeSet, row: Reservation) {
    changes.insert(&row);
}

/// Changes a row whose version is one less.
pub(crate) fn update(changes: &mut ChangeSet, row: Reservation) {
    changes.update(&row);
}

/// The row with this id.
pub(crate) async fn find(
    database: &Database,
    id: Uuid,
) -> Result<Option<Reservation>, DatabaseError> {
    Ok(entity::Entity::find_by_id(id)
        .one(database.reader())
        .await?)
}

/// True when another request changed the row first.
pub(crate) fn is_overtaken(error: &CommitError) -> bool {
    matches!(error, CommitError::Stale) || error.is_duplicate(PRIMARY_KEY)
}

/// Takes rows away that are older than [`RETENTION`].
pub(crate) async fn purge(database: &Database, now: Timestamp) -> Result<u64, DatabaseError> {
    let done = entity::Entity::delete_many()
        .filter(entity::Column::CreatedAt.lt(now.minus(RETENTION)))
        .exec(database.writer())
        .await?;
    Ok(done.rows_affected)
}
