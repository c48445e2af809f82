//! The relay against a broker with moods, and against a second relay.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use paymesh_bus::{Bus, BusContext, broker::Broker as _, embedded::EmbeddedBroker, outbox};
use paymesh_kernel::{Tasks, database::bulk};
use paymesh_testkit::FakeClock;
use sea_orm::ConnectionTrait as _;

use crate::{
    picky::PickyBroker,
    world::{Engine, Ground, SHOP, World, eventually, topology},
};

async fn picky_world(ground: &Ground) -> (PickyBroker, World) {
    let tasks = Tasks::new();
    let broker = picky(ground, &tasks).await;
    let bus = Bus::over(Arc::new(broker.clone()), ground.context(&tasks));
    (broker, ground.start_over(bus, tasks).await)
}

async fn picky(ground: &Ground, tasks: &Tasks) -> PickyBroker {
    let clock = Arc::new(ground.clock.clone());
    let file = ground.broker_file();
    let broker = EmbeddedBroker::open(&file, clock, tasks);
    let broker = PickyBroker::new(broker.await.unwrap());
    broker.declare(&topology()).await.unwrap();
    broker
}

async fn b2_a_refused_event_holds_up_its_aggregate_alone(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let (broker, world) = picky_world(&ground).await;
    world.consume();
    let (till, other) = (world.aggregate(), world.aggregate());
    let first = world.event(till, 1, 1);
    broker.refused.lock().unwrap().insert(first.id);
    world.publish(first.clone()).await;
    world.until_pending(|p| p.outboxes[0].1.blocked == 1).await;
    world.publish(world.event(till, 2, 1)).await;
    world.publish(world.event(other, 1, 1)).await;
    world.until_applied(other, "1").await;
    // What was sent is removed after it was confirmed, and may be applied before.
    world.until_pending(|p| p.outboxes[0].1.unsent == 2).await;
    let blocked = world.bus.blocked(SHOP, 10).await.unwrap();
    assert_eq!(blocked[0].event_id, first.id);
    assert_eq!(
        (blocked[0].failures, blocked[0].reason.as_str()),
        (1, "not this one")
    );
    // It is tried again by itself, and held up longer.
    world.clock.advance(Duration::from_secs(1));
    eventually(async || world.bus.blocked(SHOP, 10).await.unwrap()[0].failures == 2).await;
    let again = world.bus.blocked(SHOP, 10).await.unwrap();
    assert_eq!(again[0].blocked_at, blocked[0].blocked_at);
    broker.refused.lock().unwrap().clear();
    assert!(world.bus.retry_publish(SHOP, first.id).await.unwrap());
    world.until_applied(till, "1 2").await;
    world.until_nothing_is_pending().await;
}

async fn b2_a_skipped_event_keeps_its_place_and_has_no_effect(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let (broker, world) = picky_world(&ground).await;
    world.consume();
    let till = world.aggregate();
    let poison = world.event(till, 2, 1);
    broker.refused.lock().unwrap().insert(poison.id);
    world.publish(world.event(till, 1, 1)).await;
    world.publish(poison.clone()).await;
    world.publish(world.event(till, 3, 1)).await;
    world.until_pending(|p| p.outboxes[0].1.blocked == 1).await;
    let unknown = world.ids.next();
    assert!(!world.bus.skip_publish(SHOP, unknown).await.unwrap());
    assert!(world.bus.skip_publish(SHOP, poison.id).await.unwrap());
    broker.refused.lock().unwrap().clear();
    world.bus.retry_publish(SHOP, poison.id).await.unwrap();
    world.until_applied(till, "1 3").await;
    world.until_nothing_is_pending().await;
}

async fn b3_what_was_not_confirmed_is_published_again(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let (broker, world) = picky_world(&ground).await;
    world.consume();
    broker.lost_confirms.store(2, Ordering::SeqCst);
    let till = world.aggregate();
    for sequence in 1..=10 {
        world.publish(world.event(till, sequence, 1)).await;
    }
    world.until_applied(till, "1 2 3 4 5 6 7 8 9 10").await;
    world.until_nothing_is_pending().await;
    assert!(broker.batches.load(Ordering::SeqCst) >= 3);
}

async fn b3_facts_wait_in_the_outbox_while_the_broker_is_away(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let (broker, world) = picky_world(&ground).await;
    world.consume();
    broker.is_away.store(true, Ordering::SeqCst);
    let till = world.aggregate();
    for sequence in 1..=700 {
        world.publish(world.event(till, sequence, 1)).await;
    }
    eventually(async || broker.batches.load(Ordering::SeqCst) >= 3).await;
    let pending = world.bus.pending().await.unwrap();
    assert_eq!(pending.outboxes[0].1.unsent, 700);
    assert!(pending.outboxes[0].1.oldest_at.is_some());
    broker.is_away.store(false, Ordering::SeqCst);
    world.until_nothing_is_pending().await;
    assert_eq!(world.tallies().await[0].total, 700);
}

async fn b1_a_row_with_a_lower_position_may_be_committed_later(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let world = ground.start().await;
    world.consume();
    let (early, late) = (world.aggregate(), world.aggregate());
    let tx = world.shop.database.begin().await.unwrap();
    let row = outbox::row(world.event(early, 1, 1));
    bulk::insert_in_tx(&tx, &[row]).await.unwrap();
    world.publish(world.event(late, 1, 1)).await;
    world.until_applied(late, "1").await;
    tx.commit().await.unwrap();
    world.bus.wake_relay(SHOP);
    world.until_applied(early, "1").await;
    world.until_nothing_is_pending().await;
}

async fn one_relay_publishes_and_another_takes_over_when_it_is_gone(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let world = ground.start().await;
    world.consume();
    let till = world.aggregate();
    world.publish(world.event(till, 1, 1)).await;
    world.until_applied(till, "1").await;
    let tasks = Tasks::new();
    // Its broker would lose what it is given: nobody reads there.
    let elsewhere = Ground::new(Engine::Sqlite).await.unwrap();
    let other = picky(&elsewhere, &tasks).await;
    let context = BusContext {
        instance: "second".to_owned(),
        ..ground.context(&tasks)
    };
    let bus = Bus::over(Arc::new(other.clone()), context);
    let second = ground.start_over(bus, tasks).await;
    for sequence in 2..=20 {
        second.publish(world.event(till, sequence, 1)).await;
        world.bus.wake_relay(SHOP);
    }
    eventually(async || world.applied(till).await.ends_with(" 20")).await;
    assert_eq!(other.batches.load(Ordering::SeqCst), 0);
    // The first one goes without a word: its leases have to run out.
    let statement = "UPDATE relay_leases SET holder = 'gone'";
    let leases = world.shop.database.writer();
    leases.execute_unprepared(statement).await.unwrap();
    world.tasks.stop(Duration::from_secs(10)).await;
    second.publish(second.event(till, 21, 1)).await;
    FakeClock::advance(&ground.clock, Duration::from_secs(16));
    eventually(async || other.batches.load(Ordering::SeqCst) > 0).await;
}

macro_rules! scenarios {
    (both: $($name:ident),* ; postgres: $($server:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::Engine::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name(super::Engine::Postgres).await; })*
            $(#[tokio::test] async fn $server() { super::$server(super::Engine::Postgres).await; })*
        }
    };
}

// A SQLite file belongs to one process and has one writer: what several do does not arise there.
scenarios!(
    both:
    b2_a_refused_event_holds_up_its_aggregate_alone,
    b2_a_skipped_event_keeps_its_place_and_has_no_effect,
    b3_what_was_not_confirmed_is_published_again,
    b3_facts_wait_in_the_outbox_while_the_broker_is_away;
    postgres:
    b1_a_row_with_a_lower_position_may_be_committed_later,
    one_relay_publishes_and_another_takes_over_when_it_is_gone,
);
