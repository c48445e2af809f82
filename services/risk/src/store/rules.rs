//! Rules.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::TenantId};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{
    Cut, Place, StoreError,
    entity::rule::{Column, Entity, Model},
};
use crate::domain::{Decision, Rule, RuleId, RuleState};

const TABLE: &str = "rules";

/// A rule, and whether it still is one.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) rule: Rule,
    pub(crate) deleted_at: Option<Timestamp>,
}

/// A rule by id, deleted ones too.
pub(crate) async fn find(database: &Database, id: RuleId) -> Result<Option<Stored>, StoreError> {
    let row = Entity::find_by_id(id).one(database.reader()).await?;
    row.map(stored).transpose()
}

/// All rules of a tenant.
pub(crate) async fn all(database: &Database, tenant: TenantId) -> Result<Vec<Rule>, StoreError> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::DeletedAt.is_null())
        .all(database.reader())
        .await?;
    rows.into_iter().map(|row| Ok(stored(row)?.rule)).collect()
}

/// Rules by priority.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    state: Option<RuleState>,
    cut: Cut,
) -> Result<Vec<Rule>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::DeletedAt.is_null());
    if let Some(state) = state {
        query = query.filter(Column::State.eq(state.as_str()));
    }
    if let Some(Place { at, id }) = cut.from {
        let same = Condition::all()
            .add(Column::Priority.eq(at))
            .add(Column::Id.gt(id));
        query = query.filter(Condition::any().add(Column::Priority.gt(at)).add(same));
    }
    let rows = query
        .order_by_asc(Column::Priority)
        .order_by_asc(Column::Id)
        .limit(cut.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(|row| Ok(stored(row)?.rule)).collect()
}

/// Tenants whose rules changed since.
pub(crate) async fn changed_since(
    database: &Database,
    since: Timestamp,
) -> Result<Vec<TenantId>, StoreError> {
    let tenants: Vec<TenantId> = Entity::find()
        .select_only()
        .column(Column::TenantId)
        .distinct()
        .filter(Column::UpdatedAt.gt(since))
        .into_tuple()
        .all(database.reader())
        .await?;
    Ok(tenants)
}

/// A new rule.
pub(crate) fn insert(changes: &mut ChangeSet, rule: &Rule) {
    changes.insert(&row(rule, None));
}

/// A rule with its new version.
pub(crate) fn update(changes: &mut ChangeSet, rule: &Rule) {
    changes.update(&row(rule, None));
}

/// A rule that is one no more, with its new version. Its name is free.
pub(crate) fn delete(changes: &mut ChangeSet, rule: &Rule) {
    changes.update(&Model {
        name: rule.id.to_string(),
        ..row(rule, Some(rule.updated_at))
    });
}

fn row(rule: &Rule, deleted_at: Option<Timestamp>) -> Model {
    Model {
        id: rule.id,
        tenant_id: rule.tenant,
        name: rule.name.clone(),
        expression: rule.expression.clone(),
        decision: rule
            .decision
            .map_or_else(String::new, |decision| decision.as_str().to_owned()),
        points: rule.points,
        priority: rule.priority,
        state: rule.state.as_str().to_owned(),
        updated_by: rule.updated_by.clone(),
        updated_at: rule.updated_at,
        deleted_at,
        version: rule.version,
    }
}

fn stored(row: Model) -> Result<Stored, StoreError> {
    let decision = match row.decision.as_str() {
        "" => None,
        word => Some(
            Decision::ALL
                .into_iter()
                .find(|decision| decision.as_str() == word)
                .ok_or(StoreError::malformed(TABLE, "decision"))?,
        ),
    };
    let state = RuleState::ALL
        .into_iter()
        .find(|state| state.as_str() == row.state)
        .ok_or(StoreError::malformed(TABLE, "state"))?;
    let rule = Rule {
        id: row.id,
        tenant: row.tenant_id,
        name: row.name,
        expression: row.expression,
        decision,
        points: row.points,
        priority: row.priority,
        state,
        version: row.version,
        updated_by: row.updated_by,
        updated_at: row.updated_at,
    };
    Ok(Stored {
        rule,
        deleted_at: row.deleted_at,
    })
}
