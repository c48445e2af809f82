//! API keys (U8).

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role, id::MerchantId};
use paymesh_mesh::CallError;
use paymesh_proto::{
    types::v1::Outcome,
    user::v1::{
        self as wire, AuthenticateApiKeyRequest, AuthenticateApiKeyResponse, CreateApiKeyRequest,
        CreateApiKeyResponse, ListApiKeysRequest, RevokeApiKeyRequest, RevokeApiKeyResponse,
    },
};

use crate::world::{World, reason, worlds};

async fn create(
    world: &World,
    principal: &Principal,
    request: CreateApiKeyRequest,
) -> Result<CreateApiKeyResponse, CallError> {
    world
        .call(principal, |mut client| async move {
            client.create_api_key(request).await
        })
        .await
}

async fn authenticate(
    world: &World,
    secret: &str,
) -> Result<AuthenticateApiKeyResponse, CallError> {
    let request = AuthenticateApiKeyRequest {
        secret: secret.to_owned(),
    };
    Ok(world
        .gateway()
        .authenticate_api_key(request)
        .await?
        .into_inner())
}

async fn revoke(
    world: &World,
    principal: &Principal,
    id: &str,
) -> Result<RevokeApiKeyResponse, CallError> {
    let request = RevokeApiKeyRequest {
        api_key_id: id.to_owned(),
    };
    world
        .call(principal, |mut client| async move {
            client.revoke_api_key(request).await
        })
        .await
}

fn auditor() -> CreateApiKeyRequest {
    CreateApiKeyRequest {
        name: "reports".to_owned(),
        roles: vec![wire::Role::Auditor.into()],
        ..CreateApiKeyRequest::default()
    }
}

#[tokio::test]
async fn u8_a_key_lets_in_until_it_is_revoked() {
    for world in worlds().await {
        let admin = world.admin();
        let made = create(&world, &admin, auditor()).await.unwrap();
        let key = made.api_key.unwrap();
        assert!(made.secret.starts_with("sk_sandbox_") && made.secret.ends_with(&key.hint));
        let found = authenticate(&world, &made.secret).await.unwrap();
        assert_eq!(found.api_key_id, key.id);
        let principal = found.principal.unwrap();
        assert_eq!(
            (principal.tenant_id.as_str(), principal.tenant_mode()),
            (
                world.tenant().to_string().as_str(),
                wire::TenantMode::Sandbox
            )
        );
        assert_eq!(
            (principal.subject, principal.roles),
            (key.id.clone(), key.roles.clone())
        );
        let list = world.call(&admin, |mut client| async move {
            client.list_api_keys(ListApiKeysRequest::default()).await
        });
        let list = list.await.unwrap();
        let listed = list
            .api_keys
            .iter()
            .find(|listed| listed.id == key.id)
            .unwrap();
        assert!(listed.last_used_at_us > 0 && !format!("{list:?}").contains(&made.secret));
        let stranger = Principal {
            tenant: world.harness.platform.ids.next(),
            ..admin.clone()
        };
        assert_eq!(
            reason(revoke(&world, &stranger, &key.id).await),
            "API_KEY_NOT_FOUND"
        );
        assert_eq!(
            revoke(&world, &admin, &key.id).await.unwrap().outcome(),
            Outcome::Applied
        );
        assert_eq!(
            revoke(&world, &admin, &key.id).await.unwrap().outcome(),
            Outcome::AlreadyApplied
        );
        for secret in [
            made.secret.as_str(),
            "sk_sandbox_nothing",
            "",
            &"x".repeat(1_000),
        ] {
            let error = authenticate(&world, secret).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.reason_text()),
                (ErrorKind::Unauthenticated, "API_KEY_INVALID")
            );
        }
    }
}

#[tokio::test]
async fn u8_a_key_expires_and_holds_no_more_than_its_maker() {
    for world in worlds().await {
        let admin = world.admin();
        let mut request = auditor();
        request.expires_at_us = world.harness.platform.clock.now().as_micros() + 60_000_000;
        let made = create(&world, &admin, request.clone()).await.unwrap();
        assert!(authenticate(&world, &made.secret).await.is_ok());
        world.harness.clock.advance(Duration::from_secs(60));
        assert_eq!(
            reason(authenticate(&world, &made.secret).await),
            "API_KEY_INVALID"
        );
        assert_eq!(
            reason(create(&world, &admin, request).await),
            "REQUEST_INVALID"
        );
        let mut request = auditor();
        request.roles = vec![wire::Role::Finance.into()];
        assert_eq!(
            reason(create(&world, &admin, request).await),
            "ROLE_EXCEEDED"
        );
        assert_eq!(
            reason(create(&world, &world.harness.person(Role::Finance), auditor()).await),
            "PERMISSION_MISSING"
        );
    }
}

#[tokio::test]
async fn a_merchants_key_acts_for_its_merchant() {
    for world in worlds().await {
        let merchant: MerchantId = world.harness.platform.ids.next();
        let mut request = auditor();
        request.roles = vec![wire::Role::Merchant.into()];
        assert_eq!(
            reason(create(&world, &world.admin(), request.clone()).await),
            "REQUEST_INVALID"
        );
        request.merchant_id = merchant.to_string();
        let made = create(&world, &world.admin(), request).await.unwrap();
        let found = authenticate(&world, &made.secret).await.unwrap();
        assert_eq!(found.principal.unwrap().merchant_id, merchant.to_string());
    }
}

#[tokio::test]
async fn the_first_access_lets_in_by_key_and_by_password() {
    for world in worlds().await {
        let found = authenticate(&world, &world.access.api_key).await.unwrap();
        let principal = found.principal.unwrap();
        assert_eq!(
            principal.roles,
            [i32::from(wire::Role::Admin), i32::from(wire::Role::Finance)]
        );
        assert!(
            world
                .login(&world.access.email, &world.access.password)
                .await
                .is_ok()
        );
    }
}
