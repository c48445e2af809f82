//! Files, in pieces of one size. Each attempt of a run writes its own, so that one that was given up spoils nothing (P5).

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, Statement,
};

use super::{
    StoreError,
    entity::chunk::{Column, Entity, Model},
};
use crate::domain::{Run, RunId};

/// Which piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) run: RunId,
    pub(crate) attempt: i32,
    /// From 0.
    pub(crate) number: i64,
}

/// A new piece.
pub(crate) fn insert(changes: &mut ChangeSet, piece: Piece, content: Vec<u8>) {
    changes.insert(&Model {
        run_id: piece.run,
        attempt: piece.attempt,
        number: piece.number,
        content,
    });
}

/// What a piece holds.
pub(crate) async fn find(database: &Database, piece: Piece) -> Result<Option<Vec<u8>>, StoreError> {
    let key = (piece.run, piece.attempt, piece.number);
    let row = Entity::find_by_id(key).one(database.reader()).await?;
    Ok(row.map(|row| row.content))
}

/// Takes away every piece of a run but those of the attempt that made its file.
pub(crate) async fn delete_others(database: &Database, run: &Run) -> Result<u64, StoreError> {
    let done = Entity::delete_many()
        .filter(Column::RunId.eq(run.id))
        .filter(Column::Attempt.ne(run.file_attempt))
        .exec(database.writer())
        .await?;
    Ok(done.rows_affected)
}

/// Takes away pieces of attempts that did not make the file of a run which ended since `since`.
pub(crate) async fn delete_left_over(
    database: &Database,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM file_chunks WHERE run_id IN (SELECT r.id FROM runs r WHERE r.finished_at >= $1 \
               AND (r.attempts > 1 OR r.file_attempt = 0)) \
               AND attempt <> (SELECT o.file_attempt FROM runs o WHERE o.id = file_chunks.run_id)";
    let backend = database.backend().into();
    let statement = Statement::from_sql_and_values(backend, sql, [since.into()]);
    Ok(database
        .writer()
        .execute_raw(statement)
        .await?
        .rows_affected())
}

/// Takes away every piece of a run.
pub(crate) async fn delete_all(database: &Database, run: RunId) -> Result<u64, StoreError> {
    let done = Entity::delete_many()
        .filter(Column::RunId.eq(run))
        .exec(database.writer())
        .await?;
    Ok(done.rows_affected)
}
