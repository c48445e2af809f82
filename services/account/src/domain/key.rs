//! Which account is meant: unique by tenant, owner, purpose, currency and connector.

use std::hash::{Hash, Hasher};

use paymesh_kernel::id::{MerchantId, TenantId, UserId};
use paymesh_money::Currency;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::chart::{ConnectorRule, OwnerKind, Purpose};

/// Longest name of a connector, in bytes.
pub const CONNECTOR_LIMIT: usize = 64;
/// Bytes of an account's reference.
const REFERENCE_BYTES: usize = 16;

/// Who owns an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// What it is.
    pub kind: OwnerKind,
    /// By kind: `tnt_`, `user_`, `mrc_`, or a connector's name.
    pub id: String,
}

/// The one account for a purpose. Compared by its reference.
#[derive(Clone, Debug)]
pub struct AccountKey {
    tenant: TenantId,
    owner: Owner,
    purpose: Purpose,
    currency: Currency,
    connector: String,
    reference: Uuid,
}

/// Why no account can be named like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The owner is of a kind that such an account cannot have, or there is none.
    #[error("the owner is not of a kind that accounts of this purpose have")]
    OwnerKind,
    /// The owner's id is not of its kind, or is another tenant's.
    #[error("the owner's id is not one of its kind")]
    OwnerId,
    /// A connector is missing, malformed, named where there is none, or another than the owner.
    #[error("connector accounts name their connector, in a-z, 0-9, - and _; others name none")]
    Connector,
}

// === impl Owner ===

impl Owner {
    /// The tenant itself.
    #[must_use]
    pub fn tenant(tenant: TenantId) -> Self {
        Self {
            kind: OwnerKind::Tenant,
            id: tenant.to_string(),
        }
    }

    fn is_valid_in(&self, tenant: TenantId) -> bool {
        match self.kind {
            OwnerKind::Tenant => self.id.parse() == Ok(tenant),
            OwnerKind::User => self.id.parse::<UserId>().is_ok(),
            OwnerKind::Merchant => self.id.parse::<MerchantId>().is_ok(),
            OwnerKind::Connector => is_connector_name(&self.id),
        }
    }
}

// === impl AccountKey ===

impl AccountKey {
    /// The account of `owner` for a purpose. Without an owner it is the tenant's, or the connector's own.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn try_new(
        tenant: TenantId,
        owner: Option<Owner>,
        purpose: Purpose,
        currency: Currency,
        connector: &str,
    ) -> Result<Self, KeyError> {
        let owner = match (owner, purpose.owners()) {
            (Some(owner), _) => owner,
            (None, [OwnerKind::Tenant, ..]) => Owner::tenant(tenant),
            (None, [OwnerKind::Connector]) => Owner {
                kind: OwnerKind::Connector,
                id: connector.to_owned(),
            },
            (None, _) => return Err(KeyError::OwnerKind),
        };
        // A receivable of the tenant is the connector's account: both ways of naming it mean one.
        let owner = match (owner.kind, purpose.owners()) {
            (OwnerKind::Tenant, [OwnerKind::Connector]) if owner.is_valid_in(tenant) => Owner {
                kind: OwnerKind::Connector,
                id: connector.to_owned(),
            },
            _ => owner,
        };
        if !purpose.owners().contains(&owner.kind) {
            return Err(KeyError::OwnerKind);
        }
        let connector = match owner.kind {
            OwnerKind::Connector if connector.is_empty() => owner.id.clone(),
            OwnerKind::Tenant | OwnerKind::User | OwnerKind::Merchant | OwnerKind::Connector => {
                connector.to_owned()
            }
        };
        let fits = match purpose.connector_rule() {
            ConnectorRule::None => connector.is_empty(),
            ConnectorRule::Optional => connector.is_empty() || is_connector_name(&connector),
            ConnectorRule::Required => is_connector_name(&connector) && connector == owner.id,
        };
        if !fits {
            return Err(KeyError::Connector);
        }
        if !owner.is_valid_in(tenant) {
            return Err(KeyError::OwnerId);
        }
        let reference = reference_of(tenant, &owner, (purpose, currency), &connector);
        Ok(Self::restored(
            tenant,
            owner,
            (purpose, currency),
            connector,
            reference,
        ))
    }

    /// A key that was checked before it was stored.
    #[must_use]
    pub const fn restored(
        tenant: TenantId,
        owner: Owner,
        (purpose, currency): (Purpose, Currency),
        connector: String,
        reference: Uuid,
    ) -> Self {
        Self {
            tenant,
            owner,
            purpose,
            currency,
            connector,
            reference,
        }
    }

    /// Whose ledger it is in.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who owns it.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// In which currency it is kept.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The connector's name, or nothing.
    #[must_use]
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// 128 bits of a hash over all parts: the unique index.
    #[must_use]
    pub const fn reference(&self) -> Uuid {
        self.reference
    }
}

impl PartialEq for AccountKey {
    fn eq(&self, other: &Self) -> bool {
        self.reference == other.reference
    }
}

impl Eq for AccountKey {}

impl Hash for AccountKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.reference.hash(state);
    }
}

/// 128 bits of a hash over all parts.
fn reference_of(
    tenant: TenantId,
    owner: &Owner,
    (purpose, currency): (Purpose, Currency),
    connector: &str,
) -> Uuid {
    let parts = [
        owner.kind.as_str(),
        &owner.id,
        purpose.as_str(),
        currency.code(),
        connector,
    ];
    let mut hasher = Sha256::new();
    hasher.update(tenant.as_uuid().as_bytes());
    for part in parts {
        // No part can hold a line feed, so no two keys give the same text.
        hasher.update(part.as_bytes());
        hasher.update(b"\n");
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut first = [0_u8; REFERENCE_BYTES];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    Uuid::from_bytes(first)
}

fn is_connector_name(name: &str) -> bool {
    (1..=CONNECTOR_LIMIT).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId::from(Uuid::from_u128(n))
    }

    fn owner(kind: OwnerKind, id: &str) -> Option<Owner> {
        Some(Owner {
            kind,
            id: id.to_owned(),
        })
    }

    fn key(
        owner: Option<Owner>,
        purpose: Purpose,
        connector: &str,
    ) -> Result<AccountKey, KeyError> {
        AccountKey::try_new(tenant(1), owner, purpose, Currency::USD, connector)
    }

    #[test]
    fn owner_and_connector_fit_the_purpose() {
        let user = UserId::from(Uuid::from_u128(7)).to_string();
        let merchant = MerchantId::from(Uuid::from_u128(8)).to_string();
        use KeyError as E;
        use OwnerKind as K;
        use Purpose as P;
        for (who, purpose, connector, wanted) in [
            (None, P::Clearing, "", Ok(())),
            (None, P::Clearing, "stripe", Err(E::Connector)),
            (owner(K::User, &user), P::Clearing, "", Err(E::OwnerKind)),
            (owner(K::User, &user), P::CustomerBalance, "", Ok(())),
            (
                owner(K::User, "user_x"),
                P::CustomerBalance,
                "",
                Err(E::OwnerId),
            ),
            (None, P::CustomerBalance, "", Err(E::OwnerKind)),
            (
                owner(K::Merchant, &merchant),
                P::MerchantPending,
                "",
                Ok(()),
            ),
            (
                owner(K::Merchant, &user),
                P::MerchantPending,
                "",
                Err(E::OwnerId),
            ),
            (None, P::ConnectorReceivable, "stripe", Ok(())),
            (None, P::ConnectorReceivable, "", Err(E::Connector)),
            (None, P::ConnectorReceivable, "Stripe", Err(E::Connector)),
            (
                owner(K::Connector, "stripe"),
                P::ConnectorReceivable,
                "",
                Ok(()),
            ),
            (
                owner(K::Connector, "stripe"),
                P::ConnectorReceivable,
                "adyen",
                Err(E::Connector),
            ),
            (None, P::ConnectorFees, "stripe", Ok(())),
            (None, P::ConnectorFees, "", Ok(())),
            (
                owner(K::Tenant, &tenant(2).to_string()),
                P::Losses,
                "",
                Err(E::OwnerId),
            ),
        ] {
            let got = key(who.clone(), purpose, connector).map(|_| ());
            assert_eq!(got, wanted, "{who:?} {purpose} {connector:?}");
        }
    }

    #[test]
    fn a_receivable_is_one_account_however_it_is_named() {
        let by_connector = key(None, Purpose::ConnectorReceivable, "stripe").unwrap();
        let by_owner = key(
            owner(OwnerKind::Connector, "stripe"),
            Purpose::ConnectorReceivable,
            "",
        );
        let of_tenant = key(
            owner(OwnerKind::Tenant, &tenant(1).to_string()),
            Purpose::ConnectorReceivable,
            "stripe",
        );
        assert_eq!(by_owner.unwrap(), by_connector);
        assert_eq!(of_tenant.unwrap(), by_connector);
    }

    #[test]
    fn any_part_makes_another_account() {
        let base = key(None, Purpose::ConnectorFees, "a").unwrap();
        let others = [
            key(None, Purpose::ConnectorFees, "b").unwrap(),
            key(None, Purpose::Losses, "").unwrap(),
            AccountKey::try_new(tenant(2), None, Purpose::ConnectorFees, Currency::USD, "a")
                .unwrap(),
            AccountKey::try_new(tenant(1), None, Purpose::ConnectorFees, Currency::EUR, "a")
                .unwrap(),
        ];
        for other in others {
            assert_ne!(other, base);
        }
    }
}
