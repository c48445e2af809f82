//! Statements written by hand, for sums. They read the same on SQLite and PostgreSQL.

use paymesh_kernel::Database;
use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement, Value};

use super::StoreError;

/// All rows of a query.
pub(super) async fn all<R: FromQueryResult>(
    database: &Database,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<R>, StoreError> {
    let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
    let rows = database.reader().query_all_raw(statement).await?;
    let read = |row| R::from_query_result(row, "").map_err(StoreError::from);
    rows.iter().map(read).collect()
}

/// A sum that stays an integer: PostgreSQL sums BIGINT as NUMERIC. Out of range is an error on both, never a wrong number.
pub(super) fn sum(expression: &str, name: &str) -> String {
    format!("CAST(COALESCE(SUM({expression}), 0) AS BIGINT) AS {name}")
}
