//! First access: the tenant of who runs the platform, an administrator and an API key.
//!
//! The secrets are made and kept by the caller before anything is committed, so that a crash in between loses none of them: the
//! same call again makes what is missing and leaves what is there.

use paymesh_kernel::{ChangeSet, CommitError, Ids, Principal, Role, id::TenantId};
use paymesh_money::Currency;
use serde::{Deserialize, Serialize};

use super::{App, api_keys::make_secret};
use crate::{
    domain::{Country, Outcome, Personal, Tenant, TenantMode, tenant::Standing},
    error::Error,
    events, secrets, store,
};

/// Who gets in first, and with what. Serialised, it is what the caller keeps; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstAccess {
    /// The tenant: `tnt_…`.
    pub tenant_id: TenantId,
    /// True for simulated providers.
    pub sandbox: bool,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// The administrator's address.
    pub email: String,
    /// The administrator's password.
    pub password: String,
    /// An API key with the administrator's roles: `sk_…`.
    pub api_key: String,
    /// Roles of both.
    pub roles: Vec<Role>,
}

/// Random bytes of a password.
const PASSWORD_LENGTH: usize = 18;
const TENANT_NAME: &str = "Operator";
const ADMINISTRATOR_NAME: &str = "Administrator";
const KEY_NAME: &str = "first access";

// === impl FirstAccess ===

impl FirstAccess {
    /// A sandbox with new secrets, whose administrator also keeps the books.
    #[must_use]
    pub fn sandbox(ids: &Ids) -> Self {
        Self::new(ids, TenantMode::Sandbox)
    }

    /// A real installation with new secrets.
    #[must_use]
    pub fn live(ids: &Ids) -> Self {
        Self::new(ids, TenantMode::Live)
    }

    fn new(ids: &Ids, mode: TenantMode) -> Self {
        Self {
            tenant_id: ids.next(),
            sandbox: mode == TenantMode::Sandbox,
            country: "US".to_owned(),
            currency: "USD".to_owned(),
            email: "admin@paymesh.example".to_owned(),
            password: secrets::encode(&secrets::random::<PASSWORD_LENGTH>()),
            api_key: make_secret(mode),
            roles: match mode {
                TenantMode::Sandbox => vec![Role::Admin, Role::Finance],
                TenantMode::Live => vec![Role::Admin],
            },
        }
    }
}

impl std::fmt::Debug for FirstAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAccess")
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

// === impl App ===

impl App {
    /// Makes what is not there yet.
    ///
    /// # Errors
    /// When country or currency are unknown, or the database fails.
    pub(crate) async fn first_access(
        &self,
        access: &FirstAccess,
    ) -> Result<Outcome<Tenant>, Error> {
        let country: Country = access
            .country
            .parse()
            .map_err(|_| Error::field("country", "must be an ISO 3166-1 alpha-2 code"))?;
        let default_currency: Currency = access
            .currency
            .parse()
            .map_err(|_| Error::field("currency", "must be an ISO 4217 code"))?;
        if let Some(tenant) = store::tenants::find(&self.parts.database, access.tenant_id).await? {
            return Ok(Outcome::AlreadyApplied(tenant));
        }
        let mode = if access.sandbox {
            TenantMode::Sandbox
        } else {
            TenantMode::Live
        };
        let tenant = Tenant {
            id: access.tenant_id,
            name: TENANT_NAME.to_owned(),
            mode,
            country,
            default_currency,
            standing: Standing::Operator,
            created_at: self.now(),
        };
        let hash = self
            .parts
            .passwords
            .place()?
            .hash(access.password.clone())
            .await?;
        match self
            .parts
            .writer
            .commit(self.first_rows(&tenant, access, hash))
            .await
        {
            Ok(()) => Ok(Outcome::Applied(tenant)),
            Err(CommitError::Duplicate { constraint }) if constraint == store::TENANT_INDEX => {
                Ok(Outcome::AlreadyApplied(tenant))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn first_rows(
        &self,
        tenant: &Tenant,
        access: &FirstAccess,
        password_hash: String,
    ) -> ChangeSet {
        let mut changes = ChangeSet::new();
        let administrator = Personal {
            email: access.email.clone(),
            name: ADMINISTRATOR_NAME.to_owned(),
        };
        let person = self.add_tenant(
            &mut changes,
            (tenant, &access.roles),
            &administrator,
            password_hash,
        );
        let maker = Principal {
            tenant: tenant.id,
            subject: person.user.id.to_string(),
            roles: access.roles.clone(),
            merchant: None,
        };
        let mut key = self.api_key(&access.api_key, tenant.mode, &maker);
        key.name = KEY_NAME.to_owned();
        key.roles.clone_from(&access.roles);
        store::keys::insert(&mut changes, &key);
        events::publish_api_key(&mut changes, &self.parts.ids, &key);
        changes
    }
}
