//! Decisions of risk.

use paymesh_kernel::{ChangeSet, Database, Timestamp};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{
    Range, StoreError,
    entity::risk_decision::{Column, Entity},
};

pub(crate) use super::entity::risk_decision::Model as Decision;

/// Which decisions of a range; what is empty leaves none out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) decision: String,
    pub(crate) merchant: String,
    pub(crate) customer: String,
}

/// A decision.
pub(crate) fn put(changes: &mut ChangeSet, decision: &Decision) {
    changes.upsert(decision);
}

/// Decisions by business time.
pub(crate) async fn list(
    database: &Database,
    range: Range,
    filter: &Filter,
    (after, limit): (Option<(Timestamp, String)>, u64),
) -> Result<Vec<Decision>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(range.tenant))
        .filter(Column::BusinessAt.gte(range.from))
        .filter(Column::BusinessAt.lt(range.until));
    for (column, value) in [
        (Column::Decision, &filter.decision),
        (Column::MerchantId, &filter.merchant),
        (Column::CustomerId, &filter.customer),
    ] {
        if !value.is_empty() {
            query = query.filter(column.eq(value.as_str()));
        }
    }
    if let Some((at, id)) = after {
        let same = Condition::all()
            .add(Column::BusinessAt.eq(at))
            .add(Column::Id.gt(id));
        query = query.filter(Condition::any().add(Column::BusinessAt.gt(at)).add(same));
    }
    Ok(query
        .order_by_asc(Column::BusinessAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?)
}
