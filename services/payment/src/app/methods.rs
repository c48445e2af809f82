//! Payment methods.

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{ChangeSet, CommitError, Principal, id::UserId};

use super::{App, MOST_DECISIONS, Outcome, access};
use crate::{
    domain::{MethodKind, PaymentMethod, PaymentMethodId},
    error::Error,
    store,
};

/// A method to be stored. The token never shows.
#[derive(Clone)]
pub(crate) struct NewMethod {
    pub(crate) customer: UserId,
    /// None: the default connector.
    pub(crate) connector: Option<String>,
    pub(crate) token: String,
    pub(crate) kind: MethodKind,
}

impl std::fmt::Debug for NewMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMethod")
            .field("customer", &self.customer)
            .finish_non_exhaustive()
    }
}

// === impl App ===

impl App {
    /// Stores a method by its token, with what the provider says of it.
    pub(crate) async fn create_method(
        &self,
        principal: &Principal,
        key: &IdempotencyKey,
        new: NewMethod,
    ) -> Result<Outcome<PaymentMethod>, Error> {
        if !access::acts_for(principal, new.customer) {
            return Err(Error::NotYourself);
        }
        if let Some(known) = self.method_of_key(key).await? {
            return Ok(Outcome::AlreadyApplied(known));
        }
        let connector = new
            .connector
            .unwrap_or_else(|| self.inner.config.default_connector.clone());
        let desk = self.desk(&connector)?;
        let turn = desk.turn().await.map_err(|_| Error::ConnectorBusy)?;
        let details = desk.connector.describe(&new.token, new.kind).await?;
        drop(turn);
        let now = self.now();
        let method = PaymentMethod {
            id: self.inner.ids.next(),
            tenant: principal.tenant,
            customer: new.customer,
            connector,
            kind: new.kind,
            token: new.token,
            expires_at: details.expires_at(),
            details,
            created_at: now,
            detached_at: None,
            version: 1,
        };
        let mut changes = ChangeSet::new();
        store::insert_method(&mut changes, &method);
        key.record(&mut changes, method.id.as_uuid(), now);
        self.publisher(&mut changes).method_created(&method);
        match self.inner.writer.commit(changes).await {
            Ok(()) => Ok(Outcome::Applied(method)),
            Err(error) if IdempotencyKey::lost(&error) => {
                let known = self.method_of_key(key).await?;
                known.map(Outcome::AlreadyApplied).ok_or(Error::Contended)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn method_of_key(&self, key: &IdempotencyKey) -> Result<Option<PaymentMethod>, Error> {
        match key.find(self.store().database()).await? {
            None => Ok(None),
            Some(id) => Ok(self.store().method(id.into()).await?),
        }
    }

    /// A method that the principal may see.
    pub(crate) async fn visible_method(
        &self,
        principal: &Principal,
        id: PaymentMethodId,
    ) -> Result<PaymentMethod, Error> {
        let method = self.store().method(id).await?;
        method
            .filter(|method| access::sees_method(principal, method))
            .ok_or(Error::MethodNotFound)
    }

    /// Makes the provider forget a method, then forgets it here. Both may be done twice.
    pub(crate) async fn detach_method(
        &self,
        principal: &Principal,
        id: PaymentMethodId,
    ) -> Result<Outcome<PaymentMethod>, Error> {
        for _ in 0..MOST_DECISIONS {
            let method = self.visible_method(principal, id).await?;
            if method.detached_at.is_some() {
                return Ok(Outcome::AlreadyApplied(method));
            }
            let desk = self.desk(&method.connector)?;
            let turn = desk.turn().await.map_err(|_| Error::ConnectorBusy)?;
            desk.connector.detach(&method.token).await?;
            drop(turn);
            let detached = method.detached(self.now());
            let mut changes = ChangeSet::new();
            store::update_method(&mut changes, &detached);
            self.publisher(&mut changes).method_detached(&detached);
            match self.inner.writer.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(detached)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }
}
