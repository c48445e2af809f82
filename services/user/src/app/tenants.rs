//! Tenants.

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{ChangeSet, Principal, Role, Timestamp, id::TenantId};
use paymesh_money::Currency;

use super::{App, Person};
use crate::{
    domain::{
        Country, Hidden, Outcome, Personal, Tenant, TenantMode,
        personal::Sealed,
        tenant::Standing,
        user::{Fact, State, User},
    },
    error::Error,
    events,
    store::{self, credentials::Credential},
};

/// Where a key of CreateTenant counts.
const ROUTE: &str = "user.CreateTenant";

/// A tenant to make, with its first administrator.
#[derive(Clone, Debug)]
pub(crate) struct CreateTenant {
    /// Its id, which is the key of the request.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub mode: TenantMode,
    /// Where it is at home.
    pub country: Country,
    /// What its amounts are in.
    pub default_currency: Currency,
    /// Who administers it.
    pub administrator: Personal,
    /// The administrator's password.
    pub password: Hidden,
    /// The encoded request.
    pub asked: Vec<u8>,
}

/// A new user's rows in the making.
pub(crate) struct Draft {
    pub(crate) user: User,
    pub(crate) wrapped: Vec<u8>,
}

// === impl App ===

impl App {
    /// Makes a tenant and its first administrator.
    ///
    /// # Errors
    /// When the principal may not, or the id is taken.
    pub(crate) async fn create_tenant(
        &self,
        principal: &Principal,
        command: CreateTenant,
    ) -> Result<Outcome<(Tenant, Person)>, Error> {
        let own = self.tenant_by_id(principal.tenant).await?;
        if own.standing != Standing::Operator {
            return Err(Error::NotOperator);
        }
        let fingerprint = self.parts.vault.fingerprint(&command.asked);
        let key = IdempotencyKey::try_new(principal, ROUTE, &command.id.to_string(), &fingerprint)?;
        if let Some(made) = self.created_before(&key, command.id).await? {
            return Ok(Outcome::AlreadyApplied(made));
        }
        let now = self.now();
        let hash = self
            .parts
            .passwords
            .place()?
            .hash(command.password.0.clone())
            .await?;
        let tenant = Tenant {
            id: command.id,
            name: command.name,
            mode: command.mode,
            country: command.country,
            default_currency: command.default_currency,
            standing: Standing::Ordinary,
            created_at: now,
        };
        let mut changes = ChangeSet::new();
        let administrator = self.add_tenant(
            &mut changes,
            (&tenant, &[Role::Admin]),
            &command.administrator,
            hash,
        );
        key.record(&mut changes, administrator.user.id.as_uuid(), now);
        match self.parts.writer.commit(changes).await {
            Ok(()) => Ok(Outcome::Applied((tenant, administrator))),
            Err(error)
                if IdempotencyKey::lost(&error) || error.is_duplicate(store::TENANT_INDEX) =>
            {
                let made = self.created_before(&key, command.id).await?;
                made.map(Outcome::AlreadyApplied).ok_or(Error::TenantExists)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A tenant that the principal may see: its own, or any for the operator's people (U9).
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn tenant(
        &self,
        principal: &Principal,
        id: TenantId,
    ) -> Result<Tenant, Error> {
        if id != principal.tenant {
            let own = self.tenant_by_id(principal.tenant).await?;
            if own.standing != Standing::Operator {
                return Err(Error::TenantNotFound);
            }
        }
        self.tenant_by_id(id).await
    }

    /// Tenants that the principal may see.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn tenants(
        &self,
        principal: &Principal,
        after: Option<TenantId>,
        limit: u64,
    ) -> Result<Vec<Tenant>, Error> {
        let own = self.tenant_by_id(principal.tenant).await?;
        match own.standing {
            Standing::Operator => {
                Ok(store::tenants::list(&self.parts.database, after, limit).await?)
            }
            Standing::Ordinary => Ok(Some(own)
                .filter(|own| after.is_none_or(|after| own.id > after))
                .into_iter()
                .collect()),
        }
    }

    /// Rows and facts of a tenant and its administrator, who has no account.
    pub(crate) fn add_tenant(
        &self,
        changes: &mut ChangeSet,
        (tenant, roles): (&Tenant, &[Role]),
        administrator: &Personal,
        password_hash: String,
    ) -> Person {
        store::tenants::insert(changes, tenant);
        events::publish_tenant(changes, &self.parts.ids, tenant);
        let home = (tenant.country, tenant.default_currency);
        let mut draft = self.draft(tenant.id, administrator, home, tenant.created_at);
        draft.user.state = State::Active;
        draft.user.roles = roles.to_vec();
        draft.user.event_sequence = 1;
        let user = draft.user.clone();
        self.add_user(changes, draft, password_hash);
        events::publish_user(changes, &self.parts.ids, &user, Fact::Created);
        Person {
            user,
            personal: Some(administrator.clone()),
        }
    }

    /// A new user, still opening.
    pub(crate) fn draft(
        &self,
        tenant: TenantId,
        personal: &Personal,
        (country, currency): (Country, Currency),
        now: Timestamp,
    ) -> Draft {
        let id: paymesh_kernel::id::UserId = self.parts.ids.next();
        let (key, wrapped) = self.parts.vault.make_subject_key(id.as_uuid());
        let user = User {
            id,
            tenant,
            state: State::Opening,
            sealed: Some(Sealed {
                email_hash: self.parts.vault.email_hash(tenant, &personal.email),
                personal: key.seal(&personal.to_bytes()),
            }),
            country,
            currency,
            roles: vec![Role::Customer],
            consents: Vec::new(),
            merchant: None,
            account: None,
            erases_at: None,
            next_wake_at: None,
            attempts: 0,
            event_sequence: 0,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        Draft { user, wrapped }
    }

    /// Rows of a new user.
    pub(crate) fn add_user(&self, changes: &mut ChangeSet, draft: Draft, password_hash: String) {
        let Draft { user, wrapped } = draft;
        store::users::insert(changes, &user, wrapped);
        store::users::log_consents(changes, &self.parts.ids, user.id, &user.consents);
        let credential = Credential {
            user: user.id,
            password_hash,
            sessions_valid_from: user.created_at,
            version: 1,
        };
        store::credentials::insert(changes, &credential);
    }

    async fn created_before(
        &self,
        key: &IdempotencyKey,
        id: TenantId,
    ) -> Result<Option<(Tenant, Person)>, Error> {
        let Some(administrator) = key.find(&self.parts.database).await? else {
            return Ok(None);
        };
        let user = store::users::find(&self.parts.database, administrator.into()).await?;
        let person = self.person(user.ok_or(Error::UserNotFound)?).await?;
        Ok(Some((self.tenant_by_id(id).await?, person)))
    }
}
