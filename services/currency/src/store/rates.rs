//! Sources, their days and their imports.

use std::{collections::BTreeMap, sync::Arc};

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{
    StoreError,
    entity::{rate_day, rate_import, rate_source},
};
use crate::domain::{Day, DayRates, Imported, RateDate, Source, SourceId};

const SOURCES: &str = "rate_sources";
const DAYS: &str = "rate_days";
const IMPORTS: &str = "rate_imports";

/// A file that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// Hash of source, form and content.
    pub(crate) id: Uuid,
    /// Into which source.
    pub(crate) source: SourceId,
    /// What came of it.
    pub(crate) imported: Imported,
    /// When.
    pub(crate) at: Timestamp,
}

/// All sources.
pub(crate) async fn sources(database: &Database) -> Result<Vec<Source>, StoreError> {
    let rows = rate_source::Entity::find().all(database.reader()).await?;
    rows.into_iter().map(source_from_row).collect()
}

/// The days of a source that were written after a version of it.
pub(crate) async fn days_after(
    database: &Database,
    source: SourceId,
    version: i64,
) -> Result<BTreeMap<RateDate, Arc<Day>>, StoreError> {
    let rows = rate_day::Entity::find()
        .filter(rate_day::Column::SourceId.eq(source))
        .filter(rate_day::Column::Revision.gt(version))
        .all(database.reader())
        .await?;
    rows.into_iter().map(day_from_row).collect()
}

/// A file that was taken in before.
pub(crate) async fn import(database: &Database, id: Uuid) -> Result<Option<Import>, StoreError> {
    let row = rate_import::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(import_from_row).transpose()
}

/// A new source.
pub(crate) fn insert_source(changes: &mut ChangeSet, source: &Source) {
    changes.insert(&source_row(source));
}

/// A source with its version increased by one.
pub(crate) fn update_source(changes: &mut ChangeSet, source: &Source) {
    changes.update(&source_row(source));
}

/// A day as it is to be, written by the version of its source.
pub(crate) fn put_day(changes: &mut ChangeSet, source: &Source, date: RateDate, day: &Day) {
    let rates = serde_json::to_string(&day.rates).expect("codes and rates are JSON text");
    changes.upsert(&rate_day::Model {
        source_id: source.id,
        rate_date: date.to_string(),
        rates,
        revision: source.version,
        imported_at: day.imported_at,
    });
}

/// Remembers a file.
pub(crate) fn insert_import(changes: &mut ChangeSet, import: &Import) {
    changes.insert(&rate_import::Model {
        id: import.id,
        source_id: import.source,
        imported_count: i64::try_from(import.imported.count).unwrap_or(i64::MAX),
        oldest_date: import.imported.oldest.to_string(),
        newest_date: import.imported.newest.to_string(),
        created_at: import.at,
    });
}

/// Forgets files that were taken in before a moment; returns how many.
pub(crate) async fn forget_imports(
    database: &Database,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let done = rate_import::Entity::delete_many()
        .filter(rate_import::Column::CreatedAt.lt(before))
        .exec(database.writer())
        .await?;
    Ok(done.rows_affected)
}

fn source_row(source: &Source) -> rate_source::Model {
    rate_source::Model {
        id: source.id,
        name: source.name.to_string(),
        base_currency: source.base.to_string(),
        imported_at: source.imported_at,
        created_at: source.created_at,
        version: source.version,
    }
}

fn source_from_row(row: rate_source::Model) -> Result<Source, StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: SOURCES,
        column,
    };
    Ok(Source {
        id: row.id,
        name: row.name.parse().map_err(|_| malformed("name"))?,
        base: row
            .base_currency
            .parse()
            .map_err(|_| malformed("base_currency"))?,
        version: row.version,
        imported_at: row.imported_at,
        created_at: row.created_at,
    })
}

fn day_from_row(row: rate_day::Model) -> Result<(RateDate, Arc<Day>), StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: DAYS,
        column,
    };
    let date = row.rate_date.parse().map_err(|_| malformed("rate_date"))?;
    let rates: DayRates = serde_json::from_str(&row.rates).map_err(|_| malformed("rates"))?;
    let imported_at = row.imported_at;
    Ok((date, Arc::new(Day { rates, imported_at })))
}

fn import_from_row(row: rate_import::Model) -> Result<Import, StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: IMPORTS,
        column,
    };
    Ok(Import {
        id: row.id,
        source: row.source_id,
        imported: Imported {
            count: u64::try_from(row.imported_count).map_err(|_| malformed("imported_count"))?,
            oldest: row
                .oldest_date
                .parse()
                .map_err(|_| malformed("oldest_date"))?,
            newest: row
                .newest_date
                .parse()
                .map_err(|_| malformed("newest_date"))?,
        },
        at: row.created_at,
    })
}
