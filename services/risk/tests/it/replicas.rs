//! Two processes on one database.

use paymesh_chassis::{Component as _, Host, Surface};
use paymesh_kernel::{Database, Ids, Principal, Writer};
use paymesh_mesh::{Channel, ServerConfig, Tokens, server};
use paymesh_proto::{
    risk::v1::{self as pb, risk_service_client::RiskServiceClient},
    types::v1::Outcome,
};
use paymesh_risk::Risk;
use std::sync::Arc;

use crate::world::{World, settings, usd};

crate::scenario! {
    r8_replicas_decide_from_each_others_payments_rules_and_lists;
}

/// A second process of the same component, on the database of the first, in a mesh of its own.
async fn second(world: &mut World) -> RiskServiceClient<Channel> {
    let config = world.harness.database_of("risk").await;
    let database = Database::open(&config).await.unwrap();
    let mut platform = world.harness.platform.clone();
    platform.ids = Ids::new(Arc::clone(&platform.clock));
    platform.mesh = paymesh_mesh::Mesh::new(paymesh_mesh::MeshConfig::default(), &["risk"]);
    let writer = Writer::start(
        "risk",
        Default::default(),
        database.clone(),
        &platform.tasks,
    );
    let tokens = |name| Tokens::new(name, platform.keys.clone(), Arc::clone(&platform.clock));
    let host = Host {
        name: "risk",
        database,
        writer,
        tokens: tokens("risk"),
        platform: platform.clone(),
    };
    let service = Risk::init(settings(), host).await.unwrap();
    let Surface::Grpc(routes) = service.surface else {
        panic!("it serves gRPC");
    };
    platform.mesh.attach(
        "risk",
        server::router(routes, tokens("risk"), &ServerConfig::default()),
    );
    RiskServiceClient::new(
        platform
            .mesh
            .channel("risk", tokens("transaction"))
            .unwrap(),
    )
}

async fn r8_replicas_decide_from_each_others_payments_rules_and_lists(mut world: World) {
    let other = second(&mut world).await;
    let component = Principal::component(world.harness.tenant, "transaction");
    let ask = async |request: pb::AssessRequest| {
        let mut client = other.clone();
        let answer = world.harness.act(&component, client.assess(request)).await;
        answer.unwrap().into_inner()
    };
    // Both are awake before the payments come.
    ask(world.purchase("b")).await;
    let request = world.purchase("a");
    let decision = world.assess(&request).await;
    let repeated = ask(request).await;
    assert_eq!(repeated.outcome(), Outcome::AlreadyApplied, "R2");
    assert_eq!(repeated.decision.unwrap(), decision, "R2");
    // A large sum there, and here always the smallest amount, so that only the sum of both can be large.
    let transfer = |minor: i64| pb::AssessRequest {
        transaction_kind: "transfer".to_owned(),
        amount: Some(usd(minor)),
        ..world.purchase("c")
    };
    world.assess(&transfer(200_000)).await;
    world
        .put_rule(
            "large-sum",
            "customer_sum_1h >= 200000",
            pb::Decision::Challenge,
        )
        .await;
    world
        .eventually(
            "the other replica knows a rule and a sum that it did not see",
            async || {
                let answer = ask(transfer(1)).await;
                answer.decision.unwrap().decision() == pb::Decision::Challenge
            },
        )
        .await;
    let entry = pb::PutListEntryRequest {
        entry_id: world.entry_id(),
        kind: pb::ListKind::Deny.into(),
        subject: pb::ListSubject::Customer.into(),
        value: "b".to_owned(),
        ..Default::default()
    };
    world
        .staff(|mut client| async move { client.put_list_entry(entry).await })
        .await
        .unwrap();
    world
        .eventually(
            "the other replica denies who was put on the list here",
            async || {
                let answer = ask(world.purchase("b")).await;
                answer.decision.unwrap().decision() == pb::Decision::Deny
            },
        )
        .await;
}
