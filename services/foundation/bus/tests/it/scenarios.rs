//! What holds on every broker and every engine.

use std::time::Duration;

use paymesh_bus::{Selection, Subscription, Tailed};
use paymesh_kernel::{ChangeSet, CommitError, Tasks};

use crate::{
    tally::{Prank, Tally},
    world::{Engine, Ground, LEDGER, SHOP, World, eventually, ledger_queue, limits},
};

/// A process in which nobody consumes yet.
async fn world(engine: Engine) -> Option<(Ground, World)> {
    let ground = Ground::new(engine).await?;
    let world = ground.start().await;
    Some((ground, world))
}

async fn b4_b5_every_fact_has_its_effect_once_and_in_order(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    world.consume();
    let tills: Vec<_> = (0..20).map(|_| world.aggregate()).collect();
    let publishing = tills.iter().map(async |&till| {
        for sequence in 1..=15 {
            world.publish(world.event(till, sequence, 2)).await;
        }
    });
    futures::future::join_all(publishing).await;
    world.until_nothing_is_pending().await;
    let in_order = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15";
    let tallies = world.tallies().await;
    assert_eq!(tallies.len(), 20);
    for tally in tallies {
        assert_eq!((tally.total, tally.applied.as_str()), (30, in_order));
    }
}

async fn b1_a_fact_of_a_refused_change_set_is_not_published(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    world.consume();
    let till = world.aggregate();
    let refused = world.event(till, 1, 100);
    let mut changes = ChangeSet::new();
    paymesh_bus::publish(&mut changes, refused);
    // A change to a row that does not exist.
    changes.update(&crate::tally::Model {
        id: till,
        total: 0,
        applied: String::new(),
        version: 7,
    });
    crate::tally::create_table(&world.shop.database).await;
    let result = world.shop.writer.commit(changes).await;
    assert_eq!(result, Err(CommitError::Stale));
    world.publish(world.event(till, 1, 1)).await;
    world.until_applied(till, "1").await;
    assert_eq!(world.tallies().await[0].total, 1);
}

async fn b4_an_event_that_comes_again_has_no_second_effect(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    world.consume();
    let till = world.aggregate();
    let first = world.event(till, 1, 5);
    let second = world.event(till, 2, 5);
    for event in [&first, &second, &first, &second, &first] {
        world.publish(event.clone()).await;
    }
    world.publish(world.event(till, 3, 5)).await;
    world.until_applied(till, "1 2 3").await;
    world.until_nothing_is_pending().await;
    assert_eq!(world.tallies().await[0].total, 15);
}

async fn b5_an_early_event_waits_for_those_before_it(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    world.consume();
    let till = world.aggregate();
    for sequence in [3, 2, 5, 4] {
        world.publish(world.event(till, sequence, 1)).await;
    }
    let pending = world.until_pending(|p| p.queues[0].1.inbox.gaps == 4).await;
    let gap_at = pending.queues[0].1.inbox.oldest_gap_at;
    assert!(gap_at.is_some());
    assert_eq!(world.applied(till).await, "");
    world.publish(world.event(till, 1, 1)).await;
    world.until_applied(till, "1 2 3 4 5").await;
    world.until_nothing_is_pending().await;
}

async fn b6_a_rejected_event_is_dead_and_holds_up_its_aggregate_alone(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    let (till, other) = (world.aggregate(), world.aggregate());
    let poison = world.event(till, 2, 1);
    let tally = world.consume();
    tally.play(&poison, &[Prank::Reject]);
    world.publish(world.event(till, 1, 1)).await;
    world.publish(poison.clone()).await;
    world.publish(world.event(till, 3, 1)).await;
    world.publish(world.event(other, 1, 1)).await;
    world.until_applied(other, "1").await;
    world
        .until_pending(|p| (p.queues[0].1.inbox.dead, p.queues[0].1.inbox.gaps) == (1, 1))
        .await;
    assert_eq!(world.applied(till).await, "1");
    let letters = world.bus.dead_letters(&ledger_queue(), 10).await.unwrap();
    let letter = letters.first().unwrap();
    assert_eq!(letter.event.as_ref().unwrap().id, poison.id);
    assert_eq!(letter.reason, "never");
    let nothing = Selection::Event(world.ids.next());
    let replay = async |selection| world.bus.replay(&ledger_queue(), selection).await.unwrap();
    assert_eq!(replay(nothing).await, 0);
    assert_eq!(replay(Selection::Event(poison.id)).await, 1);
    world.until_applied(till, "1 2 3").await;
    world.until_nothing_is_pending().await;
}

async fn b6_a_purged_event_is_passed_over(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    let till = world.aggregate();
    let poison = world.event(till, 1, 1);
    world
        .consume()
        .play(&poison, &[Prank::Reject, Prank::Reject]);
    world.publish(poison).await;
    world.publish(world.event(till, 2, 1)).await;
    world.until_pending(|p| p.queues[0].1.inbox.dead == 1).await;
    let purged = world.bus.purge(&ledger_queue(), Selection::All).await;
    assert_eq!(purged.unwrap(), 1);
    world.until_applied(till, "2").await;
    world.until_nothing_is_pending().await;
}

async fn b5_a_failing_event_waits_in_a_row_until_its_time_comes(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    let (till, other) = (world.aggregate(), world.aggregate());
    let (shaky, next) = (world.event(till, 1, 1), world.event(till, 2, 1));
    let tally = world.consume();
    tally.play(&shaky, &[Prank::Retry, Prank::Panic]);
    world.publish(shaky).await;
    world.publish(next).await;
    world.publish(world.event(other, 1, 1)).await;
    world.until_applied(other, "1").await;
    let waits = |p: &paymesh_bus::Pending| {
        (p.queues[0].1.inbox.retries, p.queues[0].1.inbox.gaps) == (1, 1)
            && p.queues[0].1.broker.waiting == 0
    };
    world.until_pending(waits).await;
    assert_eq!(world.applied(till).await, "");
    // The first wait is at most 10 s, the second at most 20 s.
    world.clock.advance(Duration::from_secs(10));
    eventually(async || tally.pranks.lock().unwrap().values().all(Vec::is_empty)).await;
    world.until_pending(waits).await;
    world.clock.advance(Duration::from_secs(20));
    world.until_applied(till, "1 2").await;
    world.until_nothing_is_pending().await;
}

async fn b6_an_event_that_fails_too_often_is_dead(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    let till = world.aggregate();
    let shaky = world.event(till, 1, 1);
    let tally = world.consume();
    tally.play(&shaky, &[Prank::Retry, Prank::Retry, Prank::Retry]);
    world.publish(shaky.clone()).await;
    for left in [2, 1] {
        let pranks_left = async || tally.pranks.lock().unwrap()[&shaky.id].len() == left;
        eventually(pranks_left).await;
        world
            .until_pending(|p| p.queues[0].1.inbox.retries == 1)
            .await;
        world.clock.advance(Duration::from_secs(60));
    }
    world.until_pending(|p| p.queues[0].1.inbox.dead == 1).await;
    let replayed = world.bus.replay(&ledger_queue(), Selection::All).await;
    assert_eq!(replayed.unwrap(), 1);
    world.until_applied(till, "1").await;
}

async fn effects_that_meet_in_one_row_share_a_lane(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    let row = world.aggregate();
    world.consume_by(|tally| Tally {
        shared: Some(row),
        ..tally
    });
    for _ in 0..100 {
        world.publish(world.event(world.aggregate(), 1, 3)).await;
    }
    world.until_nothing_is_pending().await;
    assert_eq!(world.tallies().await[0].total, 300);
}

async fn a_replay_is_applied_under_its_own_generation(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    world.consume();
    let till = world.aggregate();
    let events: Vec<_> = (1..=3).map(|n| world.event(till, n, 1)).collect();
    for event in &events {
        world.publish(event.clone()).await;
    }
    world.until_applied(till, "1 2 3").await;
    let again = Tally::new(world.ledger.database.clone());
    let subscription = Subscription::new(LEDGER, SHOP, again).with(limits());
    world.subscribe(subscription.of_generation(2));
    let events: Vec<_> = events.into_iter().map(Into::into).collect();
    let live = world.bus.replay_into(&ledger_queue(), &events).await;
    assert!(live.is_err(), "the live queue takes no replay");
    let queue = ledger_queue().of_generation(2);
    world.bus.replay_into(&queue, &events).await.unwrap();
    world.until_applied(till, "1 2 3 1 2 3").await;
}

async fn a_watcher_sees_events_as_they_happen(engine: Engine) {
    let Some((_ground, world)) = world(engine).await else {
        return;
    };
    let mut tail = world.bus.tail(SHOP).await.unwrap();
    let event = world.event(world.aggregate(), 1, 1);
    world.publish(event.clone()).await;
    match tail.next().await {
        Some(Tailed::Event(seen)) => assert_eq!(*seen, event),
        other => panic!("{other:?}"),
    }
}

/// A process that dies between any two steps; what it was is dropped with its runtime.
fn nothing_is_lost_or_doubled_when_the_process_dies(engine: Engine) {
    const LIVES: i64 = 6;
    const EVENTS: i64 = 40;
    let life = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let ground_life = life();
    let Some(ground) = ground_life.block_on(Ground::new(engine)) else {
        return;
    };
    let tills: Vec<_> = (0..4_u128).map(uuid::Uuid::from_u128).collect();
    for run in 0..LIVES {
        life().block_on(async {
            let world = ground.start().await;
            world.consume();
            for n in 1..=EVENTS {
                for &till in &tills {
                    world.publish(world.event(till, run * EVENTS + n, 1)).await;
                }
            }
            // Dies with more or less of it done.
            let done = usize::try_from(run).unwrap();
            eventually(async || world.tallies().await.len() >= done.min(tills.len())).await;
        });
    }
    life().block_on(async {
        let world = ground.start().await;
        world.consume();
        world.until_nothing_is_pending().await;
        let tallies = world.tallies().await;
        assert_eq!(tallies.len(), tills.len());
        let expected: Vec<String> = (1..=LIVES * EVENTS).map(|n| n.to_string()).collect();
        for tally in tallies {
            assert_eq!(tally.applied, expected.join(" "));
        }
    });
}

async fn what_no_queue_takes_is_a_failure(engine: Engine) {
    let Some(ground) = Ground::new(engine).await else {
        return;
    };
    let world = ground.start().await;
    let tasks = Tasks::new();
    let broker = ground.broker(&tasks).await;
    let event = std::sync::Arc::new(world.event(world.aggregate(), 1, 1));
    let target = paymesh_bus::broker::Target::Stream("nobody");
    let confirms = broker.publish(target, &[event]).await.unwrap();
    assert_eq!(confirms, [paymesh_bus::broker::Confirm::Unroutable]);
}

macro_rules! everywhere {
    (async: $($name:ident),* ; sync: $($plain:ident),* $(,)?) => {
        mod embedded_sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::Engine::Sqlite).await; })*
            $(#[test] fn $plain() { super::$plain(super::Engine::Sqlite); })*
        }
        mod embedded_postgres {
            $(#[tokio::test] async fn $name() { super::$name(super::Engine::Postgres).await; })*
            $(#[test] fn $plain() { super::$plain(super::Engine::Postgres); })*
        }
        mod rabbitmq_postgres {
            $(#[tokio::test] async fn $name() { super::$name(super::Engine::RabbitMq).await; })*
            $(#[test] fn $plain() { super::$plain(super::Engine::RabbitMq); })*
        }
    };
}

everywhere!(
    async:
    b4_b5_every_fact_has_its_effect_once_and_in_order,
    b1_a_fact_of_a_refused_change_set_is_not_published,
    b4_an_event_that_comes_again_has_no_second_effect,
    b5_an_early_event_waits_for_those_before_it,
    b6_a_rejected_event_is_dead_and_holds_up_its_aggregate_alone,
    b6_a_purged_event_is_passed_over,
    b5_a_failing_event_waits_in_a_row_until_its_time_comes,
    b6_an_event_that_fails_too_often_is_dead,
    effects_that_meet_in_one_row_share_a_lane,
    a_replay_is_applied_under_its_own_generation,
    a_watcher_sees_events_as_they_happen,
    what_no_queue_takes_is_a_failure;
    sync:
    nothing_is_lost_or_doubled_when_the_process_dies,
);
