//! Which role holds which permission. The protos name the permission of each RPC; this table is the only other place.

use paymesh_kernel::{Principal, Role};

use Role::{Admin, Auditor, Customer, Finance, Merchant, Support};

/// Everyone who may look at their own things.
const EVERYONE: &[Role] = &[Customer, Merchant, Support, Finance, Admin, Auditor];
/// Staff that reads the whole tenant.
const READERS: &[Role] = &[Support, Finance, Admin, Auditor];
const MONEY_STAFF: &[Role] = &[Finance, Admin];
const RISK_STAFF: &[Role] = &[Support, Finance, Admin];

/// Permission → roles. A permission that is not here is held by nobody; a test compares it with the protos.
const GRANTS: &[(&str, &[Role])] = &[
    ("account.audit", &[Finance, Admin, Auditor]),
    ("account.close", MONEY_STAFF),
    ("account.open", &[Customer, Merchant, Finance, Admin]),
    ("account.period.close", &[Finance]),
    ("account.read", EVERYONE),
    ("account.suspend", &[Support, Finance, Admin]),
    ("account.transfer.post", &[]),
    ("currency.import", MONEY_STAFF),
    ("currency.quote", EVERYONE),
    ("currency.quote.list", READERS),
    ("currency.read", EVERYONE),
    ("merchant.plan.write", MONEY_STAFF),
    ("merchant.read", EVERYONE),
    ("merchant.register", &[Support, Admin]),
    ("merchant.terminal.write", &[Merchant, Support, Admin]),
    ("merchant.update", &[Merchant, Support, Admin]),
    (
        "payment.dispute.read",
        &[Merchant, Support, Finance, Admin, Auditor],
    ),
    ("payment.dispute.write", &[Merchant, Support, Admin]),
    ("payment.method.read", EVERYONE),
    ("payment.method.write", &[Customer, Support, Admin]),
    (
        "payment.read",
        &[Merchant, Support, Finance, Admin, Auditor],
    ),
    ("reporting.definition.write", MONEY_STAFF),
    ("reporting.read", &[Finance, Admin, Auditor]),
    ("reporting.run", &[Finance, Admin, Auditor]),
    ("reporting.schedule.write", MONEY_STAFF),
    ("risk.alert.read", READERS),
    ("risk.backtest", RISK_STAFF),
    ("risk.decision.read", READERS),
    ("risk.history.import", &[Admin]),
    ("risk.list.read", READERS),
    ("risk.list.write", RISK_STAFF),
    ("risk.rule.read", READERS),
    ("risk.rule.write", &[Finance, Admin]),
    ("settlement.batch.write", MONEY_STAFF),
    ("settlement.break.write", &[Finance]),
    (
        "settlement.payout.read",
        &[Merchant, Support, Finance, Admin, Auditor],
    ),
    ("settlement.payout.write", &[Merchant, Finance, Admin]),
    ("settlement.read", &[Finance, Admin, Auditor]),
    ("settlement.reconcile", MONEY_STAFF),
    ("settlement.statement.write", MONEY_STAFF),
    ("settlement.write_off.approve", &[Finance]),
    ("settlement.write_off.request", &[Finance]),
    ("transaction.action", &[Customer, Support, Admin]),
    ("transaction.cancel", &[Customer, Merchant, Support, Admin]),
    ("transaction.capture", &[Merchant, Admin]),
    ("transaction.chargeback", MONEY_STAFF),
    ("transaction.create", &[Customer, Merchant, Finance, Admin]),
    ("transaction.history", READERS),
    ("transaction.read", EVERYONE),
    ("transaction.refund", &[Merchant, Support, Finance, Admin]),
    ("transaction.resolve.approve", &[Finance]),
    ("transaction.resolve.request", &[Support, Finance]),
    ("transaction.review", &[Support, Finance, Admin]),
    ("user.erase", &[Customer, Support, Admin]),
    ("user.key.manage", &[Admin]),
    ("user.list", READERS),
    ("user.read", EVERYONE),
    ("user.roles.assign", &[Admin]),
    ("user.self", EVERYONE),
    ("user.tenant.create", &[Admin]),
    ("user.tenant.list", &[Admin]),
    ("user.tenant.read", &[Support, Finance, Admin, Auditor]),
    ("user.update", &[Customer, Support, Admin]),
];

/// True when one of the principal's roles holds the permission.
#[must_use]
pub fn holds(principal: &Principal, permission: &str) -> bool {
    roles_of(permission).iter().any(|role| principal.has(*role))
}

/// The roles that hold a permission; none for an unknown one.
#[must_use]
pub fn roles_of(permission: &str) -> &'static [Role] {
    GRANTS
        .binary_search_by(|(name, _)| (*name).cmp(permission))
        .map_or(&[], |place| GRANTS[place].1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use paymesh_proto::{METHODS, Method};

    use super::*;

    #[test]
    fn n2_every_permission_of_the_protos_is_granted_here_and_no_other() {
        let named: BTreeSet<&str> = METHODS
            .iter()
            .map(|method| method.permission)
            .filter(|name| ![Method::PUBLIC, Method::INTERNAL].contains(name))
            .collect();
        let granted: BTreeSet<&str> = GRANTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(granted, named);
        assert!(
            GRANTS.is_sorted_by_key(|(name, _)| *name),
            "the table is searched"
        );
    }

    #[test]
    fn an_auditor_holds_nothing_that_changes_anything() {
        for (permission, roles) in GRANTS {
            let reads = ["read", "audit", "list", "history", "self", "quote", "run"]
                .iter()
                .any(|word| permission.ends_with(word));
            assert!(reads || !roles.contains(&Auditor), "{permission}");
        }
    }

    #[test]
    fn what_needs_two_people_needs_two_roles_or_two_persons_of_finance() {
        assert_eq!(roles_of("settlement.write_off.approve"), [Finance]);
        assert_eq!(roles_of("transaction.resolve.approve"), [Finance]);
    }
}
