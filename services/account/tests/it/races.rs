//! Many callers at once, and several writers on one database.

use std::sync::Arc;

use paymesh_account::Account;
use paymesh_chassis::{Section, launch};
use paymesh_kernel::Fault as _;
use paymesh_proto::account::v1 as pb;
use tokio::task::JoinSet;

use crate::{
    on_both_engines,
    world::{Purpose, R, World, by_id, single, system},
};

/// Callers at once.
const CALLERS: usize = 64;
/// Calls of each.
const CALLS: usize = 10;

async fn sixty_four_callers_on_one_account_spend_no_more_than_there_is(world: World) {
    let world = Arc::new(world);
    let anna = Arc::new(world.funded(400).await);
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (world, anna) = (Arc::clone(&world), Arc::clone(&anna));
        callers.spawn(async move {
            let mut applied = 0;
            for _ in 0..CALLS {
                let pay = single(
                    world.xfer(),
                    by_id(&anna.id),
                    system(Purpose::FeeRevenue),
                    1,
                );
                let code = world.one(pay).await.code();
                applied += i32::from(code == R::Applied);
                assert!(
                    matches!(code, R::Applied | R::DebitBoundExceeded),
                    "{code:?}"
                );
            }
            applied
        });
    }
    let applied: i32 = callers.join_all().await.into_iter().sum();
    assert_eq!(applied, 400, "A3: exactly what there was is spent");
    assert_eq!(world.sums(&anna.id).await, [0, 400, 0, 400]);
    let head = world.head().await;
    assert_eq!(head.size, 401);
    assert!(head.height < 641, "calls share commits: {}", head.height);
}

async fn a_call_that_is_sent_many_times_at_once_is_booked_once(world: World) {
    let world = Arc::new(world);
    let anna = world.funded(100).await;
    let pay = single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::FeeRevenue),
        60,
    );
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (world, pay) = (Arc::clone(&world), pay.clone());
        callers.spawn(async move { world.one(pay).await });
    }
    let results = callers.join_all().await;
    assert!(results.iter().all(|r| r.code() == R::Applied));
    assert_eq!(results.iter().filter(|r| !r.already_applied).count(), 1);
    assert_eq!(world.sums(&anna.id).await, [0, 60, 0, 100]);
}

async fn money_sent_in_circles_is_all_there_at_the_end(world: World) {
    let world = Arc::new(world);
    let mut accounts = Vec::new();
    for _ in 0..8 {
        accounts.push(world.funded(50).await.id);
    }
    let accounts = Arc::new(accounts);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (world, accounts) = (Arc::clone(&world), Arc::clone(&accounts));
        callers.spawn(async move {
            for call in 0..CALLS {
                let from = &accounts[(caller + call) % 8];
                let to = &accounts[(caller * 3 + call * 5 + 1) % 8];
                let minor = i64::try_from(1 + (caller * call) % 40).unwrap();
                let code = world
                    .one(single(world.xfer(), by_id(from), by_id(to), minor))
                    .await
                    .code();
                assert!(
                    matches!(code, R::Applied | R::DebitBoundExceeded | R::AccountsSame),
                    "{code:?}"
                );
            }
        });
    }
    callers.join_all().await;
    let mut total = 0;
    for id in accounts.iter() {
        let [debits_pending, debits, _, credits] = world.sums(id).await;
        assert!(debits_pending == 0 && debits <= credits, "A3");
        total += credits - debits;
    }
    assert_eq!(total, 400);
}

/// Two replicas of the component on one PostgreSQL database, each with a writer of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_on_one_database_keep_the_bounds_and_one_chain() {
    let Some(mut world) = World::postgres().await else {
        return;
    };
    let section = Section::<paymesh_account::Settings> {
        database: world.harness.database_of("account").await,
        ..Section::default()
    };
    // The second replica's router has no place in the mesh; its use cases are called by its own channel below.
    let mut second = world.harness.platform.clone();
    second.mesh = paymesh_mesh::Mesh::new(paymesh_mesh::MeshConfig::default(), &["account"]);
    launch::<Account>(section, &second).await.unwrap();
    let anna = world.funded(300).await;
    let tokens = paymesh_mesh::Tokens::new(
        "transaction",
        second.keys.clone(),
        Arc::new(world.harness.clock.clone()),
    );
    let channel = second.mesh.channel("account", tokens).unwrap();
    let other = pb::account_service_client::AccountServiceClient::new(channel);
    let world = Arc::new(world);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (world, anna, other) = (Arc::clone(&world), anna.clone(), other.clone());
        callers.spawn(async move {
            let mut applied = 0;
            for _ in 0..CALLS {
                let pay = single(
                    world.xfer(),
                    by_id(&anna.id),
                    system(Purpose::FeeRevenue),
                    1,
                );
                let groups = vec![pb::TransferGroup {
                    transfers: vec![pay],
                }];
                let request = pb::PostTransfersRequest { groups };
                let mut client = if caller % 2 == 0 {
                    world.client("transaction")
                } else {
                    other.clone()
                };
                let principal = world.component();
                let answer = world
                    .harness
                    .act(&principal, client.post_transfers(request))
                    .await;
                let answer = answer.map_err(paymesh_mesh::CallError::from);
                match answer {
                    Ok(answer) => applied += i32::from(answer.into_inner().groups[0].applied),
                    Err(error) => panic!("{} {}", error.reason_text(), error.outcome()),
                }
            }
            applied
        });
    }
    let applied: i32 = callers.join_all().await.into_iter().sum();
    assert_eq!(applied, 300);
    assert_eq!(world.sums(&anna.id).await, [0, 300, 0, 300]);
    let request = pb::StatementRequest {
        account: by_id(&anna.id),
        basis: pb::BalanceBasis::Booked.into(),
        page: Some(paymesh_proto::types::v1::Page {
            size: 500,
            token: String::new(),
        }),
        ..Default::default()
    };
    let statement = world
        .staff(|mut c| async move { c.statement(request).await })
        .await
        .unwrap();
    let sequences: Vec<u64> = statement.entries.iter().map(|e| e.sequence).collect();
    assert_eq!(
        sequences,
        (1..=301).collect::<Vec<u64>>(),
        "A4: entries have no gaps"
    );
    assert_eq!(world.head().await.size, 301);
}

on_both_engines!(
    sixty_four_callers_on_one_account_spend_no_more_than_there_is,
    a_call_that_is_sent_many_times_at_once_is_booked_once,
    money_sent_in_circles_is_all_there_at_the_end,
);
