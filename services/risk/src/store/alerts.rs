//! Alerts.

use paymesh_kernel::{ChangeSet, Database, id::TenantId};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{
    Cut, Place, Range, StoreError,
    entity::alert::{Column, Entity, Model},
};
use crate::domain::{Alert, AlertKind};

const TABLE: &str = "alerts";

/// A new alert.
pub(crate) fn insert(changes: &mut ChangeSet, alert: &Alert) {
    changes.insert(&Model {
        id: alert.id,
        tenant_id: alert.tenant,
        kind: alert.kind.as_str().to_owned(),
        decision_id: alert.decision,
        transaction_id: alert.transaction.clone(),
        customer_id: alert.customer.clone(),
        merchant_id: alert.merchant.clone(),
        terminal_id: alert.terminal.clone(),
        score: alert.score,
        text: alert.text.clone(),
        business_at: alert.business_at,
        raised_at: alert.raised_at,
    });
}

/// Alerts, the newest first.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    (kind, business): (Option<AlertKind>, Range),
    cut: Cut,
) -> Result<Vec<Alert>, StoreError> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant));
    if let Some(kind) = kind {
        query = query.filter(Column::Kind.eq(kind.as_str()));
    }
    if let Some(from) = business.from_us {
        query = query.filter(Column::BusinessAt.gte(from));
    }
    if let Some(until) = business.until_us {
        query = query.filter(Column::BusinessAt.lt(until));
    }
    if let Some(Place { at, id }) = cut.from {
        let same = Condition::all()
            .add(Column::RaisedAt.eq(at))
            .add(Column::Id.lt(id));
        query = query.filter(Condition::any().add(Column::RaisedAt.lt(at)).add(same));
    }
    let rows = query
        .order_by_desc(Column::RaisedAt)
        .order_by_desc(Column::Id)
        .limit(cut.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(alert).collect()
}

fn alert(row: Model) -> Result<Alert, StoreError> {
    let kind = AlertKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == row.kind)
        .ok_or(StoreError::malformed(TABLE, "kind"))?;
    Ok(Alert {
        id: row.id,
        tenant: row.tenant_id,
        kind,
        decision: row.decision_id,
        transaction: row.transaction_id,
        customer: row.customer_id,
        merchant: row.merchant_id,
        terminal: row.terminal_id,
        score: row.score,
        text: row.text,
        business_at: row.business_at,
        raised_at: row.raised_at,
    })
}
