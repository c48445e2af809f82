//! Table `feed`: facts of the last hours as clients are shown them, in the order of their commits as far as one can tell.
//!
//! The database numbers the rows (`position`). A lower number may be committed after a higher one, so that readers go back to the
//! last position below which nothing is missing. Many rows are written and few are read, so there are no more indexes than streams
//! need; pruning reads the whole table once a minute.

use std::time::Duration;

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    database::{Backend, DatabaseError},
    id::{EventId, TenantId},
};
use sea_orm::{ConnectionTrait as _, FromQueryResult as _, QueryResult, Statement, Value};

use crate::domain::audience::{Audience, View, Viewer};

/// The table, for [`Writer::watch`](paymesh_kernel::Writer::watch).
pub(crate) const TABLE: &str = "feed";
/// Rows of one query.
pub(crate) const PAGE: u64 = 500;

const COLUMNS: &str = "position, tenant_id, kind, payer, payee, merchant, data";

mod entity {
    use paymesh_kernel::{
        Timestamp,
        id::{EventId, TenantId},
    };
    use sea_orm::entity::prelude::*;

    /// A fact. Its position is given by the database.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "feed")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: EventId,
        pub(crate) tenant_id: TenantId,
        pub(crate) kind: String,
        pub(crate) payer: Option<String>,
        pub(crate) payee: Option<String>,
        pub(crate) merchant: Option<String>,
        /// The document that is sent.
        pub(crate) data: String,
        pub(crate) created_at: Timestamp,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A fact that is added.
#[derive(Clone, Debug)]
pub(crate) struct NewEntry {
    pub(crate) id: EventId,
    pub(crate) tenant: TenantId,
    pub(crate) kind: String,
    pub(crate) audience: Audience,
    pub(crate) data: String,
    pub(crate) created_at: Timestamp,
}

/// A fact as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) position: i64,
    pub(crate) tenant: TenantId,
    pub(crate) kind: String,
    pub(crate) audience: Audience,
    pub(crate) data: String,
}

#[derive(Debug, sea_orm::FromQueryResult)]
struct Row {
    position: i64,
    tenant_id: TenantId,
    kind: String,
    payer: Option<String>,
    payee: Option<String>,
    merchant: Option<String>,
    data: String,
}

/// Adds a fact.
pub(crate) fn insert(changes: &mut ChangeSet, entry: NewEntry) {
    let mut users = entry.audience.users.into_iter();
    changes.insert(&entity::Model {
        id: entry.id,
        tenant_id: entry.tenant,
        kind: entry.kind,
        payer: users.next(),
        payee: users.next(),
        merchant: entry.audience.merchant,
        data: entry.data,
        created_at: entry.created_at,
    });
}

/// Facts of all tenants beyond `after`, lowest position first.
pub(crate) async fn after(database: &Database, after: i64) -> Result<Vec<Entry>, DatabaseError> {
    let sql =
        format!("SELECT {COLUMNS} FROM feed WHERE position > $1 ORDER BY position LIMIT {PAGE}");
    query(database, sql, vec![after.into()]).await
}

/// Facts beyond `after` that the viewer is shown, lowest position first.
pub(crate) async fn after_for(
    database: &Database,
    viewer: &Viewer,
    after: i64,
) -> Result<Vec<Entry>, DatabaseError> {
    let mut values: Vec<Value> = vec![after.into(), viewer.tenant.into()];
    let own = match &viewer.view {
        View::Everything => "",
        View::Own { user, merchant } => {
            values.push(user.clone().into());
            values.push(merchant.clone().into());
            "AND (payer = $3 OR payee = $3 OR merchant = $4) "
        }
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM feed WHERE position > $1 AND tenant_id = $2 {own}ORDER BY position LIMIT {PAGE}"
    );
    query(database, sql, values).await
}

/// The lowest and the highest position; None when there are no rows.
pub(crate) async fn bounds(database: &Database) -> Result<Option<(i64, i64)>, DatabaseError> {
    let sql = "SELECT MIN(position) AS low, MAX(position) AS high FROM feed";
    let statement = Statement::from_string(database.backend().into(), sql);
    let Some(row) = database.reader().query_one_raw(statement).await? else {
        return Ok(None);
    };
    let bound = |name: &str| row.try_get::<Option<i64>>("", name);
    Ok(bound("low")?.zip(bound("high")?))
}

/// The last position of which the row was written before `moment`, or that before the first row; 0 when there are no rows.
pub(crate) async fn settled(database: &Database, moment: Timestamp) -> Result<i64, DatabaseError> {
    let statement = Statement::from_sql_and_values(
        database.backend().into(),
        "SELECT MAX(CASE WHEN created_at < $1 THEN position END) AS settled, MIN(position) AS low FROM feed",
        [moment.as_micros().into()],
    );
    let Some(row) = database.reader().query_one_raw(statement).await? else {
        return Ok(0);
    };
    let position = |name: &str| row.try_get::<Option<i64>>("", name);
    let before_all = position("low")?.map_or(0, |low| low.saturating_sub(1));
    Ok(position("settled")?.unwrap_or(before_all))
}

/// Takes away what is older than `keep`, or beyond the newest `rows`.
pub(crate) async fn prune(
    database: &Database,
    now: Timestamp,
    keep: Duration,
    rows: u64,
) -> Result<u64, DatabaseError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let last = bounds(database)
        .await?
        .map_or(0, |(_, high)| high.saturating_sub(rows));
    let statement = Statement::from_sql_and_values(
        database.backend().into(),
        "DELETE FROM feed WHERE created_at < $1 OR position <= $2",
        [now.minus(keep).as_micros().into(), last.into()],
    );
    Ok(database
        .writer()
        .execute_raw(statement)
        .await?
        .rows_affected())
}

/// The statements that make the table.
pub(crate) fn schema(backend: Backend) -> Vec<String> {
    let position = match backend {
        Backend::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        Backend::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
    };
    vec![
        format!(
            "CREATE TABLE feed (position {position}, id UUID NOT NULL, tenant_id UUID NOT NULL, kind TEXT NOT NULL, payer TEXT, \
             payee TEXT, merchant TEXT, data TEXT NOT NULL, created_at BIGINT NOT NULL)"
        ),
        "CREATE INDEX feed_tenant_id_position_idx ON feed (tenant_id, position)".to_owned(),
    ]
}

async fn query(
    database: &Database,
    sql: String,
    values: Vec<Value>,
) -> Result<Vec<Entry>, DatabaseError> {
    let statement = Statement::from_sql_and_values(database.backend().into(), sql, values);
    let rows: Vec<QueryResult> = database.reader().query_all_raw(statement).await?;
    let entry = |row: QueryResult| Row::from_query_result(&row, "").map(Entry::from);
    Ok(rows.into_iter().map(entry).collect::<Result<_, _>>()?)
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            position: row.position,
            tenant: row.tenant_id,
            kind: row.kind,
            audience: Audience {
                users: row.payer.into_iter().chain(row.payee).collect(),
                merchant: row.merchant,
            },
            data: row.data,
        }
    }
}
