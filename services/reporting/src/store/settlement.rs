//! Settlement: batches with their positions, payouts, reconciliations and breaks.

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};

use super::{
    Range, StoreError,
    entity::{batch, discrepancy, payout, position, reconciliation},
    sql,
};

pub(crate) use super::entity::{
    batch::Model as Batch, discrepancy::Model as Break, payout::Model as Payout,
    position::Model as Position, reconciliation::Model as Reconciliation,
};

/// Unique index of positions.
pub(crate) const POSITIONS_KEY: &str = "settlement_positions_pkey";

/// Behind which row a page begins.
pub(crate) type Place = (Timestamp, String);

/// Which rows; what is empty leaves none out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) merchant: String,
    pub(crate) currency: String,
}

/// What settlement comes to for one owner and currency.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Total {
    pub(crate) owner_id: String,
    pub(crate) currency: String,
    pub(crate) positions: i64,
    pub(crate) gross_minor: i64,
    pub(crate) fees_minor: i64,
    pub(crate) refunds_minor: i64,
    pub(crate) chargebacks_minor: i64,
    pub(crate) net_minor: i64,
    pub(crate) payouts: i64,
    pub(crate) paid_minor: i64,
    pub(crate) in_flight_minor: i64,
    pub(crate) returned_minor: i64,
}

pub(crate) fn put_batch(changes: &mut ChangeSet, batch: &Batch) {
    changes.upsert(batch);
}

/// Every position of the batch is here now.
pub(crate) fn complete_batch(changes: &mut ChangeSet, batch: &Batch) {
    changes.update(&Batch {
        is_complete: true,
        version: batch.version.saturating_add(1),
        ..batch.clone()
    });
}

pub(crate) fn put_position(changes: &mut ChangeSet, position: &Position) {
    changes.upsert(position);
}

/// A position that was not there yet.
pub(crate) fn insert_position(changes: &mut ChangeSet, position: &Position) {
    changes.insert(position);
}

pub(crate) fn put_payout(changes: &mut ChangeSet, payout: &Payout) {
    changes.upsert(payout);
}

pub(crate) fn put_reconciliation(changes: &mut ChangeSet, reconciliation: &Reconciliation) {
    changes.upsert(reconciliation);
}

pub(crate) fn put_break(changes: &mut ChangeSet, item: &Break) {
    changes.upsert(item);
}

/// Batches that were closed within the range.
pub(crate) async fn batches(
    database: &Database,
    range: Range,
    page: (Option<Place>, u64),
) -> Result<Vec<Batch>, StoreError> {
    let query = batch::Entity::find().filter(batch::Column::TenantId.eq(range.tenant));
    let columns = (batch::Column::ClosedAt, batch::Column::Id);
    let query = paged(query, range, columns, page);
    Ok(query.all(database.reader()).await?)
}

/// Batches of the range whose facts did not carry every position.
pub(crate) async fn incomplete(
    database: &Database,
    range: Range,
    limit: u64,
) -> Result<Vec<Batch>, StoreError> {
    Ok(batch::Entity::find()
        .filter(batch::Column::TenantId.eq(range.tenant))
        .filter(batch::Column::ClosedAt.gte(range.from))
        .filter(batch::Column::ClosedAt.lt(range.until))
        .filter(batch::Column::IsComplete.eq(false))
        .order_by_asc(batch::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?)
}

/// Positions of a batch with larger merchant ids than `after`.
pub(crate) async fn positions(
    database: &Database,
    batch: &str,
    filter: &Filter,
    (after, limit): (Option<String>, u64),
) -> Result<Vec<Position>, StoreError> {
    let mut query = position::Entity::find().filter(position::Column::BatchId.eq(batch));
    if !filter.merchant.is_empty() {
        query = query.filter(position::Column::MerchantId.eq(filter.merchant.as_str()));
    }
    if let Some(after) = after {
        query = query.filter(position::Column::MerchantId.gt(after));
    }
    Ok(query
        .order_by_asc(position::Column::MerchantId)
        .limit(limit)
        .all(database.reader())
        .await?)
}

/// Which of these merchants have a position in the batch.
pub(crate) async fn known(
    database: &Database,
    batch: &str,
    merchants: Vec<String>,
) -> Result<Vec<Position>, StoreError> {
    Ok(position::Entity::find()
        .filter(position::Column::BatchId.eq(batch))
        .filter(position::Column::MerchantId.is_in(merchants))
        .all(database.reader())
        .await?)
}

/// Payouts that began within the range.
pub(crate) async fn payouts(
    database: &Database,
    range: Range,
    filter: &Filter,
    page: (Option<Place>, u64),
) -> Result<Vec<Payout>, StoreError> {
    let mut query = payout::Entity::find().filter(payout::Column::TenantId.eq(range.tenant));
    if !filter.merchant.is_empty() {
        query = query.filter(payout::Column::OwnerId.eq(filter.merchant.as_str()));
    }
    if !filter.currency.is_empty() {
        query = query.filter(payout::Column::Currency.eq(filter.currency.as_str()));
    }
    let columns = (payout::Column::CreatedAt, payout::Column::Id);
    let query = paged(query, range, columns, page);
    Ok(query.all(database.reader()).await?)
}

/// Reconciliations that began within the range.
pub(crate) async fn reconciliations(
    database: &Database,
    range: Range,
    page: (Option<Place>, u64),
) -> Result<Vec<Reconciliation>, StoreError> {
    let query =
        reconciliation::Entity::find().filter(reconciliation::Column::TenantId.eq(range.tenant));
    let columns = (
        reconciliation::Column::StartedAt,
        reconciliation::Column::Id,
    );
    let query = paged(query, range, columns, page);
    Ok(query.all(database.reader()).await?)
}

/// Breaks that were opened within the range.
pub(crate) async fn breaks(
    database: &Database,
    range: Range,
    state: &str,
    page: (Option<Place>, u64),
) -> Result<Vec<Break>, StoreError> {
    let mut query =
        discrepancy::Entity::find().filter(discrepancy::Column::TenantId.eq(range.tenant));
    if !state.is_empty() {
        query = query.filter(discrepancy::Column::State.eq(state));
    }
    let columns = (discrepancy::Column::OpenedAt, discrepancy::Column::Id);
    let query = paged(query, range, columns, page);
    Ok(query.all(database.reader()).await?)
}

/// Positions of batches closed in the range, and payouts begun in it, by owner and currency.
pub(crate) async fn totals(
    database: &Database,
    range: Range,
    filter: &Filter,
    (after, limit): (Option<(String, String)>, u64),
) -> Result<Vec<Total>, StoreError> {
    let query = format!(
        "SELECT owner_id, currency, {}, {}, {}, {}, {}, {}, {}, {}, {}, {} FROM (\
         SELECT p.merchant_id AS owner_id, p.currency, 1 AS is_position, p.gross_minor, p.fees_minor, p.refunds_minor, \
         p.chargebacks_minor, p.net_minor, 0 AS is_payout, 0 AS paid, 0 AS in_flight, 0 AS returned \
         FROM settlement_positions p JOIN settlement_batches b ON b.id = p.batch_id \
         WHERE b.tenant_id = $1 AND b.closed_at >= $2 AND b.closed_at < $3 \
         UNION ALL SELECT o.owner_id, o.currency, 0, 0, 0, 0, 0, 0, 1, \
         CASE WHEN o.state = 'confirmed' THEN o.amount_minor ELSE 0 END, \
         CASE WHEN o.state IN ('reserved', 'sent', 'unknown') THEN o.amount_minor ELSE 0 END, \
         CASE WHEN o.state IN ('returned', 'failed') THEN o.amount_minor ELSE 0 END \
         FROM payouts o WHERE o.tenant_id = $1 AND o.created_at >= $2 AND o.created_at < $3) AS s \
         WHERE ($4 = '' OR owner_id = $4) AND ($5 = '' OR currency = $5) \
         AND ($6 = 0 OR (owner_id, currency) > ($7, $8)) \
         GROUP BY owner_id, currency ORDER BY owner_id, currency LIMIT $9",
        sql::sum("is_position", "positions"),
        sql::sum("gross_minor", "gross_minor"),
        sql::sum("fees_minor", "fees_minor"),
        sql::sum("refunds_minor", "refunds_minor"),
        sql::sum("chargebacks_minor", "chargebacks_minor"),
        sql::sum("net_minor", "net_minor"),
        sql::sum("is_payout", "payouts"),
        sql::sum("paid", "paid_minor"),
        sql::sum("in_flight", "in_flight_minor"),
        sql::sum("returned", "returned_minor"),
    );
    let has_begun = i32::from(after.is_some());
    let (owner, currency) = after.unwrap_or_default();
    let values = vec![
        range.tenant.into(),
        range.from.into(),
        range.until.into(),
        filter.merchant.as_str().into(),
        filter.currency.as_str().into(),
        has_begun.into(),
        owner.into(),
        currency.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    sql::all(database, &query, values).await
}

/// A page by time and id.
fn paged<E: EntityTrait>(
    query: Select<E>,
    range: Range,
    (at, id): (E::Column, E::Column),
    (after, limit): (Option<Place>, u64),
) -> Select<E> {
    let mut query = query.filter(at.gte(range.from)).filter(at.lt(range.until));
    if let Some((moment, last)) = after {
        let same = Condition::all().add(at.eq(moment)).add(id.gt(last));
        query = query.filter(Condition::any().add(at.gt(moment)).add(same));
    }
    query.order_by_asc(at).order_by_asc(id).limit(limit)
}
