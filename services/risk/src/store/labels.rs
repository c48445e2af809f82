//! What became known of payments.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    StoreError,
    entity::label::{Column, Entity, Model},
};
use crate::domain::{DecisionId, Label, LabelKind};

const TABLE: &str = "labels";

/// The table, for who waits for labels.
pub(crate) const NAME: &str = TABLE;

/// A label as it is to be.
pub(crate) fn put(changes: &mut ChangeSet, label: &Label, now: Timestamp) {
    changes.upsert(&Model {
        payment_id: label.payment,
        kind: label.kind.as_str().to_owned(),
        tenant_id: label.tenant,
        known_at: label.known_at,
        customer_id: label.customer.clone(),
        payment_method: label.method.clone(),
        terminal_id: label.terminal.clone(),
        business_at: label.business_at,
        recorded_at: now,
    });
}

/// True when the payment has the label.
pub(crate) async fn has(
    database: &Database,
    payment: DecisionId,
    kind: LabelKind,
) -> Result<bool, StoreError> {
    let found = Entity::find_by_id((payment, kind.as_str().to_owned()))
        .one(database.reader())
        .await?;
    Ok(found.is_some())
}

/// Labels of payments made since.
pub(crate) async fn of_payments_since(
    database: &Database,
    tenant: TenantId,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<(Label, Timestamp)>, StoreError> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::BusinessAt.gt(since))
        .order_by_asc(Column::BusinessAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(label).collect()
}

/// Labels that were written since, some of them left out.
pub(crate) async fn recorded_since(
    database: &Database,
    (since, skipped, limit): (Timestamp, u64, u64),
) -> Result<Vec<(Label, Timestamp)>, StoreError> {
    let rows = Entity::find()
        .filter(Column::RecordedAt.gt(since))
        .order_by_asc(Column::RecordedAt)
        .order_by_asc(Column::PaymentId)
        .order_by_asc(Column::Kind)
        .offset(skipped)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(label).collect()
}

fn label(row: Model) -> Result<(Label, Timestamp), StoreError> {
    let kind = LabelKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == row.kind)
        .ok_or(StoreError::malformed(TABLE, "kind"))?;
    let label = Label {
        payment: row.payment_id,
        tenant: row.tenant_id,
        kind,
        known_at: row.known_at,
        customer: row.customer_id,
        method: row.payment_method,
        terminal: row.terminal_id,
        business_at: row.business_at,
    };
    Ok((label, row.recorded_at))
}
