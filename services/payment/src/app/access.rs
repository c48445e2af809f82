//! Who may see and use what. What somebody may not see is not there for it.

use paymesh_kernel::{
    Principal,
    id::{MerchantId, UserId},
};

use crate::domain::{Attempt, Dispute, PaymentMethod};

/// As which customer and which merchant somebody sees things; None when it sees the whole tenant.
pub(super) type SeenBy = Option<(Option<UserId>, Option<MerchantId>)>;

// === free functions ===

pub(super) fn seen_by(principal: &Principal) -> SeenBy {
    if principal.sees_whole_tenant() {
        None
    } else {
        Some((principal.subject.parse().ok(), principal.merchant))
    }
}

pub(super) fn sees_attempt(principal: &Principal, attempt: &Attempt) -> bool {
    principal.tenant == attempt.tenant && is_party(principal, attempt.customer, attempt.merchant)
}

pub(super) fn sees_dispute(principal: &Principal, dispute: &Dispute) -> bool {
    principal.tenant == dispute.tenant && is_party(principal, dispute.customer, dispute.merchant)
}

pub(super) fn sees_method(principal: &Principal, method: &PaymentMethod) -> bool {
    principal.tenant == method.tenant && is_party(principal, Some(method.customer), None)
}

/// A merchant may be paid by a customer's method; that the customer agreed is checked where the transaction is made.
pub(super) fn may_charge(
    principal: &Principal,
    method: &PaymentMethod,
    merchant: Option<MerchantId>,
) -> bool {
    let is_payee = merchant.is_some() && principal.merchant == merchant;
    principal.tenant == method.tenant && (is_payee || sees_method(principal, method))
}

pub(super) fn acts_for(principal: &Principal, customer: UserId) -> bool {
    principal.sees_whole_tenant() || principal.subject.parse() == Ok(customer)
}

fn is_party(principal: &Principal, customer: Option<UserId>, merchant: Option<MerchantId>) -> bool {
    let is_customer = customer.is_some_and(|id| principal.subject.parse() == Ok(id));
    let is_merchant = merchant.is_some() && principal.merchant == merchant;
    principal.sees_whole_tenant() || is_customer || is_merchant
}
