//! Use cases: load, decide, commit. The only place that begins writes; it knows no transport and no table.

pub(crate) mod batches;
pub(crate) mod breaks;
pub(crate) mod closing;
pub(crate) mod payouts;
pub(crate) mod reconcile;
pub(crate) mod releases;
pub(crate) mod saga;
pub(crate) mod statements;
pub(crate) mod upkeep;

use std::{sync::Arc, time::Duration};

use paymesh_kernel::{
    ChangeSet, Clock, CommitError, Database, Ids, Principal, Timestamp, Writer, backoff::Backoff,
};

use crate::{
    bank::Bank,
    clients::{Ledger, Merchants, Transactions},
    config::Settings,
    domain::payout::{Owner, OwnerKind},
    error::Error,
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
    /// Merchants.
    pub(crate) merchants: Merchants,
    /// Transactions.
    pub(crate) transactions: Transactions,
    /// The bank.
    pub(crate) bank: Bank,
    /// What was set.
    pub(crate) settings: Settings,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier call did it.
    AlreadyApplied(T),
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

    fn database(&self) -> &Database {
        &self.parts.database
    }

    async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        self.parts.writer.commit(changes).await
    }

    /// When to try again after so many failures.
    fn again_at(&self, failures: i32) -> Timestamp {
        let (first, longest) = self.parts.settings.retry_ms;
        let backoff = Backoff::new(Duration::from_millis(first), Duration::from_millis(longest));
        let failures = u32::try_from(failures).unwrap_or(0).saturating_add(1);
        self.now()
            .plus(backoff.wait(failures, self.parts.ids.entropy()))
    }

    /// The end of a lease that begins now.
    fn lease(&self) -> Timestamp {
        self.now()
            .plus(Duration::from_millis(self.parts.settings.lease_ms))
    }
}

/// True when `principal` may see what belongs to `owner`: staff all of the tenant, a merchant's people their merchant's, and
/// nobody else anything (V1).
pub(crate) fn may_see(principal: &Principal, owner: &Owner) -> bool {
    if principal.sees_whole_tenant() {
        return true;
    }
    let own = principal.merchant.map(|merchant| merchant.to_string());
    owner.kind == OwnerKind::Merchant && own.as_deref() == Some(owner.id.as_str())
}

/// The error of what was changed again and again meanwhile.
fn contended<T>() -> Result<T, Error> {
    Err(CommitError::Stale.into())
}

#[cfg(test)]
mod tests {
    use paymesh_kernel::{Role, id::MerchantId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn v1_merchants_see_their_own_staff_sees_all_and_customers_nothing() {
        let merchant = |n: u128| MerchantId::from(Uuid::from_u128(n));
        let own = Owner {
            kind: OwnerKind::Merchant,
            id: merchant(1).to_string(),
        };
        let other = Owner {
            kind: OwnerKind::Merchant,
            id: merchant(2).to_string(),
        };
        let person = Owner {
            kind: OwnerKind::User,
            id: merchant(1).to_string(),
        };
        for (role, merchant, wanted) in [
            (Role::Merchant, Some(merchant(1)), [true, false, false]),
            (Role::Merchant, None, [false, false, false]),
            (Role::Customer, None, [false, false, false]),
            (Role::Finance, None, [true, true, true]),
            (Role::Component, None, [true, true, true]),
        ] {
            let principal = Principal {
                tenant: Uuid::from_u128(9).into(),
                subject: "user_x".to_owned(),
                roles: vec![role],
                merchant,
            };
            let found = [&own, &other, &person].map(|owner| may_see(&principal, owner));
            assert_eq!(found, wanted, "{principal:?}");
        }
    }
}
