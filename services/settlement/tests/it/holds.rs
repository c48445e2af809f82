//! Payouts to a bank account that is a new one wait, and those to one that is not the merchant's do not go.

use std::time::Duration;

use paymesh_kernel::Role;
use paymesh_proto::{
    settlement::v1::{self as wire, PayoutState as State},
    transaction::v1::{TransactionKind, TransactionSnapshot, TransactionStatus as Status},
};

use crate::world::{Shop, World, world, worlds};

const HOUR: Duration = Duration::from_secs(3_600);

impl World {
    /// A payout of another merchant is sent: everything that was due before it has been looked at.
    async fn everybody_was_looked_at(&self, key: &str) {
        let other = self.rich_shop();
        let id = self.asks_for(&other, key).await.id;
        self.until_payout_is(&id, State::Sent).await;
    }

    async fn asks_for(&self, shop: &Shop, key: &str) -> wire::Payout {
        let staff = self.harness.person(Role::Finance);
        let answer = self.pay_out(&staff, self.ask(shop, key, 500)).await;
        answer.unwrap().payout.unwrap()
    }
}

#[tokio::test]
async fn v3_a_payout_to_a_new_bank_account_waits_is_listed_with_the_reason_and_is_not_lost() {
    for mut world in worlds().await {
        let shop = world.rich_shop();
        world.moves_to(&shop, "ben_new");
        let asked = world.asks_for(&shop, "k").await;
        assert_eq!(asked.destination_token, "ben_new");
        assert_eq!(asked.reason, "DESTINATION_COOLING_OFF", "V3");
        world.advance(47 * HOUR);
        world.restart().await;
        world.everybody_was_looked_at("l").await;
        let request = wire::ListPayoutsRequest {
            owner: crate::world::merchant(&shop),
            ..wire::ListPayoutsRequest::default()
        };
        let list = world.staff(|mut client| async move { client.list_payouts(request).await });
        let listed = list.await.unwrap().payouts.remove(0);
        assert_eq!(
            (listed.id.as_str(), listed.state()),
            (asked.id.as_str(), State::Reserved)
        );
        assert_eq!(listed.reason, "DESTINATION_COOLING_OFF", "V3");
        world
            .eventually("V3: the money is kept for it", || async {
                world.others.ledger.lock().reserved() == 500
            })
            .await;
        assert_eq!(world.payouts_at_bank().await, 1, "V3: the other one's");
        world.advance(HOUR);
        world.until_payout_is(&asked.id, State::Sent).await;
        assert_eq!(world.payout(&asked.id).await.reason, "");
        assert_eq!(world.payouts_at_bank().await, 2);
        // The bank account is not new any more.
        let next = world.asks_for(&shop, "m").await;
        world.until_payout_is(&next.id, State::Sent).await;
    }
}

#[tokio::test]
async fn v3_a_payout_that_waits_is_given_back_when_the_bank_account_is_changed_back() {
    for world in worlds().await {
        let shop = world.rich_shop();
        world.moves_to(&shop, "ben_thief");
        let asked = world.asks_for(&shop, "k").await;
        world.advance(HOUR);
        world.moves_to(&shop, "ben_acme");
        world.advance(47 * HOUR);
        world.until_payout_is(&asked.id, State::Failed).await;
        assert_eq!(world.payout(&asked.id).await.reason, "DESTINATION_CHANGED");
        assert_eq!(world.payouts_at_bank().await, 0, "V2");
        let again = world.asks_for(&shop, "l").await;
        assert_eq!(
            again.reason, "DESTINATION_COOLING_OFF",
            "V3: each change counts"
        );
        let ledger = world.others.ledger.lock();
        ledger.assert_sound();
        assert_eq!(
            (ledger.reserved(), ledger.balance(&shop.available)),
            (500, 10_000)
        );
    }
}

#[tokio::test]
async fn v3_business_time_and_the_setting_decide_how_long_it_is() {
    let mut world = world().await;
    let shop = world.rich_shop();
    world.moves_to(&shop, "ben_new");
    let ahead = |world: &World, by: Duration| wire::CreatePayoutRequest {
        business_at_us: world.now_us() + i64::try_from(by.as_micros()).unwrap(),
        ..world.ask(&shop, &format!("ahead by {by:?}").replace(' ', "_"), 100)
    };
    let staff = world.harness.person(Role::Finance);
    for (by, held) in [(47 * HOUR, "DESTINATION_COOLING_OFF"), (48 * HOUR, "")] {
        let answer = world.pay_out(&staff, ahead(&world, by)).await.unwrap();
        assert_eq!(answer.payout.unwrap().reason, held, "V3: {by:?}");
    }
    world.settings.destination_cooling_off_ms = 0;
    world.restart().await;
    let now = world.asks_for(&shop, "now").await;
    world.until_payout_is(&now.id, State::Sent).await;
}

#[tokio::test]
async fn v2_a_transaction_pays_a_merchant_to_its_own_bank_account_alone() {
    for (destination, state, told) in [
        ("ben_acme", State::Sent, Status::Completed),
        ("ben_thief", State::Failed, Status::Compensated),
    ] {
        for mut world in worlds().await {
            let shop = world.rich_shop();
            let snapshot = TransactionSnapshot {
                kind: TransactionKind::Payout.into(),
                merchant_id: shop.id.clone(),
                bank_destination_token: destination.to_owned(),
                ..TransactionSnapshot::default()
            };
            let transaction = world.goes_to_bank(snapshot).await;
            world
                .eventually("the transaction is told", || async {
                    !world.others.transactions.lock().told.is_empty()
                })
                .await;
            let payout = world.withdrawn(&transaction).await.unwrap();
            world.until_payout_is(&payout.id, state).await;
            let records = world.others.transactions.lock().told.clone();
            assert_eq!(records, [(told, payout.id)], "V2");
            let sent = u64::from(state == State::Sent);
            assert_eq!(world.payouts_at_bank().await, sent, "V2");
        }
    }
}
