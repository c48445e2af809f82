//! API keys.

use paymesh_kernel::{
    Principal, Role, Timestamp,
    id::{MerchantId, TenantId},
};

use super::{ApiKeyId, TenantMode};

/// Characters of the secret that are kept to tell keys apart.
pub(crate) const HINT_LENGTH: usize = 4;

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// SHA-256 of the secret; the secret itself is known to its owner alone.
    pub secret_hash: String,
    /// The tenant's mode, which never changes.
    pub mode: TenantMode,
    /// What its maker calls it.
    pub name: String,
    /// Last characters of the secret.
    pub hint: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The merchant that it acts for.
    pub merchant: Option<MerchantId>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Rises with each change.
    pub version: i64,
}

/// Why nobody gets a key with these roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotGrantable {
    /// The maker does not have it.
    Role(Role),
    /// A merchant's key needs a merchant, and any other key has none.
    Merchant,
}

// === impl ApiKey ===

impl ApiKey {
    /// True when it may be used at `now`.
    #[must_use]
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The first of `roles` that `maker` may not hand out, to a key or a user. An administrator's authority covers every role but
/// finance, which the rules of two people keep apart.
#[must_use]
pub(crate) fn exceeded(maker: &Principal, roles: &[Role]) -> Option<Role> {
    let covers = |role: Role| match role {
        Role::Customer | Role::Merchant | Role::Support | Role::Admin | Role::Auditor => {
            maker.has(role) || maker.has(Role::Admin)
        }
        Role::Finance => maker.has(Role::Finance),
        Role::Component => false,
    };
    roles.iter().copied().find(|role| !covers(*role))
}

/// Whether `maker` may make a key with `roles` for `merchant`: no more than the maker's own.
///
/// # Errors
/// With the role that is too much, or when merchant and role do not go together.
pub(crate) fn check_grant(
    maker: &Principal,
    roles: &[Role],
    merchant: Option<MerchantId>,
) -> Result<(), NotGrantable> {
    if let Some(role) = exceeded(maker, roles) {
        return Err(NotGrantable::Role(role));
    }
    if roles.contains(&Role::Merchant) != merchant.is_some() {
        return Err(NotGrantable::Merchant);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn u8_a_key_holds_no_more_than_its_maker() {
        let merchant = Some(MerchantId::from(Uuid::nil()));
        for (maker, roles, merchant, wanted) in [
            (
                vec![Role::Admin],
                vec![Role::Admin, Role::Auditor],
                None,
                Ok(()),
            ),
            (
                vec![Role::Admin],
                vec![Role::Finance],
                None,
                Err(NotGrantable::Role(Role::Finance)),
            ),
            (
                vec![Role::Admin, Role::Finance],
                vec![Role::Finance],
                None,
                Ok(()),
            ),
            (
                vec![Role::Admin],
                vec![Role::Component],
                None,
                Err(NotGrantable::Role(Role::Component)),
            ),
            (
                vec![Role::Support],
                vec![Role::Admin],
                None,
                Err(NotGrantable::Role(Role::Admin)),
            ),
            (
                vec![Role::Admin],
                vec![Role::Merchant],
                None,
                Err(NotGrantable::Merchant),
            ),
            (vec![Role::Admin], vec![Role::Merchant], merchant, Ok(())),
            (
                vec![Role::Admin],
                vec![Role::Auditor],
                merchant,
                Err(NotGrantable::Merchant),
            ),
        ] {
            let principal = Principal {
                tenant: Uuid::nil().into(),
                subject: "user_x".to_owned(),
                roles: maker,
                merchant: None,
            };
            assert_eq!(
                check_grant(&principal, &roles, merchant),
                wanted,
                "{principal:?} {roles:?}"
            );
        }
    }
}
