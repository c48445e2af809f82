//! Terminals.

use paymesh_kernel::{ChangeSet, Database, id::MerchantId};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{StoreError, entity::terminal};
use crate::domain::{Terminal, TerminalId, TerminalState};

/// A terminal by id.
pub(crate) async fn find(
    database: &Database,
    id: TerminalId,
) -> Result<Option<Terminal>, StoreError> {
    let row = terminal::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Terminals of a merchant with larger ids than `after`, in their order.
pub(crate) async fn list(
    database: &Database,
    merchant: MerchantId,
    state: Option<TerminalState>,
    (after, limit): (Option<TerminalId>, u64),
) -> Result<Vec<Terminal>, StoreError> {
    let mut query = terminal::Entity::find().filter(terminal::Column::MerchantId.eq(merchant));
    if let Some(after) = after {
        query = query.filter(terminal::Column::Id.gt(after));
    }
    if let Some(state) = state {
        query = query.filter(terminal::Column::State.eq(state.as_str()));
    }
    let rows = query
        .order_by_asc(terminal::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// A new terminal.
pub(crate) fn insert(changes: &mut ChangeSet, terminal: &Terminal) {
    changes.insert(&to_row(terminal));
}

/// A changed terminal.
pub(crate) fn update(changes: &mut ChangeSet, terminal: &Terminal) {
    changes.update(&to_row(terminal));
}

fn to_row(terminal: &Terminal) -> terminal::Model {
    terminal::Model {
        id: terminal.id,
        tenant_id: terminal.tenant,
        merchant_id: terminal.merchant,
        name: terminal.name.clone(),
        country: terminal.country.to_string(),
        state: terminal.state.as_str().to_owned(),
        version: terminal.version,
        created_at: terminal.created_at,
    }
}

fn from_row(row: terminal::Model) -> Result<Terminal, StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: "terminals",
        column,
    };
    Ok(Terminal {
        id: row.id,
        tenant: row.tenant_id,
        merchant: row.merchant_id,
        name: row.name,
        country: row.country.parse().map_err(|_| malformed("country"))?,
        state: TerminalState::parse(&row.state).ok_or(malformed("state"))?,
        version: row.version,
        created_at: row.created_at,
    })
}
