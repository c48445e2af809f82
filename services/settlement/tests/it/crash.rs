//! The process dies, answers are lost, components are away: money moves once.

use std::time::Duration;

use paymesh_kernel::Role;
use paymesh_proto::{account::v1::AccountPurpose as Purpose, settlement::v1::PayoutState as State};

use crate::world::{ARRIVAL, world, worlds};

/// Longer than any lease or wait of the component.
const LATER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn p2_a_process_that_dies_at_any_moment_pays_once() {
    for mut world in worlds().await {
        let shop = world.rich_shop();
        let staff = world.harness.person(Role::Finance);
        for (round, (lose, refuse)) in [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (3, 1)]
            .into_iter()
            .enumerate()
        {
            {
                let mut ledger = world.others.ledger.lock();
                (ledger.answers_to_lose, ledger.calls_to_refuse) = (lose, refuse);
            }
            let request = world.ask(&shop, &format!("k{round}"), 100);
            // Whatever is answered, and whenever the process ends.
            world.pay_out(&staff, request.clone()).await.ok();
            world.restart().await;
            world.advance(LATER);
            world.restart().await;
            {
                let mut ledger = world.others.ledger.lock();
                (ledger.answers_to_lose, ledger.calls_to_refuse) = (0, 0);
            }
            world.advance(LATER);
            let answer = world.pay_out(&staff, request).await.unwrap();
            let id = answer.payout.unwrap().id;
            world
                .eventually("it is sent", || async {
                    world.advance(ARRIVAL);
                    world.payout(&id).await.state() == State::Sent
                })
                .await;
        }
        world
            .eventually("everything is booked", || async {
                world.advance(ARRIVAL);
                let ledger = world.others.ledger.lock();
                ledger.reserved() == 0 && ledger.of(Purpose::PayoutInTransit, "EUR") == 600
            })
            .await;
        assert_eq!(world.payouts_at_bank().await, 6);
        let ledger = world.others.ledger.lock();
        ledger.assert_sound();
        assert_eq!(ledger.balance(&shop.available), 10_000 - 600);
    }
}

#[tokio::test]
async fn p5_a_bank_that_fails_once_or_is_away_gets_the_payout_later() {
    let mut world = world().await;
    let shop = world.rich_shop();
    let staff = world.harness.person(Role::Finance);
    world.banks_at(&shop, "ben_error_500_then_ok");
    let request = world.ask(&shop, "k", 100);
    let payout = world
        .pay_out(&staff, request)
        .await
        .unwrap()
        .payout
        .unwrap();
    world
        .eventually("it is sent", || async {
            world.advance(Duration::from_secs(1));
            world.payout(&payout.id).await.state() == State::Sent
        })
        .await;

    let url = std::mem::replace(
        &mut world.settings.bank.url,
        "http://127.0.0.1:1".to_owned(),
    );
    world.restart().await;
    let answer = world.pay_out(&staff, world.ask(&shop, "l", 100)).await;
    let id = answer.unwrap().payout.unwrap().id;
    world.advance(LATER);
    assert_eq!(world.payout(&id).await.state(), State::Reserved);
    world.settings.bank.url = url;
    world.restart().await;
    world
        .eventually("it is sent", || async {
            world.advance(ARRIVAL);
            world.payout(&id).await.state() == State::Sent
        })
        .await;
    assert_eq!(world.payouts_at_bank().await, 2);
}

#[tokio::test]
async fn i4_a_statement_whose_booking_is_interrupted_is_booked_once() {
    for mut world in worlds().await {
        let shop = world.rich_shop();
        let staff = world.harness.person(Role::Finance);
        let answer = world.pay_out(&staff, world.ask(&shop, "k", 100)).await;
        let id = answer.unwrap().payout.unwrap().id;
        world.until_payout_is(&id, State::Sent).await;
        world
            .eventually("it is booked", || async {
                world
                    .others
                    .ledger
                    .lock()
                    .of(Purpose::PayoutInTransit, "EUR")
                    == 100
            })
            .await;
        world.others.ledger.lock().answers_to_lose = 2;
        world.import_bank().await;
        world.restart().await;
        world
            .eventually("it is confirmed", || async {
                world.advance(LATER);
                world.payout(&id).await.state() == State::Confirmed
            })
            .await;
        let ledger = world.others.ledger.lock();
        ledger.assert_sound();
        assert_eq!(ledger.of(Purpose::BankCash, "EUR"), 100);
        assert_eq!(ledger.of(Purpose::PayoutInTransit, "EUR"), 0);
    }
}
