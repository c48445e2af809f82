//! Who may approve what another asked for, as a table.

use paymesh_kernel::{Principal, Role, id::TenantId};
use uuid::Uuid;

fn principal(subject: &str, roles: &[Role]) -> Principal {
    Principal {
        tenant: TenantId::from(Uuid::from_u128(1)),
        subject: subject.to_owned(),
        roles: roles.to_vec(),
        merchant: None,
    }
}

#[test]
fn two_people_are_two_persons_who_have_signed_in() {
    use Role::{Admin, Component, Finance};
    const ANNA: &str = "user_01h455vb4pex5vsknk084sn0a1";
    const BEN: &str = "user_01h455vb4pex5vsknk084sn0a2";
    const KEY: &str = "key_01h455vb4pex5vsknk084sn0a3";
    for (by, roles, asked_by, wanted) in [
        (BEN, &[Finance][..], ANNA, true),
        (BEN, &[Admin], ANNA, true),
        // The same person, in whatever role.
        (ANNA, &[Finance], ANNA, false),
        (ANNA, &[Admin, Finance], ANNA, false),
        // A key speaks for whoever holds its secret.
        (KEY, &[Finance], ANNA, false),
        (KEY, &[Admin], BEN, false),
        (BEN, &[Finance], KEY, false),
        (KEY, &[Finance], "key_01h455vb4pex5vsknk084sn0a4", false),
        // Nor is a component a person, under whatever name.
        ("settlement", &[Component], ANNA, false),
        (BEN, &[Component], ANNA, false),
        (BEN, &[Finance, Component], ANNA, false),
        (BEN, &[Finance], "settlement", false),
        // Nobody asked.
        (BEN, &[Finance], "", false),
        ("", &[Finance], ANNA, false),
    ] {
        let found = principal(by, roles).may_approve(asked_by);
        assert_eq!(
            found, wanted,
            "{by} as {roles:?} approves what {asked_by} asked for"
        );
    }
}

#[test]
fn a_person_is_a_user_who_is_no_component() {
    for (subject, role, wanted) in [
        ("user_01h455vb4pex5vsknk084sn0a1", Role::Customer, true),
        ("user_01h455vb4pex5vsknk084sn0a1", Role::Component, false),
        ("key_01h455vb4pex5vsknk084sn0a1", Role::Admin, false),
        ("transaction", Role::Component, false),
        ("users", Role::Finance, false),
    ] {
        let found = principal(subject, &[role]).is_person();
        assert_eq!(found, wanted, "{subject} as {role:?}");
    }
}
