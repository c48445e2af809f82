//! Tenants, and the first access that makes the operator's.

use std::os::unix::fs::PermissionsExt as _;

use paymesh_chassis::Section;
use paymesh_kernel::{Principal, id::TenantId};
use paymesh_mesh::CallError;
use paymesh_proto::{
    types::v1::Outcome,
    user::v1::{
        CreateTenantRequest, CreateTenantResponse, GetTenantRequest, ListTenantsRequest,
        TenantMode, user_service_client::UserServiceClient,
    },
};
use paymesh_user::{FirstAccess, first_access};

use crate::world::{PASSWORD, World, reason, worlds};

fn request(id: TenantId) -> CreateTenantRequest {
    CreateTenantRequest {
        tenant_id: id.to_string(),
        name: "Shop".to_owned(),
        mode: TenantMode::Live.into(),
        country: "FR".to_owned(),
        default_currency: "EUR".to_owned(),
        admin_email: "chief@example.com".to_owned(),
        admin_password: PASSWORD.to_owned(),
        admin_name: "Chief".to_owned(),
    }
}

async fn create(
    world: &World,
    principal: &Principal,
    request: CreateTenantRequest,
) -> Result<CreateTenantResponse, CallError> {
    world
        .call(principal, |mut client| async move {
            client.create_tenant(request).await
        })
        .await
}

async fn tenants(world: &World, principal: &Principal) -> usize {
    let call = world.call(principal, |mut client| async move {
        client.list_tenants(ListTenantsRequest::default()).await
    });
    call.await.unwrap().tenants.len()
}

#[tokio::test]
async fn u9_the_operator_makes_tenants_and_others_see_their_own() {
    for world in worlds().await {
        let operator = world.admin();
        let id: TenantId = world.harness.platform.ids.next();
        let made = create(&world, &operator, request(id)).await.unwrap();
        assert_eq!(made.outcome(), Outcome::Applied);
        let again = create(&world, &operator, request(id)).await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        assert_eq!(
            (again.tenant, again.administrator),
            (made.tenant, made.administrator)
        );
        let mut other = request(id);
        other.name = "Another".to_owned();
        assert_eq!(
            reason(create(&world, &operator, other).await),
            "IDEMPOTENCY_KEY_REUSED"
        );
        let chief = Principal {
            tenant: id,
            ..operator.clone()
        };
        let next = world.harness.platform.ids.next();
        assert_eq!(
            reason(create(&world, &chief, request(next)).await),
            "TENANT_NOT_OPERATOR"
        );
        assert_eq!(
            (
                tenants(&world, &operator).await,
                tenants(&world, &chief).await
            ),
            (2, 1)
        );
        let own = world.tenant().to_string();
        let get = |id: String| GetTenantRequest { tenant_id: id };
        let read = world
            .call(&chief, |mut client| async move {
                client.get_tenant(get(own)).await
            })
            .await;
        assert_eq!(reason(read), "TENANT_NOT_FOUND");
        let read = world.call(&operator, |mut client| async move {
            client.get_tenant(get(id.to_string())).await
        });
        assert_eq!(read.await.unwrap().tenant.unwrap().mode(), TenantMode::Live);
    }
}

#[tokio::test]
async fn another_component_reads_the_mode_of_the_tenant_it_works_for() {
    for world in worlds().await {
        let merchant = UserServiceClient::new(world.harness.channel("merchant", "user"));
        let itself = Principal::component(world.tenant(), "merchant");
        let request = GetTenantRequest {
            tenant_id: world.tenant().to_string(),
        };
        let call = async move { merchant.clone().get_tenant(request).await };
        let answer = world.harness.act(&itself, call).await.unwrap().into_inner();
        assert_eq!(answer.tenant.unwrap().mode(), TenantMode::Sandbox);
    }
}

#[tokio::test]
async fn a_second_first_access_changes_nothing() {
    for mut world in worlds().await {
        let section = Section {
            database: world.harness.database_of("user").await,
            settings: world.settings.clone(),
            ..Section::default()
        };
        let platform = world.harness.platform.clone();
        let file = platform.data_dir.join("first-access.json");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let proposal = FirstAccess::sandbox(&platform.ids);
        let found = first_access(&section, &platform, &file, &proposal)
            .await
            .unwrap();
        assert!(!found.is_new && found.access == world.access);
        assert!(!format!("{found:?}").contains(&world.access.password));
        assert_eq!(tenants(&world, &world.admin()).await, 1);
    }
}
