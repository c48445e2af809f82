//! Balances as of a moment, and statements, by booking and by value date.

use paymesh_proto::{
    account::v1::{self as pb, BalanceBasis},
    types::v1::{Page, TimeRange},
};

use crate::{
    on_both_engines,
    world::{Kind, Purpose, R, World, by_id, ending, pending, single, sums, system},
};

/// An account with a history: when what was booked, in microseconds, and the heights.
struct History {
    account: String,
    booked_at: Vec<i64>,
}

/// Credits of 1, 2, 4, … at different times; the third is backdated before all others, the fourth is postdated by ten.
async fn history(world: &World) -> History {
    let account = world
        .open(world.user(), Purpose::CustomerBalance, "USD")
        .await
        .id;
    let mut booked_at = Vec::new();
    for n in 0..6_u32 {
        world.advance(100);
        let now = world.now().as_micros();
        let effective_at_us = match n {
            2 => now - 250_000_000,
            3 => now + 1_000_000_000,
            _ => 0,
        };
        let credit = single(
            world.xfer(),
            system(Purpose::BankCash),
            by_id(&account),
            1 << n,
        );
        let result = world
            .one(pb::Transfer {
                effective_at_us,
                ..credit
            })
            .await;
        assert_eq!(result.code(), R::Applied);
        booked_at.push(result.booked_at_us);
    }
    History { account, booked_at }
}

async fn posted(world: &World, account: &str, basis: BalanceBasis, at_us: i64) -> i64 {
    let request = pb::BalanceAsOfRequest {
        account: by_id(account),
        basis: basis.into(),
        at_us,
        at_height: 0,
    };
    world
        .as_of(request)
        .await
        .balance
        .unwrap()
        .credits_posted_minor
}

async fn a_balance_as_of_a_moment_counts_what_lies_before_it(world: World) {
    let History { account, booked_at } = history(&world).await;
    for (at, booked, effective) in [
        (booked_at[0], 0, 4),
        (booked_at[0] + 1, 1, 5),
        (booked_at[2], 3, 7),
        (booked_at[2] + 1, 7, 7),
        (booked_at[3] + 1, 15, 7),
        (booked_at[5] + 1, 63, 55),
        (booked_at[5] + 2_000_000_000, 63, 63),
        (0, 63, 55),
    ] {
        assert_eq!(
            posted(&world, &account, BalanceBasis::Booked, at).await,
            booked,
            "{at}"
        );
        assert_eq!(
            posted(&world, &account, BalanceBasis::Effective, at).await,
            effective,
            "{at}"
        );
    }
    let at = |at_height| pb::BalanceAsOfRequest {
        account: by_id(&account),
        at_height,
        ..Default::default()
    };
    for height in 1..=6 {
        let found = world.as_of(at(height)).await;
        assert_eq!(
            found.balance.unwrap().credits_posted_minor,
            (1 << height) - 1
        );
        assert_eq!(found.batch_height, height);
    }
    let request = at(7);
    let error = world
        .staff(|mut c| async move { c.balance_as_of(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "BATCH_NOT_FOUND");
}

async fn reservations_count_from_their_booking_until_their_end(world: World) {
    let anna = world.funded(100).await;
    let hold = pending(single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::Clearing),
        40,
    ));
    world.advance(10);
    let held_at = world.one(hold.clone()).await.booked_at_us;
    world.advance(10);
    let posted_at = world
        .one(ending(world.xfer(), Kind::Post, &hold.id))
        .await
        .booked_at_us;
    for basis in [BalanceBasis::Booked, BalanceBasis::Effective] {
        for (at_us, wanted) in [
            (held_at, [0, 0, 0, 100]),
            (held_at + 1, [40, 0, 0, 100]),
            (posted_at, [40, 0, 0, 100]),
            (posted_at + 1, [0, 40, 0, 100]),
        ] {
            let request = pb::BalanceAsOfRequest {
                account: by_id(&anna.id),
                basis: basis.into(),
                at_us,
                at_height: 0,
            };
            assert_eq!(sums(&world.as_of(request).await.balance.unwrap()), wanted);
        }
    }
}

async fn pages(
    world: &World,
    request: pb::StatementRequest,
    size: i32,
) -> (Vec<pb::Entry>, pb::StatementResponse) {
    let (mut token, mut entries) = (String::new(), Vec::new());
    loop {
        let request = pb::StatementRequest {
            page: Some(Page { size, token }),
            ..request.clone()
        };
        let page = world
            .staff(|mut c| async move { c.statement(request).await })
            .await
            .unwrap();
        entries.extend(page.entries.clone());
        token = page.page_info.clone().unwrap().next_token;
        if token.is_empty() {
            return (entries, page);
        }
    }
}

/// Opening and entries come to the closing, whatever the pages are.
fn assert_adds_up(entries: &[pb::Entry], statement: &pb::StatementResponse) {
    let mut running = statement.opening.as_ref().unwrap().credits_posted_minor;
    for entry in entries {
        running += entry.amount.as_ref().unwrap().minor;
        assert_eq!(
            entry.balance_after.as_ref().unwrap().credits_posted_minor,
            running
        );
    }
    assert_eq!(
        statement.closing.as_ref().unwrap().credits_posted_minor,
        running
    );
}

fn amounts(entries: &[pb::Entry]) -> Vec<i64> {
    entries
        .iter()
        .map(|e| e.amount.as_ref().unwrap().minor)
        .collect()
}

async fn a_statement_by_booking_adds_up_on_every_page_size(world: World) {
    let History { account, booked_at } = history(&world).await;
    let all = pb::StatementRequest {
        account: by_id(&account),
        basis: BalanceBasis::Booked.into(),
        ..Default::default()
    };
    let range = Some(TimeRange {
        from_at_us: booked_at[1],
        until_at_us: booked_at[4],
    });
    for size in [1, 2, 4, 50] {
        let (entries, statement) = pages(&world, all.clone(), size).await;
        assert_eq!(amounts(&entries), [1, 2, 4, 8, 16, 32]);
        assert_eq!(
            entries.iter().map(|e| e.sequence).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 6]
        );
        assert_adds_up(&entries, &statement);
        let (entries, statement) = pages(
            &world,
            pb::StatementRequest {
                range,
                ..all.clone()
            },
            size,
        )
        .await;
        assert_eq!(amounts(&entries), [2, 4, 8]);
        assert_adds_up(&entries, &statement);
        let cut = pb::StatementRequest {
            after_height: 2,
            until_height: 5,
            ..all.clone()
        };
        let (entries, statement) = pages(&world, cut, size).await;
        assert_eq!(amounts(&entries), [4, 8, 16]);
        assert_adds_up(&entries, &statement);
    }
}

async fn a_statement_by_value_date_adds_up_on_every_page_size(world: World) {
    let History { account, booked_at } = history(&world).await;
    let basis = BalanceBasis::Effective.into();
    let all = pb::StatementRequest {
        account: by_id(&account),
        basis,
        ..Default::default()
    };
    let until_now = Some(TimeRange {
        from_at_us: booked_at[0],
        until_at_us: booked_at[5] + 1,
    });
    for size in [1, 2, 3, 50] {
        let (entries, statement) = pages(&world, all.clone(), size).await;
        assert_eq!(amounts(&entries), [4, 1, 2, 16, 32, 8]);
        assert_adds_up(&entries, &statement);
        let (entries, statement) = pages(
            &world,
            pb::StatementRequest {
                range: until_now,
                ..all.clone()
            },
            size,
        )
        .await;
        assert_eq!(amounts(&entries), [1, 2, 16, 32]);
        assert_adds_up(&entries, &statement);
        let cut = pb::StatementRequest {
            after_height: 1,
            until_height: 4,
            ..all.clone()
        };
        let (entries, statement) = pages(&world, cut, size).await;
        assert_eq!(amounts(&entries), [4, 2, 8]);
        assert_adds_up(&entries, &statement);
    }
    let (_, booked) = pages(
        &world,
        pb::StatementRequest {
            basis: BalanceBasis::Booked.into(),
            ..all.clone()
        },
        50,
    )
    .await;
    let request = pb::StatementRequest {
        page: Some(Page {
            size: 1,
            token: String::new(),
        }),
        basis: BalanceBasis::Booked.into(),
        ..all.clone()
    };
    let page = world
        .staff(|mut c| async move { c.statement(request).await })
        .await
        .unwrap();
    let token = page.page_info.unwrap().next_token;
    let request = pb::StatementRequest {
        page: Some(Page { size: 1, token }),
        ..all
    };
    let error = world
        .staff(|mut c| async move { c.statement(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "REQUEST_INVALID");
    assert_eq!(booked.closing.unwrap().credits_posted_minor, 63);
}

on_both_engines!(
    a_balance_as_of_a_moment_counts_what_lies_before_it,
    reservations_count_from_their_booking_until_their_end,
    a_statement_by_booking_adds_up_on_every_page_size,
    a_statement_by_value_date_adds_up_on_every_page_size,
);
