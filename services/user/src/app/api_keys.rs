//! API keys: shown once, stored as a hash, held to their maker's roles (U8).

use std::time::Duration;

use paymesh_kernel::{ChangeSet, CommitError, Principal, Role, Timestamp, id::MerchantId};

use super::App;
use crate::{
    domain::{
        ApiKey, ApiKeyId, Hidden, Outcome, TenantMode,
        api_key::{HINT_LENGTH, NotGrantable, check_grant},
    },
    error::Error,
    events, secrets, store,
};

/// Random bytes of a secret.
const SECRET_LENGTH: usize = 32;
/// Longest secret that is looked at.
const SECRET_LIMIT: usize = 128;
/// The time of last use is kept to the hour.
const USE_STEP: Duration = Duration::from_secs(3_600);
/// How often a revocation that met another change is tried again.
const DECISIONS: u32 = 5;

/// A key to make.
#[derive(Clone, Debug)]
pub(crate) struct CreateApiKey {
    /// What its maker calls it.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whom a merchant's key acts for; None is the maker's own.
    pub merchant: Option<MerchantId>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

// === impl App ===

impl App {
    /// Makes a key. The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// When it would hold more than its maker.
    pub(crate) async fn create_api_key(
        &self,
        principal: &Principal,
        command: CreateApiKey,
    ) -> Result<(ApiKey, Hidden), Error> {
        let wants_merchant = command.roles.contains(&Role::Merchant);
        let merchant = command
            .merchant
            .or(principal.merchant.filter(|_| wants_merchant));
        check_grant(principal, &command.roles, merchant).map_err(|refused| match refused {
            NotGrantable::Role(role) => Error::RoleExceeded(role),
            NotGrantable::Merchant => Error::field(
                "merchant_id",
                "goes with the role merchant, and only with it",
            ),
        })?;
        let tenant = self.tenant_by_id(principal.tenant).await?;
        let secret = make_secret(tenant.mode);
        let mut key = self.api_key(&secret, tenant.mode, principal);
        key.name = command.name;
        key.roles = command.roles;
        key.merchant = merchant;
        key.expires_at = command.expires_at;
        let mut changes = ChangeSet::new();
        store::keys::insert(&mut changes, &key);
        events::publish_api_key(&mut changes, &self.parts.ids, &key);
        self.parts.writer.commit(changes).await?;
        Ok((key, Hidden(secret)))
    }

    /// A key with this secret, without roles.
    pub(crate) fn api_key(&self, secret: &str, mode: TenantMode, maker: &Principal) -> ApiKey {
        ApiKey {
            id: self.parts.ids.next(),
            tenant: maker.tenant,
            secret_hash: secrets::hash(secret),
            mode,
            name: String::new(),
            hint: hint(secret),
            roles: Vec::new(),
            merchant: None,
            created_by: maker.subject.clone(),
            created_at: self.now(),
            last_used_at: None,
            expires_at: None,
            revoked_at: None,
            version: 1,
        }
    }

    /// The keys of the principal's tenant.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn api_keys(
        &self,
        principal: &Principal,
        after: Option<ApiKeyId>,
        limit: u64,
    ) -> Result<Vec<ApiKey>, Error> {
        Ok(store::keys::list(&self.parts.database, principal.tenant, (after, limit)).await?)
    }

    /// Revokes a key of the principal's tenant.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn revoke_api_key(
        &self,
        principal: &Principal,
        id: ApiKeyId,
    ) -> Result<Outcome<ApiKey>, Error> {
        for _ in 0..DECISIONS {
            let key = store::keys::find(&self.parts.database, id).await?;
            let key = key
                .filter(|key| key.tenant == principal.tenant)
                .ok_or(Error::ApiKeyNotFound)?;
            if key.revoked_at.is_some() {
                return Ok(Outcome::AlreadyApplied(key));
            }
            let now = self.now();
            let revoked = ApiKey {
                revoked_at: Some(now),
                version: key.version + 1,
                ..key
            };
            let mut changes = ChangeSet::new();
            store::keys::update(&mut changes, &revoked);
            let about = (&revoked, now);
            events::publish_api_key_revoked(
                &mut changes,
                &self.parts.ids,
                about,
                &principal.subject,
            );
            match self.parts.writer.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(revoked)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// The key that a secret belongs to.
    ///
    /// # Errors
    /// When it is unknown, expired or revoked; which of them is not said.
    pub(crate) async fn authenticate_api_key(&self, secret: &str) -> Result<ApiKey, Error> {
        if secret.len() > SECRET_LIMIT {
            return Err(Error::ApiKeyInvalid);
        }
        let now = self.now();
        let key = store::keys::find_by_hash(&self.parts.database, &secrets::hash(secret)).await?;
        let key = key
            .filter(|key| key.is_good(now))
            .ok_or(Error::ApiKeyInvalid)?;
        let is_noted = key
            .last_used_at
            .is_some_and(|used| now.since(used) < USE_STEP);
        if !is_noted {
            self.note_use(&key, now).await;
        }
        Ok(key)
    }

    /// Losing this note costs nothing, so it decides nothing.
    async fn note_use(&self, key: &ApiKey, now: Timestamp) {
        let used = ApiKey {
            last_used_at: Some(now),
            version: key.version + 1,
            ..key.clone()
        };
        let mut changes = ChangeSet::new();
        store::keys::update(&mut changes, &used);
        if let Err(error) = self.parts.writer.commit(changes).await {
            tracing::debug!(key = %key.id, %error, "the use of a key was not noted");
        }
    }
}

/// A new secret: `sk_live_…` or `sk_sandbox_…`.
pub(crate) fn make_secret(mode: TenantMode) -> String {
    let random = secrets::encode(&secrets::random::<SECRET_LENGTH>());
    format!("sk_{}_{random}", mode.as_str())
}

fn hint(secret: &str) -> String {
    let start = secret.len().saturating_sub(HINT_LENGTH);
    secret.get(start..).unwrap_or_default().to_owned()
}
