//! What RPCs declare of themselves.

use std::collections::BTreeSet;

use paymesh_proto::{Idempotency, METHODS, Method, method};

#[test]
fn the_table_holds_every_rpc_of_the_descriptors() {
    let pool = super::pool();
    let expected: BTreeSet<String> = pool
        .services()
        .flat_map(|s| {
            s.methods()
                .map(|m| format!("/{}/{}", s.full_name(), m.name()))
                .collect::<Vec<_>>()
        })
        .collect();
    let found: BTreeSet<String> = METHODS.iter().map(|m| m.path.to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_method_can_be_found_by_its_path() {
    for entry in METHODS {
        assert_eq!(method(entry.path), Some(entry));
    }
    assert_eq!(method("/paymesh.account.v1.AccountService/Unheard"), None);
}

#[test]
fn every_method_declares_permission_callers_and_component() {
    for Method {
        path,
        component,
        permission,
        callers,
        ..
    } in METHODS
    {
        assert!(
            path.starts_with(&format!("/paymesh.{component}.v1.")),
            "{path}"
        );
        assert!(!permission.is_empty() && !callers.is_empty(), "{path}");
        assert!(
            !callers.contains(component),
            "{path} names its own component as a caller"
        );
        let distinct: BTreeSet<_> = callers.iter().collect();
        assert_eq!(distinct.len(), callers.len(), "{path}");
    }
}

#[test]
fn money_at_providers_is_moved_by_transaction_alone() {
    for name in ["Authorize", "Capture", "Cancel", "Refund", "CompleteAction"] {
        let entry = method(&format!("/paymesh.payment.v1.PaymentService/{name}")).unwrap();
        assert_eq!(entry.callers, ["transaction"], "{name}");
        assert_eq!(entry.permission, Method::INTERNAL, "{name}");
        assert!(
            entry.allows("transaction") && !entry.allows("gateway"),
            "{name}"
        );
    }
}

#[test]
fn reads_have_no_side_effects_by_name() {
    for entry in METHODS {
        let name = entry.path.rsplit('/').next().unwrap();
        let is_read = name.starts_with("List")
            || (name.starts_with("Get") && name != "GetAttemptByReference");
        if is_read {
            assert_eq!(
                entry.idempotency,
                Idempotency::NoSideEffects,
                "{}",
                entry.path
            );
        }
    }
}

#[test]
fn only_what_makes_secrets_is_never_repeated() {
    let once: Vec<&str> = METHODS
        .iter()
        .filter(|m| !m.idempotency.may_repeat())
        .map(|m| m.path)
        .collect();
    assert_eq!(
        once,
        [
            "/paymesh.user.v1.UserService/CreateApiKey",
            "/paymesh.user.v1.UserService/Login",
            "/paymesh.user.v1.UserService/Refresh",
        ]
    );
}
