//! Reconciliations and breaks.

use std::collections::HashMap;

use paymesh_kernel::{ChangeSet, Database, Timestamp, database::bulk, id::TenantId};
use paymesh_money::{Currency, Money};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError, Wanted, currency as read_currency,
    entity::{difference, reconciliation},
    known,
};
use crate::domain::{
    difference::{Book, Break, BreakKind, BreakState},
    ids::{BreakId, ReconciliationId},
    reconciliation::{Reconciliation, Span},
};

const TABLE: &str = "breaks";

/// A break by id.
pub(crate) async fn find(database: &Database, id: BreakId) -> Result<Option<Break>, StoreError> {
    let row = difference::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Those of a tenant's breaks that have one of these subjects.
pub(crate) async fn by_subject(
    database: &Database,
    tenant: TenantId,
    subjects: impl Iterator<Item = String>,
) -> Result<HashMap<String, Break>, StoreError> {
    let keys = subjects.map(Into::into).collect();
    let rows =
        bulk::find_by::<difference::Entity>(database.reader(), difference::Column::Subject, keys)
            .await?;
    let own = rows.into_iter().filter(|row| row.tenant_id == tenant);
    own.map(|row| from_row(row).map(|found| (found.subject.clone(), found)))
        .collect()
}

/// A tenant's breaks that are not closed.
pub(crate) async fn unclosed(
    database: &Database,
    tenant: TenantId,
    limit: u64,
) -> Result<Vec<Break>, StoreError> {
    let rows = difference::Entity::find()
        .filter(difference::Column::TenantId.eq(tenant))
        .filter(difference::Column::ClosedAt.is_null())
        .order_by_asc(difference::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Breaks that somebody has to look after at `now`.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Break>, StoreError> {
    let rows = difference::Entity::find()
        .filter(difference::Column::NextWakeAt.lte(now))
        .order_by_asc(difference::Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Which breaks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// None: all.
    pub(crate) kind: Option<BreakKind>,
    /// None: all.
    pub(crate) state: Option<BreakState>,
    /// None: all.
    pub(crate) assignee: Option<String>,
}

/// Breaks of a tenant, oldest first.
pub(crate) async fn list(
    database: &Database,
    wanted: Wanted,
    filter: &Filter,
) -> Result<Vec<Break>, StoreError> {
    let mut query =
        difference::Entity::find().filter(difference::Column::TenantId.eq(wanted.tenant));
    if let Some(after) = wanted.after {
        query = query.filter(difference::Column::Id.gt(after));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(difference::Column::Kind.eq(kind.as_str()));
    }
    if let Some(state) = filter.state {
        query = query.filter(difference::Column::State.eq(state.as_str()));
    }
    if let Some(assignee) = &filter.assignee {
        query = query.filter(difference::Column::Assignee.eq(assignee.as_str()));
    }
    let rows = query
        .order_by_asc(difference::Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new break.
pub(crate) fn insert(changes: &mut ChangeSet, item: &Break) {
    changes.insert(&to_row(item));
}

/// A changed break.
pub(crate) fn update(changes: &mut ChangeSet, item: &Break) {
    changes.update(&to_row(item));
}

/// A reconciliation by id.
pub(crate) async fn find_reconciliation(
    database: &Database,
    id: ReconciliationId,
) -> Result<Option<Reconciliation>, StoreError> {
    let row = reconciliation::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(reconciliation_from).transpose()
}

/// Reconciliations of a tenant, newest first.
pub(crate) async fn list_reconciliations(
    database: &Database,
    wanted: Wanted,
) -> Result<Vec<Reconciliation>, StoreError> {
    let mut query =
        reconciliation::Entity::find().filter(reconciliation::Column::TenantId.eq(wanted.tenant));
    if let Some(after) = wanted.after {
        query = query.filter(reconciliation::Column::Id.lt(after));
    }
    let rows = query
        .order_by_desc(reconciliation::Column::Id)
        .limit(wanted.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(reconciliation_from).collect()
}

/// A reconciliation that has ended.
pub(crate) fn insert_reconciliation(changes: &mut ChangeSet, of: &Reconciliation) {
    changes.insert(&reconciliation::Model {
        id: of.id,
        tenant_id: of.tenant,
        from_at: of.span.from,
        until_at: of.span.until,
        currency: of.currency.code().to_owned(),
        ledger_height: of.ledger_height,
        matched_count: of.matched_count,
        break_count: of.break_count,
        ledger_minor: of.ledger_minor,
        provider_minor: of.provider_minor,
        bank_minor: of.bank_minor,
        started_at: of.started_at,
        finished_at: of.finished_at,
    });
}

fn reconciliation_from(row: reconciliation::Model) -> Result<Reconciliation, StoreError> {
    Ok(Reconciliation {
        id: row.id,
        tenant: row.tenant_id,
        span: Span {
            from: row.from_at,
            until: row.until_at,
        },
        currency: read_currency(&row.currency, "reconciliations")?,
        ledger_height: row.ledger_height,
        matched_count: row.matched_count,
        break_count: row.break_count,
        ledger_minor: row.ledger_minor,
        provider_minor: row.provider_minor,
        bank_minor: row.bank_minor,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}

fn to_row(of: &Break) -> difference::Model {
    difference::Model {
        id: of.id,
        tenant_id: of.tenant,
        kind: of.kind.as_str().to_owned(),
        state: of.state.as_str().to_owned(),
        reconciliation_id: of.reconciliation,
        subject: of.subject.clone(),
        reference: of.reference.clone(),
        currency: of.difference.currency().code().to_owned(),
        ledger_minor: of.ledger.map(Money::minor),
        ledger_currency: of.ledger.map(|money| money.currency().code().to_owned()),
        stated_minor: of.stated.map(Money::minor),
        difference_minor: of.difference.minor(),
        book: of.book.to_text(),
        line_id: of.line,
        statement_id: of.statement,
        line_number: of.line_number,
        transaction_id: of.transaction,
        assignee: of.assignee.clone(),
        note: of.note.clone(),
        requested_by: of.requested_by.clone(),
        approved_by: of.approved_by.clone(),
        transfer_id: of.transfer,
        next_wake_at: of.next_wake_at,
        attempts: of.attempts,
        opened_at: of.opened_at,
        closed_at: of.closed_at,
        event_sequence: of.event_sequence,
        version: of.version,
    }
}

fn from_row(row: difference::Model) -> Result<Break, StoreError> {
    let currency: Currency = read_currency(&row.currency, TABLE)?;
    let ledger = match (row.ledger_minor, row.ledger_currency) {
        (Some(minor), Some(code)) => Some(Money::new(minor, read_currency(&code, TABLE)?)),
        (Some(_) | None, _) => None,
    };
    Ok(Break {
        id: row.id,
        tenant: row.tenant_id,
        kind: known(BreakKind::parse(&row.kind), TABLE, "kind")?,
        state: known(BreakState::parse(&row.state), TABLE, "state")?,
        reconciliation: row.reconciliation_id,
        subject: row.subject,
        reference: row.reference,
        ledger,
        stated: row.stated_minor.map(|minor| Money::new(minor, currency)),
        difference: Money::new(row.difference_minor, currency),
        book: known(Book::parse(&row.book), TABLE, "book")?,
        line: row.line_id,
        statement: row.statement_id,
        line_number: row.line_number,
        transaction: row.transaction_id,
        assignee: row.assignee,
        note: row.note,
        requested_by: row.requested_by,
        approved_by: row.approved_by,
        transfer: row.transfer_id,
        next_wake_at: row.next_wake_at,
        attempts: row.attempts,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        event_sequence: row.event_sequence,
        version: row.version,
    })
}
