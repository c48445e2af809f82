//! Use cases: load, decide, commit. The only place that begins writes; it knows no transport and no table.

pub(crate) mod change;
pub(crate) mod register;
pub(crate) mod terminals;
pub(crate) mod upkeep;

use std::sync::Arc;

use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Database, Ids, Principal, Role, Timestamp, Writer,
    id::{MerchantId, TenantId},
};

use crate::{
    cache::Cache,
    clients::{Ledger, Mode, Tenants},
    config::Settings,
    domain::{Command, Merchant, Rejection, State, Terminal, TerminalId, decide},
    error::Error,
    events, store,
};

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
    pub(crate) database: Database,
    /// Its writer.
    pub(crate) writer: Writer,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Ids.
    pub(crate) ids: Ids,
    /// The ledger.
    pub(crate) ledger: Ledger,
    /// Tenants.
    pub(crate) tenants: Tenants,
    /// Merchants read lately.
    pub(crate) merchants: Cache<MerchantId, Merchant>,
    /// Terminals read lately.
    pub(crate) terminals: Cache<TerminalId, Terminal>,
    /// Modes of tenants, which never change.
    pub(crate) modes: Cache<TenantId, Mode>,
    /// What was set.
    pub(crate) settings: Settings,
}

/// Whose merchants a caller may see (Y4), and whose money it may send elsewhere (Y6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    tenant: TenantId,
    scope: Scope,
    is_admin: bool,
    own: Option<MerchantId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    /// All of the tenant.
    Tenant,
    /// This one.
    One(MerchantId),
    /// None.
    Nothing,
}

/// How the caller came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through the gateway: the principal asks.
    Edge,
    /// From another component, which stands on its own right to call.
    Inside,
}

// === impl View ===

impl View {
    /// What `principal` may see.
    pub(crate) fn new(principal: &Principal, way: Way) -> Self {
        let scope = match (way, principal.merchant) {
            (Way::Inside, _) => Scope::Tenant,
            (Way::Edge, _) if principal.sees_whole_tenant() => Scope::Tenant,
            (Way::Edge, Some(merchant)) => Scope::One(merchant),
            (Way::Edge, None) => Scope::Nothing,
        };
        Self {
            tenant: principal.tenant,
            scope,
            is_admin: principal.has(Role::Admin),
            own: principal.merchant.filter(|_| principal.has(Role::Merchant)),
        }
    }

    fn shows(&self, tenant: TenantId, merchant: MerchantId) -> bool {
        tenant == self.tenant
            && match self.scope {
                Scope::Tenant => true,
                Scope::One(own) => own == merchant,
                Scope::Nothing => false,
            }
    }

    /// True for those who may send a merchant's money elsewhere: the merchant itself, and administrators.
    pub(crate) fn may_redirect(&self, merchant: MerchantId) -> bool {
        self.is_admin || self.own == Some(merchant)
    }

    /// True for staff and components.
    pub(crate) fn is_tenant_wide(&self) -> bool {
        self.scope == Scope::Tenant
    }
}

// === impl App ===

impl App {
    /// Over its parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// A merchant; from memory when it was read lately.
    ///
    /// # Errors
    /// When there is none that the caller may see.
    pub(crate) async fn merchant(&self, view: &View, id: MerchantId) -> Result<Merchant, Error> {
        let now = self.now();
        let merchant = match self.parts.merchants.get(id, now) {
            Some(merchant) => merchant,
            None => {
                let found = store::merchants::find(&self.parts.database, id).await?;
                let merchant = found.ok_or(Error::MerchantNotFound)?;
                let version = merchant.version;
                self.parts
                    .merchants
                    .put(id, merchant.clone(), (version, now));
                merchant
            }
        };
        let is_registered = merchant.state != State::Refused;
        Some(merchant)
            .filter(|merchant| is_registered && view.shows(merchant.tenant, merchant.id))
            .ok_or(Error::MerchantNotFound)
    }

    /// Merchants that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn merchants(
        &self,
        view: &View,
        state: Option<State>,
        (after, limit): (Option<MerchantId>, u64),
    ) -> Result<Vec<Merchant>, Error> {
        let own = match view.scope {
            Scope::Tenant => {
                let page = (after, limit);
                return Ok(
                    store::merchants::list(&self.parts.database, view.tenant, state, page).await?,
                );
            }
            Scope::Nothing => return Ok(Vec::new()),
            Scope::One(own) => own,
        };
        match self.merchant(view, own).await {
            Ok(merchant) => Ok(Some(merchant)
                .filter(|merchant| state.is_none_or(|state| merchant.state == state))
                .filter(|merchant| after.is_none_or(|after| merchant.id > after))
                .into_iter()
                .collect()),
            Err(Error::MerchantNotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Loads, decides and commits until nobody else was faster. `prepare` turns the merchant that was loaded into the command and
    /// adds what belongs to the same change.
    pub(crate) async fn change<P>(
        &self,
        id: MerchantId,
        prepare: P,
    ) -> Result<Result<Merchant, (Merchant, Rejection)>, Error>
    where
        P: Fn(&Merchant, &mut ChangeSet) -> Result<Command, Error>,
    {
        for _ in 0..DECISIONS {
            let found = store::merchants::find(&self.parts.database, id).await?;
            let before = found.ok_or(Error::MerchantNotFound)?;
            let mut changes = ChangeSet::new();
            let command = prepare(&before, &mut changes)?;
            let now = self.now();
            let (merchant, fact) = match decide(&before, command, now) {
                Ok(change) => change,
                Err(rejection) => return Ok(Err((before, rejection))),
            };
            store::merchants::update(&mut changes, &merchant);
            if let Some(fact) = fact {
                events::publish(&mut changes, &self.parts.ids, &merchant, fact);
            }
            match self.parts.writer.commit(changes).await {
                Ok(()) => {
                    let version = merchant.version;
                    self.parts
                        .merchants
                        .put(id, merchant.clone(), (version, now));
                    return Ok(Ok(merchant));
                }
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn y4_merchants_see_their_own_staff_sees_all_and_customers_none() {
        let (own, other) = (
            MerchantId::from(Uuid::from_u128(1)),
            MerchantId::from(Uuid::from_u128(2)),
        );
        let (here, there) = (
            TenantId::from(Uuid::from_u128(8)),
            TenantId::from(Uuid::from_u128(9)),
        );
        for (roles, merchant, way, wanted) in [
            (
                vec![Role::Merchant],
                Some(own),
                Way::Edge,
                [true, false, false],
            ),
            (vec![Role::Merchant], None, Way::Edge, [false, false, false]),
            (vec![Role::Customer], None, Way::Edge, [false, false, false]),
            (vec![Role::Support], None, Way::Edge, [true, true, false]),
            (vec![Role::Customer], None, Way::Inside, [true, true, false]),
            (
                vec![Role::Component],
                None,
                Way::Inside,
                [true, true, false],
            ),
        ] {
            let principal = Principal {
                tenant: here,
                subject: "user_x".to_owned(),
                roles,
                merchant,
            };
            let view = View::new(&principal, way);
            let shown = [
                view.shows(here, own),
                view.shows(here, other),
                view.shows(there, own),
            ];
            assert_eq!(shown, wanted, "{principal:?} {way:?}");
        }
    }
}
