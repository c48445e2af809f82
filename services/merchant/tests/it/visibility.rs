//! Who sees which merchant (Y4), and how long another replica's change may stay unseen (Y5).

use std::time::Duration;

use paymesh_chassis::{Section, component::launch};
use paymesh_kernel::{Principal, Role};
use paymesh_merchant::{Merchant, Settings};
use paymesh_mesh::{Mesh, MeshConfig, Tokens};
use paymesh_proto::merchant::v1::{
    GetMerchantRequest, ListMerchantsRequest, MerchantState, UpdateMerchantRequest,
    merchant_service_client::MerchantServiceClient,
};

use crate::world::{World, reason, worlds};

async fn listed(world: &World, principal: &Principal, state: MerchantState) -> usize {
    let request = ListMerchantsRequest {
        state: state.into(),
        page: None,
    };
    let call = world.call(principal, |mut client| async move {
        client.list_merchants(request).await
    });
    call.await.unwrap().merchants.len()
}

#[tokio::test]
async fn y4_merchants_see_their_own_and_nobody_another_tenants() {
    for world in worlds().await {
        let (one, two) = (world.merchant().await, world.merchant().await);
        let admin = world.admin();
        let stranger = Principal {
            tenant: world.harness.platform.ids.next(),
            ..admin.clone()
        };
        let customer = world.harness.person(Role::Customer);
        for (principal, seen) in [
            (world.owner(&one), vec![&one.id]),
            (world.owner(&two), vec![&two.id]),
            (admin, vec![&one.id, &two.id]),
            (stranger, Vec::new()),
            (customer, Vec::new()),
        ] {
            for id in [&one.id, &two.id] {
                let found = world.get(&principal, id).await;
                if seen.contains(&id) {
                    assert_eq!(&found.unwrap().id, id);
                } else {
                    assert_eq!(reason(found), "MERCHANT_NOT_FOUND");
                }
            }
            assert_eq!(
                listed(&world, &principal, MerchantState::Unspecified).await,
                seen.len()
            );
            assert_eq!(listed(&world, &principal, MerchantState::Closed).await, 0);
        }
    }
}

#[tokio::test]
async fn y4_another_component_reads_every_merchant_of_the_tenant_it_works_for() {
    for world in worlds().await {
        let merchant = world.merchant().await;
        for (tenant, is_there) in [
            (world.harness.tenant, true),
            (world.harness.platform.ids.next(), false),
        ] {
            let itself = Principal::component(tenant, "transaction");
            let request = GetMerchantRequest {
                merchant_id: merchant.id.clone(),
            };
            let found = world.call_from("transaction", &itself, |mut client| async move {
                client.get_merchant(request).await
            });
            assert_eq!(found.await.is_ok(), is_there);
        }
    }
}

#[tokio::test]
async fn y5_a_change_by_another_replica_shows_after_a_second_at_most() {
    for mut world in worlds().await {
        let merchant = world.merchant().await;
        let admin = world.admin();
        let section = Section::<Settings> {
            database: world.harness.database_of("merchant").await,
            ..Section::default()
        };
        let mut platform = world.harness.platform.clone();
        platform.mesh = Mesh::new(MeshConfig::default(), &["merchant", "account", "user"]);
        let replica = launch::<Merchant>(section, &platform).await.unwrap();
        let tokens = Tokens::new("gateway", platform.keys.clone(), platform.clock.clone());
        let mut other =
            MerchantServiceClient::new(platform.mesh.channel("merchant", tokens).unwrap());
        assert_eq!(world.get(&admin, &merchant.id).await.unwrap().name, "Shop");
        let request = UpdateMerchantRequest {
            merchant_id: merchant.id.clone(),
            name: Some("Renamed".to_owned()),
            ..UpdateMerchantRequest::default()
        };
        world
            .harness
            .act(&admin, other.update_merchant(request))
            .await
            .unwrap();
        assert_eq!(world.get(&admin, &merchant.id).await.unwrap().name, "Shop");
        world.harness.clock.advance(Duration::from_secs(1));
        assert_eq!(
            world.get(&admin, &merchant.id).await.unwrap().name,
            "Renamed"
        );
        drop(replica);
    }
}
