//! Reading the chain and the tree.

use paymesh_kernel::{Database, Timestamp};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    Page, StoreError,
    entity::{batch, transfer, tree_node},
    map,
};
use crate::domain::{
    chain::BatchHead,
    leaf,
    tree::{self, Hash, Place, STORED_LEVELS, fold, perfect_root, proof::Range},
};

/// The newest batch; before the first one, the genesis.
///
/// # Errors
/// When the database fails.
pub async fn newest(database: &Database) -> Result<BatchHead, StoreError> {
    let query = batch::Entity::find().order_by_desc(batch::Column::Height);
    let row = query.one(database.reader()).await?;
    row.map_or_else(|| Ok(BatchHead::genesis()), |row| map::batch(&row))
}

/// The batch of a height.
///
/// # Errors
/// When the database fails.
pub async fn at_height(database: &Database, height: i64) -> Result<Option<BatchHead>, StoreError> {
    let row = batch::Entity::find_by_id(height)
        .one(database.reader())
        .await?;
    row.as_ref().map(map::batch).transpose()
}

/// The batch after which the tree had this size.
///
/// # Errors
/// When the database fails.
pub async fn at_size(database: &Database, size: i64) -> Result<Option<BatchHead>, StoreError> {
    if size == 0 {
        return Ok(Some(BatchHead::genesis()));
    }
    let query = batch::Entity::find().filter(batch::Column::Size.eq(size));
    let row = query.one(database.reader()).await?;
    row.as_ref().map(map::batch).transpose()
}

/// The last batch before a moment; the genesis when there was none.
///
/// # Errors
/// When the database fails.
pub async fn before(database: &Database, at: Timestamp) -> Result<BatchHead, StoreError> {
    let query = batch::Entity::find()
        .filter(batch::Column::CommittedAt.lt(at))
        .order_by_desc(batch::Column::CommittedAt);
    let row = query.one(database.reader()).await?;
    row.map_or_else(|| Ok(BatchHead::genesis()), |row| map::batch(&row))
}

/// Batches above a height.
///
/// # Errors
/// When the database fails.
pub async fn batches(database: &Database, page: Page<i64>) -> Result<Vec<BatchHead>, StoreError> {
    let rows = batch::Entity::find()
        .filter(batch::Column::Height.gt(page.after.unwrap_or(0)))
        .order_by_asc(batch::Column::Height)
        .limit(page.size.saturating_add(1))
        .all(database.reader())
        .await?;
    rows.iter().map(map::batch).collect()
}

/// The root over a range of leaves.
///
/// # Errors
/// When the database fails or lacks a leaf.
pub async fn root_of(database: &Database, range: Range) -> Result<Hash, StoreError> {
    let mut roots = Vec::new();
    for place in range.places() {
        roots.push(subtree(database, place).await?);
    }
    fold(&roots).ok_or(StoreError::Corrupt { what: "leaf" })
}

/// The root of a perfect subtree, from the stored roots or leaves of the next level below that has any.
async fn subtree(database: &Database, place: Place) -> Result<Hash, StoreError> {
    let above = place.level.checked_rem(STORED_LEVELS).unwrap_or(0);
    let level = place.level.saturating_sub(above);
    let first = place.position << above;
    let end = first.saturating_add(1_i64 << above);
    let children = if level == 0 {
        leaves(database, first, end).await?
    } else {
        nodes(database, level, first, end).await?
    };
    let wanted = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
    if children.len() != wanted {
        return Err(StoreError::Corrupt { what: "leaf" });
    }
    perfect_root(&children).ok_or(StoreError::Corrupt { what: "leaf" })
}

async fn leaves(database: &Database, first: i64, end: i64) -> Result<Vec<Hash>, StoreError> {
    let rows = transfer::Entity::find()
        .filter(transfer::Column::LeafIndex.gte(first))
        .filter(transfer::Column::LeafIndex.lt(end))
        .order_by_asc(transfer::Column::LeafIndex)
        .all(database.reader())
        .await?;
    rows.into_iter()
        .map(|row| Ok(tree::leaf_hash(&leaf::encode(&map::transfer(row)?))))
        .collect()
}

async fn nodes(
    database: &Database,
    level: u32,
    first: i64,
    end: i64,
) -> Result<Vec<Hash>, StoreError> {
    let rows = tree_node::Entity::find()
        .filter(tree_node::Column::Level.eq(i64::from(level)))
        .filter(tree_node::Column::Position.gte(first))
        .filter(tree_node::Column::Position.lt(end))
        .order_by_asc(tree_node::Column::Position)
        .all(database.reader())
        .await?;
    rows.iter().map(|row| map::hash(&row.hash)).collect()
}
