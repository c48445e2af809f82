//! A change set: the rows that one decision writes, committed whole or not at all (K1).
//!
//! A use case loads a state, decides, and hands its change set to the [`Writer`](crate::Writer), which commits many at once.
//! Concurrency is optimistic: an update names the version that it read.

use sea_orm::{EntityTrait, IdenStatic as _, Iterable as _, ModelTrait, Value};

use crate::database::table::Table;

/// What is done with one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// A new row; a duplicate refuses the change set.
    Insert,
    /// A row whose `version` is one less than the new one; else the change set is stale.
    Update,
    /// A new row, or all columns of the old one replaced.
    Upsert,
    /// No row with this key afterwards.
    Delete,
}

/// One row to write.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) table: &'static Table,
    pub(crate) operation: Operation,
    /// In the order of the table's columns; for a delete, of its key.
    pub(crate) values: Vec<Value>,
}

/// Rows to be written together.
#[derive(Clone, Debug, Default)]
#[must_use = "a change set does nothing until the writer has it"]
pub struct ChangeSet {
    pub(crate) changes: Vec<Change>,
}

impl ChangeSet {
    /// Nothing to write.
    pub const fn new() -> Self {
        Self {
            changes: Vec::new(),
        }
    }

    /// True when there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Rows to write.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// A new row. Another row with the same value in a unique index refuses the whole set.
    pub fn insert<M: ModelTrait>(&mut self, row: &M) {
        self.push::<M>(Operation::Insert, row);
    }

    /// A changed row. Its entity has a column `version`, which `row` carries increased by one; when the stored row has any other
    /// version than the one before, the whole set is stale.
    ///
    /// # Panics
    /// When the entity has no column `version`.
    pub fn update<M: ModelTrait>(&mut self, row: &M) {
        assert!(
            Table::of::<M::Entity>().version.is_some(),
            "an entity that is updated has a column `version`"
        );
        self.push::<M>(Operation::Update, row);
    }

    /// A row as it is to be, whether or not there is one with its key: for read models and cursors with one writer.
    pub fn upsert<M: ModelTrait>(&mut self, row: &M) {
        self.push::<M>(Operation::Upsert, row);
    }

    /// Takes the row with the key of `row` away, if there is one.
    pub fn delete<M: ModelTrait>(&mut self, row: &M) {
        let table = Table::of::<M::Entity>();
        let values = <M::Entity as EntityTrait>::Column::iter()
            .filter(|column| table.is_key(column.as_str()))
            .map(|column| row.get(column))
            .collect();
        self.changes.push(Change {
            table,
            operation: Operation::Delete,
            values,
        });
    }

    /// Adds all of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
    }

    fn push<M: ModelTrait>(&mut self, operation: Operation, row: &M) {
        let values = <M::Entity as EntityTrait>::Column::iter()
            .map(|column| row.get(column))
            .collect();
        self.changes.push(Change {
            table: Table::of::<M::Entity>(),
            operation,
            values,
        });
    }
}
