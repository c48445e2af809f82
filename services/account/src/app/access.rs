//! Who may see what: staff and components the whole tenant, a customer and a merchant their own. What may not be seen is not there.

use paymesh_kernel::{Principal, Role};

use crate::domain::{Account, Owner, OwnerKind};

/// The owners that a principal without the whole tenant acts for: the person, and the merchant if there is one.
#[must_use]
pub(super) fn owners(principal: &Principal) -> Vec<Owner> {
    let mut owners = Vec::new();
    if principal.has(Role::Customer) || principal.has(Role::Merchant) {
        owners.push(Owner {
            kind: OwnerKind::User,
            id: principal.subject.clone(),
        });
    }
    if let Some(merchant) = principal.merchant.filter(|_| principal.has(Role::Merchant)) {
        owners.push(Owner {
            kind: OwnerKind::Merchant,
            id: merchant.to_string(),
        });
    }
    owners
}

/// True when the principal may see what belongs to `owner`.
#[must_use]
pub(super) fn may_see_owner(principal: &Principal, owner: &Owner) -> bool {
    principal.sees_whole_tenant() || owners(principal).contains(owner)
}

/// True when the principal may see the account.
#[must_use]
pub(super) fn may_see(principal: &Principal, account: &Account) -> bool {
    account.key.tenant() == principal.tenant && may_see_owner(principal, account.key.owner())
}
