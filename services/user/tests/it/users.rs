//! Reading and changing users, and who may (U9).

use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role, id::MerchantId};
use paymesh_mesh::CallError;
use paymesh_proto::{
    types::v1::{Outcome, Page},
    user::v1::{self as wire, UpdateUserRequest, UpdateUserResponse, UserUpdated},
};
use prost::Message as _;

use crate::world::{EMAIL, PASSWORD, World, reason, uuid_of, worlds};

const NEW_PASSWORD: &str = "staple battery horse";

async fn update(
    world: &World,
    principal: &Principal,
    request: UpdateUserRequest,
) -> Result<UpdateUserResponse, CallError> {
    world
        .call(principal, |mut client| async move {
            client.update_user(request).await
        })
        .await
}

fn change(user: &str) -> UpdateUserRequest {
    UpdateUserRequest {
        user_id: user.to_owned(),
        ..UpdateUserRequest::default()
    }
}

#[tokio::test]
async fn u9_nobody_sees_another_tenant_and_customers_see_themselves() {
    for world in worlds().await {
        let (user, anna) = world.anna().await;
        let (_, bert) = world.customer("bert@example.com").await;
        let stranger = Principal {
            tenant: world.harness.platform.ids.next(),
            ..world.admin()
        };
        assert_eq!(world.user(&anna, &user.id).await.unwrap().email, EMAIL);
        assert_eq!(world.user(&anna, "").await.unwrap().id, user.id);
        assert_eq!(
            world.user(&world.admin(), &user.id).await.unwrap().name,
            "Anna Example"
        );
        for principal in [&bert, &stranger] {
            let error = world.user(principal, &user.id).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.reason_text()),
                (ErrorKind::NotFound, "USER_NOT_FOUND")
            );
            let mut request = change(&user.id);
            request.country = Some("FR".to_owned());
            if principal.has(Role::Customer) || principal.has(Role::Admin) {
                assert_eq!(
                    reason(update(&world, principal, request).await),
                    "USER_NOT_FOUND"
                );
            }
        }
        let erase = wire::EraseUserRequest {
            user_id: user.id.clone(),
            reason: String::new(),
        };
        let erased = world
            .call(&stranger, |mut client| async move {
                client.erase_user(erase).await
            })
            .await;
        assert_eq!(reason(erased), "USER_NOT_FOUND");
        let roles = wire::AssignRolesRequest {
            user_id: user.id,
            roles: vec![wire::Role::Admin.into()],
        };
        let assigned = world
            .call(&stranger, |mut client| async move {
                client.assign_roles(roles).await
            })
            .await;
        assert_eq!(reason(assigned), "USER_NOT_FOUND");
    }
}

#[tokio::test]
async fn u9_only_an_administrator_says_which_merchant_somebody_works_for() {
    for world in worlds().await {
        let (user, anna) = world.anna().await;
        let merchant: MerchantId = world.harness.platform.ids.next();
        let mut request = change(&user.id);
        request.merchant_id = Some(merchant.to_string());
        let support = world.harness.person(Role::Support);
        for principal in [&anna, &support] {
            let refused = update(&world, principal, request.clone()).await;
            assert_eq!(reason(refused), "REQUEST_INVALID");
        }
        let done = update(&world, &world.admin(), request).await.unwrap();
        assert_eq!(done.user.unwrap().merchant_id, merchant.to_string());
    }
}

#[tokio::test]
async fn a_change_names_its_fields_and_needs_the_version_that_was_read() {
    for world in worlds().await {
        let mut facts = world.facts().await;
        let (user, anna) = world.anna().await;
        let mut request = change(&user.id);
        request.name = Some("Anna Other".to_owned());
        request.country = Some("FR".to_owned());
        request.expected_version = user.version;
        let done = update(&world, &anna, request.clone()).await.unwrap();
        assert_eq!(done.outcome(), Outcome::Applied);
        let changed = done.user.unwrap();
        assert_eq!(
            (changed.name.as_str(), changed.country.as_str()),
            ("Anna Other", "FR")
        );
        assert_eq!(changed.version, user.version + 1);
        let again = update(&world, &anna, request.clone()).await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        request.name = Some("Anna Third".to_owned());
        let error = update(&world, &anna, request).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.reason_text()),
            (ErrorKind::Aborted, "VERSION_CONFLICT")
        );
        let told = facts.about(uuid_of(&user.id), 2).await;
        assert_eq!((told[1].0.as_str(), told[1].1), ("user.updated.v1", 2));
        let fact = UserUpdated::decode(told[1].2.as_slice()).unwrap();
        assert_eq!(fact.changed_fields, ["name", "country"]);
        assert!(!String::from_utf8_lossy(&told[1].2).contains("Other"), "U3");
    }
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_every_session() {
    for world in worlds().await {
        let (user, anna) = world.anna().await;
        let before = world.login(EMAIL, PASSWORD).await.unwrap();
        world
            .harness
            .clock
            .advance(std::time::Duration::from_secs(1));
        let mut request = change(&user.id);
        request.password = Some(NEW_PASSWORD.to_owned());
        assert_eq!(
            reason(update(&world, &anna, request.clone()).await),
            "REQUEST_INVALID"
        );
        request.current_password = Some("another password".to_owned());
        assert_eq!(
            reason(update(&world, &anna, request.clone()).await),
            "CREDENTIALS_INVALID"
        );
        request.current_password = Some(PASSWORD.to_owned());
        assert_eq!(
            update(&world, &anna, request.clone())
                .await
                .unwrap()
                .outcome(),
            Outcome::Applied
        );
        assert_eq!(
            update(&world, &anna, request).await.unwrap().outcome(),
            Outcome::AlreadyApplied
        );
        assert_eq!(
            reason(world.login(EMAIL, PASSWORD).await),
            "CREDENTIALS_INVALID"
        );
        assert_eq!(
            reason(world.refresh(&before.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
        assert!(world.login(EMAIL, NEW_PASSWORD).await.is_ok());
    }
}

#[tokio::test]
async fn a_new_address_is_the_one_to_sign_in_with_and_nobody_else_has_it() {
    for world in worlds().await {
        let (user, anna) = world.anna().await;
        world.customer("bert@example.com").await;
        let mut request = change(&user.id);
        request.current_password = Some(PASSWORD.to_owned());
        request.email = Some("Bert@example.com".to_owned());
        assert_eq!(
            reason(update(&world, &anna, request.clone()).await),
            "EMAIL_TAKEN"
        );
        request.email = Some("anna@example.org".to_owned());
        assert_eq!(
            update(&world, &anna, request).await.unwrap().outcome(),
            Outcome::Applied
        );
        assert!(world.login("anna@example.org", PASSWORD).await.is_ok());
        assert_eq!(
            reason(world.login(EMAIL, PASSWORD).await),
            "CREDENTIALS_INVALID"
        );
        world.customer(EMAIL).await;
    }
}

#[tokio::test]
async fn roles_are_given_by_others_and_show_in_the_list() {
    for world in worlds().await {
        let (user, _) = world.anna().await;
        world.customer("bert@example.com").await;
        let admin = world.admin();
        let own = Principal {
            subject: user.id.clone(),
            ..admin.clone()
        };
        let request = wire::AssignRolesRequest {
            user_id: user.id.clone(),
            roles: vec![wire::Role::Support.into(), wire::Role::Customer.into()],
        };
        let assign = |principal: Principal, request: wire::AssignRolesRequest| {
            let world = &world;
            async move {
                world
                    .call(&principal, |mut client| async move {
                        client.assign_roles(request).await
                    })
                    .await
            }
        };
        assert_eq!(reason(assign(own, request.clone()).await), "OWN_ROLES");
        assert_eq!(
            assign(admin.clone(), request.clone())
                .await
                .unwrap()
                .outcome(),
            Outcome::Applied
        );
        assert_eq!(
            assign(admin.clone(), request.clone())
                .await
                .unwrap()
                .outcome(),
            Outcome::AlreadyApplied
        );
        let customer = world.harness.person(Role::Customer);
        assert_eq!(
            reason(assign(customer, request).await),
            "PERMISSION_MISSING"
        );
        let list = |role: wire::Role| wire::ListUsersRequest {
            role: role.into(),
            ..wire::ListUsersRequest::default()
        };
        for (role, count) in [
            (wire::Role::Support, 1),
            (wire::Role::Customer, 2),
            (wire::Role::Auditor, 0),
        ] {
            let request = list(role);
            let found = world.call(&admin, |mut client| async move {
                client.list_users(request).await
            });
            assert_eq!(found.await.unwrap().users.len(), count, "{role:?}");
        }
    }
}

#[tokio::test]
async fn finance_is_given_and_taken_by_finance() {
    for world in worlds().await {
        let (user, _) = world.anna().await;
        let admin = world.admin();
        let both = Principal {
            roles: vec![Role::Admin, Role::Finance],
            ..admin.clone()
        };
        let assign = |principal: Principal, role: wire::Role| {
            let (world, user_id) = (&world, user.id.clone());
            let request = wire::AssignRolesRequest {
                user_id,
                roles: vec![wire::Role::Support.into(), role.into()],
            };
            async move {
                world
                    .call(&principal, |mut client| async move {
                        client.assign_roles(request).await
                    })
                    .await
            }
        };
        assert_eq!(
            reason(assign(admin.clone(), wire::Role::Finance).await),
            "ROLE_EXCEEDED"
        );
        assert!(assign(both.clone(), wire::Role::Finance).await.is_ok());
        assert_eq!(
            reason(assign(admin, wire::Role::Customer).await),
            "ROLE_EXCEEDED"
        );
        assert!(assign(both, wire::Role::Customer).await.is_ok());
    }
}

#[tokio::test]
async fn a_list_goes_on_where_it_stopped() {
    for world in worlds().await {
        let admin = world.admin();
        for n in 0..5 {
            world
                .harness
                .clock
                .advance(std::time::Duration::from_millis(1));
            world.customer(&format!("user{n}@example.com")).await;
        }
        let (mut token, mut emails) = (String::new(), Vec::new());
        loop {
            let request = wire::ListUsersRequest {
                role: wire::Role::Customer.into(),
                page: Some(Page { size: 2, token }),
                ..wire::ListUsersRequest::default()
            };
            let page = world.call(&admin, |mut client| async move {
                client.list_users(request).await
            });
            let page = page.await.unwrap();
            assert!(page.users.len() <= 2);
            emails.extend(page.users.into_iter().map(|user| user.email));
            token = page.page_info.unwrap().next_token;
            if token.is_empty() {
                break;
            }
        }
        let wanted: Vec<String> = (0..5).map(|n| format!("user{n}@example.com")).collect();
        assert_eq!(emails, wanted);
    }
}
