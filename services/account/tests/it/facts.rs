//! What the ledger publishes, and what it does when a user leaves.

use std::time::Duration;

use paymesh_bus::{Event, Tail, Tailed};
use paymesh_kernel::ChangeSet;
use paymesh_proto::{
    Fact as _,
    account::v1 as pb,
    user::v1::{UserDeleted, UserState},
};
use prost::Message as _;

use crate::{
    on_both_engines,
    world::{Code, Purpose, R, World, by_id, pending, single, sums, system},
};

async fn next(tail: &mut Tail) -> std::sync::Arc<Event> {
    let told = tokio::time::timeout(Duration::from_secs(10), tail.next()).await;
    match told.unwrap().unwrap() {
        Tailed::Event(event) => event,
        Tailed::Missed(count) => panic!("{count} events were missed"),
    }
}

/// Facts until one of `kind` about the account comes; those of the account, in their order.
async fn until(tail: &mut Tail, account: &str, kind: &str) -> Vec<std::sync::Arc<Event>> {
    let id: paymesh_account::domain::AccountId = account.parse().unwrap();
    let mut told = Vec::new();
    loop {
        let event = next(tail).await;
        if event.aggregate_id == id.as_uuid() {
            told.push(event.clone());
            if event.kind == kind {
                return told;
            }
        }
    }
}

async fn an_account_tells_everything_in_its_own_order(world: World) {
    let mut tail = world.harness.platform.bus.tail("account").await.unwrap();
    let anna = world.funded(100).await;
    let told = until(&mut tail, &anna.id, "balance.updated.v1").await;
    let kinds: Vec<_> = told
        .iter()
        .map(|e| (e.sequence, e.kind.to_string()))
        .collect();
    assert_eq!(
        kinds,
        [
            (1, "account.created.v1".to_owned()),
            (2, "balance.updated.v1".to_owned())
        ]
    );
    assert_eq!(told[0].tenant, Some(world.harness.tenant));
    assert_eq!(told[0].correlation_id, "test");
    let created = pb::AccountCreated::decode(&*told[0].payload).unwrap();
    assert_eq!(
        (created.owner.clone(), created.purpose()),
        (anna.owner.clone(), Purpose::CustomerBalance)
    );
    let updated = pb::BalanceUpdated::decode(&*told[1].payload).unwrap();
    assert_eq!(sums(&updated.balance.unwrap()), [0, 0, 0, 100]);
    assert_eq!(updated.batch_height, world.head().await.height);
    let request = pb::SuspendAccountRequest {
        account_id: anna.id.clone(),
        reason: "odd".to_owned(),
    };
    world
        .staff(|mut c| async move { c.suspend_account(request).await })
        .await
        .unwrap();
    let suspended = next(&mut tail).await;
    assert_eq!(
        (suspended.sequence, suspended.kind.as_ref()),
        (3, "account.suspended.v1")
    );
    let forced = pb::Transfer {
        code: Code::Chargeback.into(),
        ..single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::Clearing),
            130,
        )
    };
    assert_eq!(world.one(forced.clone()).await.code(), R::Applied);
    let told = until(&mut tail, &anna.id, "balance.updated.v1").await;
    let kinds: Vec<_> = told
        .iter()
        .map(|e| (e.sequence, e.kind.to_string()))
        .collect();
    assert_eq!(
        kinds,
        [
            (4, "account.overdrawn.v1".to_owned()),
            (5, "balance.updated.v1".to_owned())
        ]
    );
    let overdrawn = pb::AccountOverdrawn::decode(&*told[0].payload).unwrap();
    assert_eq!(
        (overdrawn.overdrawn.unwrap().minor, overdrawn.transfer_id),
        (30, forced.id)
    );
}

async fn a_hold_that_ends_by_itself_is_told_of(world: World) {
    let anna = world.funded(100).await;
    let expires_at_us = world.now().as_micros() + 1_000_000;
    let transfer = single(world.xfer(), by_id(&anna.id), system(Purpose::Clearing), 9);
    let hold = pb::Transfer {
        expires_at_us,
        ..pending(transfer)
    };
    world.one(hold.clone()).await;
    let mut tail = world.harness.platform.bus.tail("account").await.unwrap();
    world.advance(2);
    let told = until(&mut tail, &anna.id, "hold.expired.v1").await;
    let expired = pb::HoldExpired::decode(&*told.last().unwrap().payload).unwrap();
    assert_eq!(
        (expired.transfer_id, expired.amount.unwrap().minor),
        (hold.id, 9)
    );
}

/// Publishes a fact of the user component, as its outbox would.
async fn tell_user_deleted(world: &World, user_id: &str) {
    let id: paymesh_kernel::id::UserId = user_id.parse().unwrap();
    let message = UserDeleted {
        user_id: user_id.to_owned(),
        state: UserState::Restricted.into(),
        ..Default::default()
    };
    let now = world.now();
    let event = Event {
        id: world.new_id(),
        tenant: Some(world.harness.tenant),
        stream: "user".into(),
        kind: UserDeleted::TYPE.into(),
        aggregate_type: "user".into(),
        aggregate_id: id.as_uuid(),
        sequence: 1,
        causation_id: "test".to_owned(),
        correlation_id: "test".to_owned(),
        occurred_at: now,
        business_at: now,
        traceparent: None,
        payload: message.encode_to_vec(),
    };
    let test = paymesh_testkit::TestDatabase::sqlite().await;
    let database = test.database.clone();
    for migration in paymesh_bus::migrations() {
        let manager = sea_orm_migration::SchemaManager::new(database.writer());
        migration.up(&manager).await.unwrap();
    }
    let tasks = &world.harness.platform.tasks;
    let writer = paymesh_kernel::Writer::start("user", Default::default(), database.clone(), tasks);
    world
        .harness
        .platform
        .bus
        .start_relay("user", &database, &writer)
        .unwrap();
    let mut changes = ChangeSet::new();
    paymesh_bus::publish(&mut changes, event);
    writer.commit(changes).await.unwrap();
    // The file must outlive the relay, which reads it until the platform ends.
    std::mem::forget(test);
}

async fn the_empty_accounts_of_a_user_who_leaves_are_closed_and_the_others_suspended(world: World) {
    let user = world.user();
    let empty = world
        .open(user.clone(), Purpose::CustomerBalance, "EUR")
        .await;
    let holding = world
        .open(user.clone(), Purpose::CustomerBalance, "USD")
        .await;
    let other = world.funded(0).await;
    world
        .one(single(
            world.xfer(),
            system(Purpose::BankCash),
            by_id(&holding.id),
            5,
        ))
        .await;
    tell_user_deleted(&world, &user.id).await;
    world
        .harness
        .eventually("both accounts are retired", || async {
            world.account(&empty.id).await.state() == pb::AccountState::Closed
                && world.account(&holding.id).await.state() == pb::AccountState::Suspended
        })
        .await;
    assert_eq!(
        world.account(&holding.id).await.state_reason,
        "owner_deleted"
    );
    assert_eq!(
        world.account(&other.id).await.state(),
        pb::AccountState::Active
    );
}

on_both_engines!(
    an_account_tells_everything_in_its_own_order,
    a_hold_that_ends_by_itself_is_told_of,
    the_empty_accounts_of_a_user_who_leaves_are_closed_and_the_others_suspended,
);
