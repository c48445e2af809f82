//! Who may see and do what. Objects of another tenant, of another person and of another merchant do not exist for the caller.

use paymesh_kernel::{Principal, Role, id::UserId};

use crate::{
    domain::{
        party::{Holder, Party},
        status::Kind,
        transaction::Transaction,
    },
    error::Error,
};

/// The person that a principal is, when it is one.
pub(super) fn person(principal: &Principal) -> Option<UserId> {
    principal.subject.parse().ok()
}

/// True when the principal may see the transaction.
pub(super) fn sees(principal: &Principal, transaction: &Transaction) -> bool {
    if principal.tenant != transaction.tenant {
        return false;
    }
    if principal.sees_whole_tenant() {
        return true;
    }
    let sides = [&transaction.payer, &transaction.payee];
    let is_own = |side: &&Party| {
        let as_customer = principal.has(Role::Customer)
            && side.user().is_some()
            && side.user() == person(principal);
        let as_merchant = principal.has(Role::Merchant)
            && side.merchant().is_some()
            && side.merchant() == principal.merchant;
        as_customer || as_merchant
    };
    sides.iter().any(is_own)
}

/// True when the principal may act for the merchant who is paid: captures and refunds.
pub(super) fn acts_for_payee(principal: &Principal, transaction: &Transaction) -> bool {
    principal.sees_whole_tenant()
        || (principal.has(Role::Merchant)
            && principal.merchant.is_some()
            && transaction.payee.merchant() == principal.merchant)
}

/// Checks that the principal may begin a transaction of this kind between these sides.
///
/// # Errors
/// When the kind is not for the principal's role, or a side is not the principal's.
pub(super) fn may_create(
    principal: &Principal,
    kind: Kind,
    payer: &Party,
    payee: &Party,
) -> Result<(), Error> {
    let is_component = principal.has(Role::Component);
    let is_staff = principal.has(Role::Finance) || principal.has(Role::Admin);
    match kind {
        // Settlement alone pays merchants out; it checks who may ask.
        Kind::Payout if !is_component => return Err(Error::KindNotAllowed),
        // Two people of finance move money by hand; a key is nobody in particular.
        Kind::Adjustment if !keeps_books(principal) => return Err(Error::KindNotAllowed),
        Kind::Transfer
        | Kind::Purchase
        | Kind::TopUp
        | Kind::Withdrawal
        | Kind::Payout
        | Kind::Refund
        | Kind::Chargeback
        | Kind::Adjustment => {}
    }
    if is_component || is_staff {
        return Ok(());
    }
    let pays_own = payer.user().is_some() && payer.user() == person(principal);
    if principal.has(Role::Customer) && pays_own {
        return Ok(());
    }
    // A merchant charges a payment method for itself; a balance only its owner gives.
    let is_paid = payee.merchant().is_some() && payee.merchant() == principal.merchant;
    let charges_method = matches!(payer, Party::Method { .. });
    if principal.has(Role::Merchant) && kind == Kind::Purchase && is_paid && charges_method {
        return Ok(());
    }
    Err(Error::PartyNotFound {
        field: if principal.has(Role::Merchant) && !is_paid {
            "payee"
        } else {
            "payer"
        },
    })
}

/// True when the principal is a person of finance: the only ones who ask for adjustments and decide on them.
pub(super) fn keeps_books(principal: &Principal) -> bool {
    principal.has(Role::Finance) && principal.is_person()
}

/// True when an account is one that people pay from and to.
pub(super) const fn is_persons(holder: &Holder) -> bool {
    matches!(holder, Holder::User(_))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use paymesh_kernel::id::{MerchantId, TenantId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, PaymentMethodId};

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn principal(role: Role) -> Principal {
        Principal {
            tenant: TenantId::from(id(1)),
            subject: UserId::from(id(7)).to_string(),
            roles: vec![role],
            merchant: (role == Role::Merchant).then(|| MerchantId::from(id(9))),
        }
    }

    fn account(user: u128) -> Party {
        Party::Account {
            account: AccountId::from(id(user)),
            holder: Holder::User(UserId::from(id(user))),
        }
    }

    fn method(user: u128) -> Party {
        Party::Method {
            method: PaymentMethodId::from(id(3)),
            customer: UserId::from(id(user)),
        }
    }

    fn merchant(n: u128) -> Party {
        Party::Merchant {
            merchant: MerchantId::from(id(n)),
            terminal: None,
        }
    }

    fn assert_may(role: Role, kind: Kind, (payer, payee): (Party, Party), allowed: bool) {
        let result = may_create(&principal(role), kind, &payer, &payee);
        assert_eq!(
            result.is_ok(),
            allowed,
            "T2: {role} {kind:?} {payer:?} {payee:?}"
        );
    }

    #[test]
    fn t2_customers_give_their_own_money_and_merchants_charge_for_themselves() {
        use Kind::{Purchase, Transfer};
        use Role::{Customer, Merchant};
        assert_may(Customer, Transfer, (account(7), account(8)), true);
        assert_may(Customer, Transfer, (account(8), account(7)), false);
        assert_may(Customer, Purchase, (method(7), merchant(9)), true);
        assert_may(Customer, Purchase, (method(8), merchant(9)), false);
        assert_may(Merchant, Purchase, (method(8), merchant(9)), true);
        assert_may(Merchant, Purchase, (method(8), merchant(10)), false);
        assert_may(Merchant, Purchase, (account(8), merchant(9)), false);
        assert_may(Merchant, Transfer, (account(8), account(7)), false);
    }

    #[test]
    fn t2_payouts_are_begun_by_components_and_adjustments_by_staff() {
        use Kind::{Adjustment, Payout, Withdrawal};
        use Role::{Component, Customer, Finance, Merchant};
        let bank = || Party::Bank {
            token: "ba_1".to_owned(),
        };
        assert_may(Customer, Withdrawal, (account(7), bank()), true);
        assert_may(Customer, Payout, (merchant(9), bank()), false);
        assert_may(Merchant, Payout, (merchant(9), bank()), false);
        assert_may(Component, Payout, (merchant(9), bank()), true);
        assert_may(Customer, Adjustment, (account(7), account(8)), false);
        assert_may(Finance, Adjustment, (account(7), account(8)), true);
        assert_may(Role::Admin, Adjustment, (account(7), account(8)), false);
        assert_may(Role::Support, Adjustment, (account(7), account(8)), false);
    }
}
