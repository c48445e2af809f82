//! Users, their roles, consents and keys.

use std::collections::HashMap;

use paymesh_kernel::{
    ChangeSet, Database, Ids, Role, Timestamp,
    database::bulk,
    id::{TenantId, UserId},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Query,
};
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    entity::{consent, subject_key, user, user_role},
    read_roles, write_roles,
};
use crate::domain::{Consent, ConsentPurpose, State, User, personal::Sealed};

const TABLE: &str = "users";

/// Which users are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) role: Option<Role>,
    pub(crate) state: Option<State>,
    pub(crate) email_hash: Option<String>,
    /// Only this one.
    pub(crate) only: Option<UserId>,
}

/// A consent in the column of the newest.
#[derive(Serialize, Deserialize)]
struct StoredConsent {
    purpose: String,
    granted: bool,
    version: String,
    recorded_at: i64,
}

/// A user by id.
pub(crate) async fn find(database: &Database, id: UserId) -> Result<Option<User>, StoreError> {
    let row = user::Entity::find_by_id(id).one(database.reader()).await?;
    row.map(from_row).transpose()
}

/// A user by the hash of the address.
pub(crate) async fn find_by_email(
    database: &Database,
    tenant: TenantId,
    email_hash: &str,
) -> Result<Option<User>, StoreError> {
    let row = user::Entity::find()
        .filter(user::Column::TenantId.eq(tenant))
        .filter(user::Column::EmailHash.eq(email_hash))
        .one(database.reader())
        .await?;
    row.map(from_row).transpose()
}

/// Users of a tenant with larger ids than `after`, in their order.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    filter: &Filter,
    (after, limit): (Option<UserId>, u64),
) -> Result<Vec<User>, StoreError> {
    let mut query = user::Entity::find()
        .filter(user::Column::TenantId.eq(tenant))
        .filter(user::Column::State.ne(State::Refused.as_str()));
    if let Some(after) = after {
        query = query.filter(user::Column::Id.gt(after));
    }
    if let Some(only) = filter.only {
        query = query.filter(user::Column::Id.eq(only));
    }
    if let Some(state) = filter.state {
        query = query.filter(user::Column::State.eq(state.as_str()));
    }
    if let Some(hash) = &filter.email_hash {
        query = query.filter(user::Column::EmailHash.eq(hash));
    }
    if let Some(role) = filter.role {
        let holders = Query::select()
            .column(user_role::Column::UserId)
            .from(user_role::Entity)
            .and_where(user_role::Column::TenantId.eq(tenant))
            .and_where(user_role::Column::Role.eq(role.as_str()))
            .to_owned();
        query = query.filter(user::Column::Id.in_subquery(holders));
    }
    let rows = query
        .order_by_asc(user::Column::Id)
        .limit(limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Users that somebody has to look after at `now`, the longest waiting first.
pub(crate) async fn due(
    database: &Database,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<UserId>, StoreError> {
    let rows = user::Entity::find()
        .filter(user::Column::NextWakeAt.lte(now))
        .order_by_asc(user::Column::NextWakeAt)
        .limit(limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The wrapped keys of these users.
pub(crate) async fn subject_keys(
    database: &Database,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<u8>>, StoreError> {
    let ids = users.iter().map(|id| (*id).into()).collect();
    let rows =
        bulk::find_by::<subject_key::Entity>(database.reader(), subject_key::Column::UserId, ids)
            .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.user_id, row.wrapped))
        .collect())
}

/// A new user with the wrapped key.
pub(crate) fn insert(changes: &mut ChangeSet, user: &User, wrapped: Vec<u8>) {
    changes.insert(&to_row(user));
    changes.insert(&subject_key::Model {
        user_id: user.id,
        wrapped,
        created_at: user.created_at,
    });
    insert_roles(changes, user, |_| true);
}

/// A user that changed from `before`.
pub(crate) fn update(changes: &mut ChangeSet, before: &User, user: &User) {
    changes.update(&to_row(user));
    // One commit writes before it deletes, whatever the order here: a role that stays is touched by neither.
    delete_roles(changes, before, |role| !user.roles.contains(&role));
    insert_roles(changes, user, |role| !before.roles.contains(&role));
}

/// Takes away what makes a person of a user: the key, and the roles' index. Signing in is taken away beside.
pub(crate) fn forget(changes: &mut ChangeSet, user: &User) {
    changes.delete(&subject_key::Model {
        user_id: user.id,
        wrapped: Vec::new(),
        created_at: user.created_at,
    });
    delete_roles(changes, user, |_| true);
}

/// Adds consents to the log.
pub(crate) fn log_consents(changes: &mut ChangeSet, ids: &Ids, user: UserId, consents: &[Consent]) {
    for consent in consents {
        changes.insert(&consent::Model {
            id: ids.next(),
            user_id: user,
            purpose: consent.purpose.as_str().to_owned(),
            granted: consent.granted,
            text_version: consent.version.clone(),
            recorded_at: consent.recorded_at,
        });
    }
}

fn insert_roles(changes: &mut ChangeSet, user: &User, wanted: impl Fn(Role) -> bool) {
    for role in user.roles.iter().filter(|role| wanted(**role)) {
        changes.upsert(&role_row(user, *role));
    }
}

fn delete_roles(changes: &mut ChangeSet, user: &User, wanted: impl Fn(Role) -> bool) {
    for role in user.roles.iter().filter(|role| wanted(**role)) {
        changes.delete(&role_row(user, *role));
    }
}

fn role_row(user: &User, role: Role) -> user_role::Model {
    user_role::Model {
        tenant_id: user.tenant,
        role: role.as_str().to_owned(),
        user_id: user.id,
    }
}

fn to_row(user: &User) -> user::Model {
    let consents: Vec<StoredConsent> = user
        .consents
        .iter()
        .map(|consent| StoredConsent {
            purpose: consent.purpose.as_str().to_owned(),
            granted: consent.granted,
            version: consent.version.clone(),
            recorded_at: consent.recorded_at.as_micros(),
        })
        .collect();
    user::Model {
        id: user.id,
        tenant_id: user.tenant,
        state: user.state.as_str().to_owned(),
        email_hash: user.sealed.as_ref().map(|sealed| sealed.email_hash.clone()),
        sealed: user.sealed.as_ref().map(|sealed| sealed.personal.clone()),
        country: user.country.to_string(),
        currency: user.currency.code().to_owned(),
        roles: write_roles(&user.roles),
        consents: serde_json::to_string(&consents).expect("words and numbers are JSON"),
        merchant_id: user.merchant,
        account_id: user.account,
        erases_at: user.erases_at,
        next_wake_at: user.next_wake_at,
        attempts: user.attempts,
        event_sequence: user.event_sequence,
        version: user.version,
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}

fn from_row(row: user::Model) -> Result<User, StoreError> {
    let malformed = |column| StoreError::Malformed {
        table: TABLE,
        column,
    };
    let sealed = match (row.email_hash, row.sealed) {
        (Some(email_hash), Some(personal)) => Some(Sealed {
            email_hash,
            personal,
        }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(malformed("sealed")),
    };
    Ok(User {
        id: row.id,
        tenant: row.tenant_id,
        state: State::parse(&row.state).ok_or(malformed("state"))?,
        sealed,
        country: row.country.parse().map_err(|_| malformed("country"))?,
        currency: row.currency.parse().map_err(|_| malformed("currency"))?,
        roles: read_roles(&row.roles).ok_or(malformed("roles"))?,
        consents: read_consents(&row.consents).ok_or(malformed("consents"))?,
        merchant: row.merchant_id,
        account: row.account_id,
        erases_at: row.erases_at,
        next_wake_at: row.next_wake_at,
        attempts: row.attempts,
        event_sequence: row.event_sequence,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn read_consents(text: &str) -> Option<Vec<Consent>> {
    let stored: Vec<StoredConsent> = serde_json::from_str(text).ok()?;
    stored
        .into_iter()
        .map(|consent| {
            Some(Consent {
                purpose: ConsentPurpose::parse(&consent.purpose)?,
                granted: consent.granted,
                version: consent.version,
                recorded_at: Timestamp::from_micros(consent.recorded_at),
            })
        })
        .collect()
}
