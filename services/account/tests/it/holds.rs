//! Reservations: posted, voided, expired, buried.

use std::time::Duration;

use paymesh_proto::account::v1 as pb;

use crate::{
    on_both_engines,
    world::{Kind, Purpose, R, World, by_id, codes, ending, pending, single, system, usd},
};

async fn a_reservation_is_posted_for_less_and_ends_once(world: World) {
    let anna = world.funded(100).await;
    let hold = pending(single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::Clearing),
        80,
    ));
    world.one(hold.clone()).await;
    assert_eq!(world.sums(&anna.id).await, [80, 0, 0, 100]);
    assert_eq!(
        world.transfer(&hold.id).await.pending_state(),
        pb::PendingState::Pending
    );
    let too_much = pb::Transfer {
        amount: usd(81),
        ..ending(world.xfer(), Kind::Post, &hold.id)
    };
    assert_eq!(world.one(too_much).await.code(), R::PendingAmountExceeded);
    let part = pb::Transfer {
        amount: usd(30),
        ..ending(world.xfer(), Kind::Post, &hold.id)
    };
    assert_eq!(world.one(part.clone()).await.code(), R::Applied);
    assert_eq!(world.sums(&anna.id).await, [0, 30, 0, 100]);
    assert!(world.one(part).await.already_applied);
    assert_eq!(
        world
            .one(ending(world.xfer(), Kind::Post, &hold.id))
            .await
            .code(),
        R::PendingAlreadyPosted
    );
    assert_eq!(
        world
            .one(ending(world.xfer(), Kind::Void, &hold.id))
            .await
            .code(),
        R::PendingAlreadyPosted
    );
    assert_eq!(
        world.transfer(&hold.id).await.pending_state(),
        pb::PendingState::Posted
    );
}

async fn a_voided_reservation_is_free_again(world: World) {
    let anna = world.funded(100).await;
    let hold = pending(single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::Clearing),
        80,
    ));
    world.one(hold.clone()).await;
    let void = ending(world.xfer(), Kind::Void, &hold.id);
    assert_eq!(world.one(void.clone()).await.code(), R::Applied);
    assert_eq!(world.sums(&anna.id).await, [0, 0, 0, 100]);
    assert!(world.one(void).await.already_applied);
    assert_eq!(
        world.transfer(&hold.id).await.pending_state(),
        pb::PendingState::Voided
    );
}

async fn a_void_that_overtakes_its_transfer_has_it_refused_for_good(mut world: World) {
    let anna = world.funded(100).await;
    let late = pending(single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::Clearing),
        80,
    ));
    let void = ending(world.xfer(), Kind::Void, &late.id);
    let first = world.group(vec![void.clone()]).await;
    assert!(first.applied && codes(&first) == [R::Tombstoned]);
    world.restart().await;
    let again = world.one(void.clone()).await;
    assert!(again.code() == R::Tombstoned && again.already_applied);
    assert_eq!(world.one(late.clone()).await.code(), R::IdTombstoned);
    assert_eq!(
        world
            .one(ending(world.xfer(), Kind::Post, &late.id))
            .await
            .code(),
        R::PendingNotFound
    );
    let reused = pb::Transfer {
        id: void.id,
        ..late
    };
    assert_eq!(
        world.one(reused).await.differing_fields,
        ["kind", "pending_id"]
    );
    assert_eq!(world.sums(&anna.id).await, [0, 0, 0, 100]);
}

async fn what_is_over_expires_by_itself_and_what_has_no_end_stays(world: World) {
    let anna = world.funded(100).await;
    let hold = |minor, seconds: i64| {
        let expires_at_us = if seconds > 0 {
            world.now().as_micros() + seconds * 1_000_000
        } else {
            0
        };
        let transfer = single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::Clearing),
            minor,
        );
        pb::Transfer {
            expires_at_us,
            ..pending(transfer)
        }
    };
    let (short, long, endless) = (hold(1, 60), hold(2, 3_600), hold(4, 0));
    for transfer in [&short, &long, &endless] {
        assert_eq!(world.one(transfer.clone()).await.code(), R::Applied);
    }
    let past = pb::Transfer {
        expires_at_us: world.now().as_micros() - 1,
        ..hold(1, 0)
    };
    assert_eq!(world.one(past).await.code(), R::ExpiryInvalid);
    assert_eq!(world.sums(&anna.id).await, [7, 0, 0, 100]);
    world.advance(60);
    world
        .harness
        .eventually("the short hold ends", || async {
            world.sums(&anna.id).await == [6, 0, 0, 100]
        })
        .await;
    assert_eq!(
        world
            .one(ending(world.xfer(), Kind::Post, &short.id))
            .await
            .code(),
        R::PendingExpired
    );
    assert_eq!(
        world.transfer(&short.id).await.pending_state(),
        pb::PendingState::Expired
    );
    world
        .harness
        .clock
        .advance(Duration::from_secs(400 * 86_400));
    world
        .harness
        .eventually("the long hold ends", || async {
            world.sums(&anna.id).await == [4, 0, 0, 100]
        })
        .await;
    assert_eq!(
        world
            .one(ending(world.xfer(), Kind::Post, &endless.id))
            .await
            .code(),
        R::Applied
    );
}

async fn what_was_over_while_the_process_was_down_ends_when_it_is_back(mut world: World) {
    let anna = world.funded(100).await;
    let expires_at_us = world.now().as_micros() + 1_000_000;
    let transfer = single(world.xfer(), by_id(&anna.id), system(Purpose::Clearing), 9);
    let hold = pb::Transfer {
        expires_at_us,
        ..pending(transfer)
    };
    world.one(hold).await;
    world
        .harness
        .platform
        .tasks
        .stop(Duration::from_secs(5))
        .await;
    world.advance(2);
    world.restart().await;
    world
        .harness
        .eventually("the hold ends", || async {
            world.sums(&anna.id).await == [0, 0, 0, 100]
        })
        .await;
}

on_both_engines!(
    a_reservation_is_posted_for_less_and_ends_once,
    a_voided_reservation_is_free_again,
    a_void_that_overtakes_its_transfer_has_it_refused_for_good,
    what_is_over_expires_by_itself_and_what_has_no_end_stays,
    what_was_over_while_the_process_was_down_ends_when_it_is_back,
);
