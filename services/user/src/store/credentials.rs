//! What users sign in with: passwords, sessions, attempts.

use paymesh_kernel::{ChangeSet, Database, Timestamp, id::UserId};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{
    StoreError,
    entity::{credential, login_attempt, session},
};
use crate::domain::{Attempts, Session, SessionId, session::End};

/// A password's hash, and from when on sessions count.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) user: UserId,
    pub(crate) password_hash: String,
    pub(crate) sessions_valid_from: Timestamp,
    pub(crate) version: i64,
}

/// The credential of a user.
pub(crate) async fn find(
    database: &Database,
    user: UserId,
) -> Result<Option<Credential>, StoreError> {
    let row = credential::Entity::find_by_id(user)
        .one(database.reader())
        .await?;
    Ok(row.map(|row| Credential {
        user: row.user_id,
        password_hash: row.password_hash,
        sessions_valid_from: row.sessions_valid_from,
        version: row.version,
    }))
}

/// A new credential.
pub(crate) fn insert(changes: &mut ChangeSet, credential: &Credential) {
    changes.insert(&credential_row(credential));
}

/// Another password.
pub(crate) fn update(changes: &mut ChangeSet, credential: &Credential) {
    changes.update(&credential_row(credential));
}

/// Nobody signs in as this user any more, and no session goes on.
pub(crate) fn delete(changes: &mut ChangeSet, user: UserId) {
    changes.delete(&credential_row(&Credential {
        user,
        password_hash: String::new(),
        sessions_valid_from: Timestamp::EPOCH,
        version: 0,
    }));
}

/// A session.
pub(crate) async fn session(
    database: &Database,
    id: SessionId,
) -> Result<Option<Session>, StoreError> {
    let row = session::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    row.map(session_from_row).transpose()
}

/// A new session.
pub(crate) fn insert_session(changes: &mut ChangeSet, session: &Session) {
    changes.insert(&session_row(session));
}

/// A changed session.
pub(crate) fn update_session(changes: &mut ChangeSet, session: &Session) {
    changes.update(&session_row(session));
}

/// Attempts for an address.
pub(crate) async fn attempts(
    database: &Database,
    id: Uuid,
) -> Result<Option<Attempts>, StoreError> {
    let row = login_attempt::Entity::find_by_id(id)
        .one(database.reader())
        .await?;
    Ok(row.map(|row| Attempts {
        id: row.id,
        count: row.count,
        began_at: row.began_at,
        locked_until: row.locked_until,
        version: row.version,
    }))
}

/// One attempt more.
pub(crate) fn put_attempts(changes: &mut ChangeSet, attempts: &Attempts) {
    let row = attempts_row(attempts);
    if attempts.version == 1 {
        changes.insert(&row);
    } else {
        changes.update(&row);
    }
}

/// Success: nothing is counted against the address any more.
pub(crate) fn forget_attempts(changes: &mut ChangeSet, id: Uuid) {
    changes.delete(&attempts_row(&Attempts {
        id,
        count: 0,
        began_at: Timestamp::EPOCH,
        locked_until: None,
        version: 0,
    }));
}

/// Takes away sessions that ended by time before `now`, and attempts that began before `attempts_before`.
pub(crate) async fn purge(
    database: &Database,
    now: Timestamp,
    attempts_before: Timestamp,
) -> Result<u64, StoreError> {
    let sessions = session::Entity::delete_many()
        .filter(session::Column::ExpiresAt.lt(now))
        .exec(database.writer())
        .await?;
    let attempts = login_attempt::Entity::delete_many()
        .filter(login_attempt::Column::BeganAt.lt(attempts_before))
        .exec(database.writer())
        .await?;
    Ok(sessions
        .rows_affected
        .saturating_add(attempts.rows_affected))
}

fn credential_row(credential: &Credential) -> credential::Model {
    credential::Model {
        user_id: credential.user,
        password_hash: credential.password_hash.clone(),
        sessions_valid_from: credential.sessions_valid_from,
        version: credential.version,
    }
}

fn attempts_row(attempts: &Attempts) -> login_attempt::Model {
    login_attempt::Model {
        id: attempts.id,
        count: attempts.count,
        began_at: attempts.began_at,
        locked_until: attempts.locked_until,
        version: attempts.version,
    }
}

fn session_row(session: &Session) -> session::Model {
    session::Model {
        id: session.id,
        tenant_id: session.tenant,
        user_id: session.user,
        generation: session.generation,
        salt: session.salt.clone(),
        created_at: session.created_at,
        refresh_expires_at: session.refresh_expires_at,
        expires_at: session.expires_at,
        ended_at: session.ended.map(|(at, _)| at),
        end_reason: session.ended.map(|(_, end)| end.as_str().to_owned()),
        version: session.version,
    }
}

fn session_from_row(row: session::Model) -> Result<Session, StoreError> {
    let end = row.end_reason.as_deref().and_then(End::parse);
    let ended = match (row.ended_at, end) {
        (Some(at), Some(end)) => Some((at, end)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(StoreError::Malformed {
                table: "sessions",
                column: "end_reason",
            });
        }
    };
    Ok(Session {
        id: row.id,
        tenant: row.tenant_id,
        user: row.user_id,
        generation: row.generation,
        salt: row.salt,
        created_at: row.created_at,
        refresh_expires_at: row.refresh_expires_at,
        expires_at: row.expires_at,
        ended,
        version: row.version,
    })
}
