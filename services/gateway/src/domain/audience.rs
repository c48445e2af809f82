//! Who may see a fact (G6): staff sees the tenant's, a person what it takes part in, a merchant's user what the merchant does.

use paymesh_kernel::{Principal, id::TenantId};

/// Whom a fact concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audience {
    /// Users: payer, payee, customer. At most two.
    pub(crate) users: Vec<String>,
    /// The merchant, when there is one.
    pub(crate) merchant: Option<String>,
}

/// What a principal is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Viewer {
    /// Nothing of another tenant.
    pub(crate) tenant: TenantId,
    /// Of this tenant.
    pub(crate) view: View,
}

/// Which facts of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// All of them.
    Everything,
    /// Those that concern the user or the merchant.
    Own {
        /// `user_…`
        user: String,
        /// `mrc_…`
        merchant: Option<String>,
    },
}

// === impl Viewer ===

impl Viewer {
    /// What the principal is shown.
    pub(crate) fn of(principal: &Principal) -> Self {
        let view = if principal.sees_whole_tenant() {
            View::Everything
        } else {
            View::Own {
                user: principal.subject.clone(),
                merchant: principal.merchant.map(|merchant| merchant.to_string()),
            }
        };
        Self {
            tenant: principal.tenant,
            view,
        }
    }

    /// True when a fact of `tenant` with this audience is shown.
    pub(crate) fn sees(&self, tenant: TenantId, audience: &Audience) -> bool {
        let is_own = match &self.view {
            View::Everything => true,
            View::Own { user, merchant } => {
                audience.users.contains(user)
                    || (merchant.is_some() && *merchant == audience.merchant)
            }
        };
        tenant == self.tenant && is_own
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use paymesh_kernel::{Ids, Role, SystemClock};

    use super::*;

    #[test]
    fn g6_a_fact_is_shown_to_those_it_concerns_in_its_tenant() {
        let ids = Ids::new(Arc::new(SystemClock));
        let (tenant, other) = (ids.next(), ids.next());
        let merchant = ids.next();
        let principal = |tenant, role, subject: &str, merchant| Principal {
            tenant,
            subject: subject.to_owned(),
            roles: vec![role],
            merchant,
        };
        let audience = Audience {
            users: vec!["user_payer".to_owned()],
            merchant: Some(format!("{merchant}")),
        };
        for (principal, sees) in [
            (principal(tenant, Role::Customer, "user_payer", None), true),
            (principal(tenant, Role::Customer, "user_else", None), false),
            (
                principal(tenant, Role::Merchant, "user_clerk", Some(merchant)),
                true,
            ),
            (
                principal(tenant, Role::Merchant, "user_clerk", Some(ids.next())),
                false,
            ),
            (principal(tenant, Role::Merchant, "user_clerk", None), false),
            (principal(tenant, Role::Finance, "user_boss", None), true),
            (principal(other, Role::Admin, "user_boss", None), false),
            (principal(other, Role::Customer, "user_payer", None), false),
        ] {
            assert_eq!(
                Viewer::of(&principal).sees(tenant, &audience),
                sees,
                "{principal:?}"
            );
        }
        let nobody = Audience::default();
        let clerk = principal(tenant, Role::Merchant, "user_clerk", None);
        assert!(!Viewer::of(&clerk).sees(tenant, &nobody));
    }
}
