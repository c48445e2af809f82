//! Use cases: load, decide, commit. The only place that begins writes; it knows no transport and no table.

pub(crate) mod api_keys;
pub(crate) mod erasure;
pub(crate) mod first_access;
pub(crate) mod register;
pub(crate) mod sessions;
pub(crate) mod signing;
pub(crate) mod tenants;
pub(crate) mod upkeep;
pub(crate) mod users;

use std::sync::Arc;

use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Database, Ids, Principal, Timestamp, Writer,
    id::{TenantId, UserId},
};

use crate::{
    clients::{Accounts, Payments},
    config::Settings,
    domain::{Command, Personal, Rejection, State, Tenant, User, decide},
    error::Error,
    events,
    secrets::{Passwords, Unreadable, Vault},
    store,
};

pub(crate) use signing::SigningKeys;

/// How often a decision is made again after somebody else changed the same row.
const DECISIONS: u32 = 5;

/// Everything a use case needs. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) parts: Arc<Parts>,
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The database.
    pub database: Database,
    /// Its writer.
    pub writer: Writer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Ids,
    /// Encryption.
    pub vault: Vault,
    /// Password hashes.
    pub passwords: Passwords,
    /// Keys that sign access tokens.
    pub signing: SigningKeys,
    /// The ledger.
    pub accounts: Accounts,
    /// Payments at providers.
    pub payments: Payments,
    /// What was set.
    pub settings: Settings,
}

/// A user with the personal data that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// The user.
    pub user: User,
    /// None when it is restricted or gone.
    pub personal: Option<Personal>,
}

/// A change of a user in the making.
struct Changed {
    user: User,
    changes: ChangeSet,
}

// === impl App ===

impl App {
    /// Over its parts.
    #[must_use]
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) async fn tenant_by_id(&self, id: TenantId) -> Result<Tenant, Error> {
        let tenant = store::tenants::find(&self.parts.database, id).await?;
        tenant.ok_or(Error::TenantNotFound)
    }

    /// A user whom the principal may see (U9).
    pub(crate) async fn visible_user(
        &self,
        principal: &Principal,
        id: UserId,
    ) -> Result<User, Error> {
        let user = store::users::find(&self.parts.database, id).await?;
        user.filter(|user| may_see(principal, user))
            .ok_or(Error::UserNotFound)
    }

    /// Loads, decides and commits until nobody else was faster. `more` adds what belongs to the same change.
    pub(crate) async fn change_user(
        &self,
        id: UserId,
        command: Command,
        more: impl Fn(&User, &User, &mut ChangeSet),
    ) -> Result<Result<User, (User, Rejection)>, Error> {
        for _ in 0..DECISIONS {
            let user = store::users::find(&self.parts.database, id).await?;
            let before = user.ok_or(Error::UserNotFound)?;
            let changed = match self.decide_user(&before, command.clone()) {
                Ok(changed) => changed,
                Err(rejection) => return Ok(Err((before, rejection))),
            };
            let Changed { user, mut changes } = changed;
            more(&before, &user, &mut changes);
            match self.parts.writer.commit(changes).await {
                Ok(()) => return Ok(Ok(user)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    fn decide_user(&self, before: &User, command: Command) -> Result<Changed, Rejection> {
        let (user, fact) = decide(before, command, self.now())?;
        let mut changes = ChangeSet::new();
        store::users::update(&mut changes, before, &user);
        if user.sealed.is_none() && before.sealed.is_some() {
            store::users::forget(&mut changes, &user);
        }
        if !user.state.shows_personal() && before.state.shows_personal() {
            store::credentials::delete(&mut changes, user.id);
        }
        if let Some(fact) = fact {
            events::publish_user(&mut changes, &self.parts.ids, &user, fact);
        }
        Ok(Changed { user, changes })
    }

    /// The user with what may be shown.
    pub(crate) async fn person(&self, user: User) -> Result<Person, Error> {
        let mut people = self.people(vec![user]).await?;
        people.pop().ok_or(Error::UserNotFound)
    }

    /// Users with what may be shown, in the same order.
    pub(crate) async fn people(&self, users: Vec<User>) -> Result<Vec<Person>, Error> {
        let shown: Vec<UserId> = users
            .iter()
            .filter(|user| user.state.shows_personal())
            .map(|user| user.id)
            .collect();
        let keys = store::users::subject_keys(&self.parts.database, &shown).await?;
        let open = |user: &User| -> Result<Option<Personal>, Error> {
            let (Some(sealed), Some(wrapped)) = (&user.sealed, keys.get(&user.id)) else {
                return Ok(None);
            };
            let key = self
                .parts
                .vault
                .open_subject_key(user.id.as_uuid(), wrapped)?;
            let plain = key.open(&sealed.personal)?;
            Ok(Some(Personal::from_bytes(&plain).ok_or(Unreadable)?))
        };
        users
            .into_iter()
            .map(|user| {
                let personal = open(&user)?;
                Ok(Person { user, personal })
            })
            .collect()
    }
}

/// Nobody sees another tenant; customers and merchants see themselves (U9).
fn may_see(principal: &Principal, user: &User) -> bool {
    let is_registered = user.state != State::Refused;
    user.tenant == principal.tenant
        && is_registered
        && (principal.sees_whole_tenant() || user.id.to_string() == principal.subject)
}

/// The user that a principal is; None for API keys and components.
pub(crate) fn own_id(principal: &Principal) -> Option<UserId> {
    principal.subject.parse().ok()
}
