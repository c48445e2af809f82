//! Statements and their lines.

use std::collections::HashSet;

use paymesh_kernel::{ChangeSet, Database, Timestamp, database::bulk, id::TenantId};
use paymesh_money::{Currency, Money};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{
    StoreError, Wanted, currency as read_currency,
    entity::{line, statement},
    known,
};
use crate::domain::{
    ids::{LineId, StatementId, TransactionId},
    reconciliation::Span,
    statement::{Line, LineKind, MatchState, ReadLine, Statement, StatementKind, Telling},
};

const LINES: &str = "statement_lines";

/// A statement by id.
pub(crate) async fn find(
    database: &Database,
    id: StatementId,
) -> Result<Option<Statement>, StoreError> {
    let row = statement::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// The statement with this content.
pub(crate) async fn by_content(
    database: &Database,
    tenant: TenantId,
    content_sha256: &str,
) -> Result<Option<Statement>, StoreError> {
    let row = statement::Entity::find()
        .filter(statement::Column::TenantId.eq(tenant))
        .filter(statement::Column::ContentSha256.eq(content_sha256))
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Statements that somebody has to look after at `now`.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Statement>, StoreError> {
    let rows = statement::Entity::find()
        .filter(statement::Column::NextWakeAt.lte(now))
        .order_by_asc(statement::Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Statements of a tenant, newest first.
pub(crate) async fn list(
    database: &Database,
    wanted: Wanted,
    kind: Option<StatementKind>,
) -> Result<Vec<Statement>, StoreError> {
    let mut query = statement::Entity::find().filter(statement::Column::TenantId.eq(wanted.tenant));
    if let Some(after) = wanted.after {
        query = query.filter(statement::Column::Id.lt(after));
    }
    if let Some(kind) = kind {
        query = query.filter(statement::Column::Kind.eq(kind.as_str()));
    }
    let rows = query
        .order_by_desc(statement::Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new statement.
pub(crate) fn insert(changes: &mut ChangeSet, statement: &Statement) {
    changes.insert(&to_row(statement));
}

/// A changed statement.
pub(crate) fn update(changes: &mut ChangeSet, statement: &Statement) {
    changes.update(&to_row(statement));
}

/// Lines of a statement in their order, after a number.
pub(crate) async fn lines(
    database: &Database,
    statement: StatementId,
    state: Option<MatchState>,
    (after, limit): (i64, u64),
) -> Result<Vec<Line>, StoreError> {
    let mut query = line::Entity::find()
        .filter(line::Column::StatementId.eq(statement))
        .filter(line::Column::Number.gt(after));
    if let Some(state) = state {
        query = query.filter(line::Column::MatchState.eq(state.as_str()));
    }
    let rows = query
        .order_by_asc(line::Column::Number)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(line_from).collect()
}

/// A line by id.
pub(crate) async fn line(database: &Database, id: LineId) -> Result<Option<Line>, StoreError> {
    let row = line::Entity::find_by_id(id).one(database.reader()).await?;
    row.map(line_from).transpose()
}

/// Lines of a statement that are not booked yet, in their order.
pub(crate) async fn unbooked(
    database: &Database,
    statement: StatementId,
    limit: u64,
) -> Result<Vec<Line>, StoreError> {
    let rows = line::Entity::find()
        .filter(line::Column::StatementId.eq(statement))
        .filter(line::Column::IsBooked.eq(false))
        .order_by_asc(line::Column::Number)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(line_from).collect()
}

/// Which of these movements were told by an earlier statement.
pub(crate) async fn told(
    database: &Database,
    tenant: TenantId,
    identities: impl Iterator<Item = Uuid>,
) -> Result<HashSet<Uuid>, StoreError> {
    let keys = identities.map(Into::into).collect();
    let rows =
        bulk::find_by::<line::Entity>(database.reader(), line::Column::Identity, keys).await?;
    let own = rows.into_iter().filter(|row| row.tenant_id == tenant);
    Ok(own.map(|row| row.identity).collect())
}

/// Lines of a currency within a span of business time, in the order of their ids.
pub(crate) async fn within(
    database: &Database,
    (wanted, of): (Wanted, Currency),
    (span, side): (Span, StatementKind),
) -> Result<Vec<Line>, StoreError> {
    let mut query = line::Entity::find()
        .filter(line::Column::TenantId.eq(wanted.tenant))
        .filter(line::Column::BookedAt.gte(span.from))
        .filter(line::Column::BookedAt.lt(span.until))
        .filter(line::Column::Currency.eq(of.code()))
        .filter(line::Column::Side.eq(side.as_str()));
    if let Some(after) = wanted.after {
        query = query.filter(line::Column::Id.gt(after));
    }
    let rows = query
        .order_by_asc(line::Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(line_from).collect()
}

/// All lines of these transactions.
pub(crate) async fn of_transactions(
    database: &Database,
    tenant: TenantId,
    transactions: impl Iterator<Item = TransactionId>,
) -> Result<Vec<Line>, StoreError> {
    let keys = transactions.map(|id| id.as_uuid().into()).collect();
    let rows =
        bulk::find_by::<line::Entity>(database.reader(), line::Column::TransactionId, keys).await?;
    let own = rows.into_iter().filter(|row| row.tenant_id == tenant);
    own.map(line_from).collect()
}

/// All lines with one of these references on one side.
pub(crate) async fn with_references(
    database: &Database,
    (tenant, side): (TenantId, StatementKind),
    references: impl Iterator<Item = String>,
) -> Result<Vec<Line>, StoreError> {
    let keys = references.map(Into::into).collect();
    let rows =
        bulk::find_by::<line::Entity>(database.reader(), line::Column::Reference, keys).await?;
    let own = rows
        .into_iter()
        .filter(|row| row.tenant_id == tenant && row.side == side.as_str());
    own.map(line_from).collect()
}

/// All lines of a provider that are part of these settlements.
pub(crate) async fn of_settlements(
    database: &Database,
    tenant: TenantId,
    settlements: impl Iterator<Item = String>,
) -> Result<Vec<Line>, StoreError> {
    let keys = settlements.map(Into::into).collect();
    let rows =
        bulk::find_by::<line::Entity>(database.reader(), line::Column::Settlement, keys).await?;
    let own = rows.into_iter().filter(|row| row.tenant_id == tenant);
    own.map(line_from).collect()
}

/// The name of the connector that a settlement is of, when its report is known.
pub(crate) async fn connector_of(
    database: &Database,
    tenant: TenantId,
    settlement: &str,
) -> Result<Option<String>, StoreError> {
    let row = line::Entity::find()
        .filter(line::Column::Settlement.eq(settlement))
        .filter(line::Column::TenantId.eq(tenant))
        .limit(1)
        .one(database.reader())
        .await?;
    Ok(row.map(|row| row.source))
}

/// A new line.
pub(crate) fn insert_line(changes: &mut ChangeSet, line: &Line) {
    changes.insert(&line_row(line));
}

/// A changed line.
pub(crate) fn update_line(changes: &mut ChangeSet, line: &Line) {
    changes.update(&line_row(line));
}

fn to_row(of: &Statement) -> statement::Model {
    statement::Model {
        id: of.id,
        tenant_id: of.tenant,
        kind: of.kind.as_str().to_owned(),
        source: of.source.clone(),
        content_sha256: of.content_sha256.clone(),
        line_count: of.line_count,
        from_at: of.from_at,
        until_at: of.until_at,
        next_wake_at: of.next_wake_at,
        attempts: of.attempts,
        imported_at: of.imported_at,
        version: of.version,
    }
}

fn from_row(row: statement::Model) -> Result<Statement, StoreError> {
    Ok(Statement {
        id: row.id,
        tenant: row.tenant_id,
        kind: known(StatementKind::parse(&row.kind), "statements", "kind")?,
        source: row.source,
        content_sha256: row.content_sha256,
        line_count: row.line_count,
        from_at: row.from_at,
        until_at: row.until_at,
        next_wake_at: row.next_wake_at,
        attempts: row.attempts,
        imported_at: row.imported_at,
        version: row.version,
    })
}

fn line_row(of: &Line) -> line::Model {
    let read = &of.read;
    line::Model {
        id: of.id,
        tenant_id: of.tenant,
        statement_id: of.statement,
        side: of.side.as_str().to_owned(),
        source: of.source.clone(),
        number: read.number,
        kind: read.kind.as_str().to_owned(),
        reference: read.reference.clone(),
        settlement: read.settlement.clone(),
        transaction_id: read.transaction(),
        currency: read.amount.currency().code().to_owned(),
        amount_minor: read.amount.minor(),
        fee_minor: read.fee_minor,
        booked_at: read.booked_at,
        identity: read.identity,
        telling: of.telling.as_str().to_owned(),
        match_state: of.match_state.as_str().to_owned(),
        transfer_base_id: of.transfers,
        is_booked: of.is_booked,
        is_suspended: of.is_suspended,
        version: of.version,
    }
}

fn line_from(row: line::Model) -> Result<Line, StoreError> {
    let currency = read_currency(&row.currency, LINES)?;
    Ok(Line {
        id: row.id,
        tenant: row.tenant_id,
        statement: row.statement_id,
        side: known(StatementKind::parse(&row.side), LINES, "side")?,
        source: row.source,
        read: ReadLine {
            number: row.number,
            kind: known(LineKind::parse(&row.kind), LINES, "kind")?,
            reference: row.reference,
            settlement: row.settlement,
            amount: Money::new(row.amount_minor, currency),
            fee_minor: row.fee_minor,
            booked_at: row.booked_at,
            identity: row.identity,
        },
        telling: known(Telling::parse(&row.telling), LINES, "telling")?,
        match_state: known(MatchState::parse(&row.match_state), LINES, "match_state")?,
        transfers: row.transfer_base_id,
        is_booked: row.is_booked,
        is_suspended: row.is_suspended,
        version: row.version,
    })
}
