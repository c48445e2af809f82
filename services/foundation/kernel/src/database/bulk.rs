//! Set-based writes: one statement for many rows of one table.
//!
//! PostgreSQL gets arrays and `unnest`, so the text of a statement does not depend on the number of rows and its plan is cached.
//! SQLite gets rows of parameters. A whole batch on PostgreSQL is one data-modifying statement without BEGIN and COMMIT, which
//! costs about 40 % less than the same in a tx; it fails as a whole, by a division by zero, when an update met another version.

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait, IdenStatic as _, ModelTrait,
    QueryFilter as _, Statement, Value,
    sea_query::{ArrayType, Expr},
};

use super::{Backend, DatabaseError, table};
use crate::{
    ChangeSet,
    changes::{Change, Operation},
    database::table::Table,
};

/// SQLite's limit is 32,766 parameters a statement; ours leaves room.
const SQLITE_PARAMETERS: usize = 30_000;

/// Rows of one table with one operation.
struct Group<'a> {
    table: &'static Table,
    operation: Operation,
    rows: Vec<&'a [Value]>,
}

/// Writes the rows of all sets inside the caller's tx.
///
/// # Errors
/// As the first failing statement says; the caller rolls back.
pub async fn write_in_tx(
    tx: &impl ConnectionTrait,
    sets: &[&ChangeSet],
) -> Result<(), DatabaseError> {
    let changes = sets.iter().flat_map(|set| &set.changes);
    match tx.get_database_backend() {
        sea_orm::DatabaseBackend::Postgres => {
            let statement = postgres_statement(&group(changes));
            tx.execute_raw(statement).await?;
        }
        _ => {
            for group in group(changes) {
                write_sqlite_in_tx(tx, &group).await?;
            }
        }
    }
    Ok(())
}

/// Inserts rows of one entity inside the caller's tx.
///
/// # Errors
/// As the statement says; the caller rolls back.
pub async fn insert_in_tx<M: ModelTrait>(
    tx: &impl ConnectionTrait,
    rows: &[M],
) -> Result<(), DatabaseError> {
    let mut set = ChangeSet::new();
    rows.iter().for_each(|row| set.insert(row));
    if set.is_empty() {
        return Ok(());
    }
    write_in_tx(tx, &[&set]).await
}

/// Commits all sets with one statement on a PostgreSQL connection outside of any tx.
pub(crate) async fn commit_postgres(
    connection: &impl ConnectionTrait,
    sets: &[&ChangeSet],
) -> Result<(), DbErr> {
    let statement = postgres_statement(&group(sets.iter().flat_map(|set| &set.changes)));
    connection.execute_raw(statement).await.map(|_| ())
}

/// Finds rows by one column, in any number, with one statement whose text does not depend on it.
///
/// # Errors
/// When the query fails.
pub async fn find_by<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    column: E::Column,
    mut keys: Vec<Value>,
) -> Result<Vec<E::Model>, DbErr> {
    let most = match connection.get_database_backend() {
        sea_orm::DatabaseBackend::Postgres => usize::MAX,
        _ => SQLITE_PARAMETERS,
    };
    let mut found = Vec::with_capacity(keys.len());
    while !keys.is_empty() {
        let later = keys.split_off(keys.len().min(most));
        let query = E::find().filter(is_any_of::<E>(connection, column, keys));
        found.extend(query.all(connection).await?);
        keys = later;
    }
    Ok(found)
}

/// The condition that a column is one of `keys`, for queries that ask more than [`find_by`]; its text does not depend on their number
/// on PostgreSQL. SQLite takes 30,000 of them at most.
pub fn is_any_of<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    column: E::Column,
    keys: Vec<Value>,
) -> Expr {
    if connection.get_database_backend() != sea_orm::DatabaseBackend::Postgres {
        return column.is_in(keys);
    }
    let shape = Table::of::<E>();
    let element = shape
        .columns
        .iter()
        .find(|known| known.name == column.as_str())
        .map_or(ArrayType::Uuid, |known| known.element.clone());
    let array = Value::Array(element, Some(Box::new(keys)));
    Expr::cust_with_values(
        format!("\"{}\".\"{}\" = ANY($1)", shape.name, column.as_str()),
        [array],
    )
}

fn group<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for change in changes {
        let known = groups.iter_mut().find(|group| {
            std::ptr::eq(group.table, change.table) && group.operation == change.operation
        });
        match known {
            Some(group) => group.rows.push(&change.values),
            None => groups.push(Group {
                table: change.table,
                operation: change.operation,
                rows: vec![&change.values],
            }),
        }
    }
    // One order for all writers, so that two of them lock tables, and rows within one, alike.
    groups.sort_by(|a, b| (a.table.name, a.operation).cmp(&(b.table.name, b.operation)));
    for group in &mut groups {
        let table = group.table;
        if group.operation != Operation::Insert {
            group.rows.sort_by_cached_key(|row| table.key_bytes(row));
        }
    }
    groups
}

// === PostgreSQL ===

/// One statement for all groups: `WITH g0 AS (INSERT …), g1 AS (UPDATE … RETURNING 1) SELECT 1 / (every update met its row)`.
fn postgres_statement(groups: &[Group<'_>]) -> Statement {
    let mut values = Vec::new();
    let mut parts = Vec::with_capacity(groups.len());
    let mut checks = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        parts.push(format!(
            "g{place} AS ({})",
            postgres_part(group, &mut values)
        ));
        if group.operation == Operation::Update {
            let count = i64::try_from(group.rows.len()).unwrap_or(i64::MAX);
            values.push(Value::BigInt(Some(count)));
            checks.push(format!(
                "(SELECT count(*) FROM g{place}) = ${}",
                values.len()
            ));
        }
    }
    let check = if checks.is_empty() {
        "SELECT 1".to_owned()
    } else {
        format!(
            "SELECT 1 / (CASE WHEN {} THEN 1 ELSE 0 END)",
            checks.join(" AND ")
        )
    };
    let sql = format!("WITH {} {check}", parts.join(", "));
    Statement::from_sql_and_values(sea_orm::DatabaseBackend::Postgres, sql, values)
}

fn postgres_part(group: &Group<'_>, values: &mut Vec<Value>) -> String {
    let table = group.table;
    let name = table.name;
    match group.operation {
        Operation::Insert | Operation::Upsert => {
            let (source, _) = postgres_source(group, &all_places(table), values);
            let columns = names(table, "");
            let conflict = match group.operation {
                Operation::Upsert => upsert_clause(table),
                Operation::Insert | Operation::Update | Operation::Delete => String::new(),
            };
            format!("INSERT INTO \"{name}\" ({columns}) {source}{conflict}")
        }
        Operation::Update => {
            let (source, keys) = postgres_source(group, &all_places(table), values);
            format!(
                "UPDATE \"{name}\" AS t SET {} FROM ({source}) AS u WHERE {keys} AND {} RETURNING 1",
                assignments(table, "u"),
                update_condition(table),
            )
        }
        Operation::Delete => {
            let (source, keys) = postgres_source(group, &table.key, values);
            format!(
                "DELETE FROM \"{name}\" AS t USING ({source}) AS u WHERE {keys} AND {}",
                key_condition(table)
            )
        }
    }
}

/// `SELECT a."c0" AS "id", CASE WHEN a."n1" THEN NULL ELSE a."c1" END AS "note" FROM unnest($1::uuid[], …) AS a(…)`, and
/// `t."id" = ANY($1)`: without that, a plan that was made when the table held a few rows joins all of its rows to the batch.
fn postgres_source(
    group: &Group<'_>,
    places: &[usize],
    values: &mut Vec<Value>,
) -> (String, String) {
    let (mut select, mut arrays, mut aliases) = (Vec::new(), Vec::new(), Vec::new());
    let mut keys = Vec::new();
    for (at, &place) in places.iter().enumerate() {
        let column = &group.table.columns[place];
        let cells = || group.rows.iter().map(move |row| &row[at]);
        let filled = cells()
            .map(|cell| {
                if table::is_null(cell) {
                    table::filler(&column.element)
                } else {
                    cell.clone()
                }
            })
            .collect();
        values.push(Value::Array(column.element.clone(), Some(Box::new(filled))));
        if group.table.key.contains(&place) {
            keys.push(format!(
                "t.\"{}\" = ANY(${}::{})",
                column.name,
                values.len(),
                column.array
            ));
        }
        arrays.push(format!("${}::{}", values.len(), column.array));
        aliases.push(format!("\"c{at}\""));
        if column.nullable {
            let mask = cells()
                .map(|cell| Value::Bool(Some(table::is_null(cell))))
                .collect();
            values.push(Value::Array(ArrayType::Bool, Some(Box::new(mask))));
            arrays.push(format!("${}::bool[]", values.len()));
            aliases.push(format!("\"n{at}\""));
            select.push(format!(
                "CASE WHEN a.\"n{at}\" THEN NULL ELSE a.\"c{at}\" END AS \"{}\"",
                column.name
            ));
        } else {
            select.push(format!("a.\"c{at}\" AS \"{}\"", column.name));
        }
    }
    let source = format!(
        "SELECT {} FROM unnest({}) AS a({})",
        select.join(", "),
        arrays.join(", "),
        aliases.join(", ")
    );
    (source, keys.join(" AND "))
}

// === SQLite ===

async fn write_sqlite_in_tx(
    tx: &impl ConnectionTrait,
    group: &Group<'_>,
) -> Result<(), DatabaseError> {
    let width = group.rows.first().map_or(1, |row| row.len().max(1));
    for rows in group
        .rows
        .chunks(SQLITE_PARAMETERS.div_euclid(width).max(1))
    {
        let sql = sqlite_text(group, rows.len());
        let values: Vec<Value> = rows.iter().flat_map(|row| row.iter().cloned()).collect();
        let statement = Statement::from_sql_and_values(Backend::Sqlite.into(), sql, values);
        let done = tx.execute_raw(statement).await?;
        let expected = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if group.operation == Operation::Update && done.rows_affected() != expected {
            return Err(DatabaseError::Stale);
        }
    }
    Ok(())
}

fn sqlite_text(group: &Group<'_>, rows: usize) -> String {
    let table = group.table;
    let name = table.name;
    let places = match group.operation {
        Operation::Delete => table.key.clone(),
        Operation::Insert | Operation::Update | Operation::Upsert => all_places(table),
    };
    let row = format!("({})", vec!["?"; places.len()].join(","));
    let lines = vec![row; rows].join(",");
    let source = || {
        let select: Vec<String> = places
            .iter()
            .enumerate()
            .map(|(at, &place)| format!("column{} AS \"{}\"", at + 1, table.columns[place].name))
            .collect();
        format!("SELECT {} FROM (VALUES {lines})", select.join(", "))
    };
    match group.operation {
        Operation::Insert => format!(
            "INSERT INTO \"{name}\" ({}) VALUES {lines}",
            names(table, "")
        ),
        Operation::Upsert => format!(
            "INSERT INTO \"{name}\" ({}) VALUES {lines}{}",
            names(table, ""),
            upsert_clause(table)
        ),
        Operation::Update => format!(
            "UPDATE \"{name}\" AS t SET {} FROM ({}) AS u WHERE {}",
            assignments(table, "u"),
            source(),
            update_condition(table)
        ),
        Operation::Delete => {
            let key = table
                .key
                .iter()
                .map(|&place| format!("\"{}\"", table.columns[place].name));
            let key: Vec<String> = key.collect();
            format!(
                "DELETE FROM \"{name}\" WHERE ({}) IN (VALUES {lines})",
                key.join(", ")
            )
        }
    }
}

// === both ===

fn all_places(table: &Table) -> Vec<usize> {
    (0..table.columns.len()).collect()
}

fn names(table: &Table, prefix: &str) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("{prefix}\"{}\"", column.name))
        .collect();
    names.join(", ")
}

fn assignments(table: &Table, source: &str) -> String {
    let assignments: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(place, _)| !table.key.contains(place))
        .map(|(_, column)| format!("\"{0}\" = {source}.\"{0}\"", column.name))
        .collect();
    assignments.join(", ")
}

fn upsert_clause(table: &Table) -> String {
    let key: Vec<String> = table
        .key
        .iter()
        .map(|&place| format!("\"{}\"", table.columns[place].name))
        .collect();
    let set = assignments(table, "excluded");
    let action = if set.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {set}")
    };
    format!(" ON CONFLICT ({}) DO {action}", key.join(", "))
}

fn key_condition(table: &Table) -> String {
    let parts: Vec<String> = table
        .key
        .iter()
        .map(|&place| format!("t.\"{0}\" = u.\"{0}\"", table.columns[place].name))
        .collect();
    parts.join(" AND ")
}

fn update_condition(table: &Table) -> String {
    format!(
        "{} AND t.\"version\" = u.\"version\" - 1",
        key_condition(table)
    )
}
