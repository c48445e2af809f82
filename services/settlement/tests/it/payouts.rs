//! Payouts from asking to the bank's statement.

use paymesh_kernel::{Principal, Role, id::UserId};
use paymesh_mesh::CallError;
use paymesh_proto::{
    account::v1::AccountPurpose as Purpose,
    settlement::v1::{self as wire, PayoutState as State},
    types::v1::{Outcome, OwnerKind},
};

use crate::world::{ARRIVAL, Shop, World, merchant, money, page, reason, user, world, worlds};

impl World {
    pub(crate) fn ask(&self, shop: &Shop, key: &str, minor: i64) -> wire::CreatePayoutRequest {
        wire::CreatePayoutRequest {
            idempotency_key: key.to_owned(),
            owner: merchant(shop),
            amount: money(minor, "EUR"),
            currency: "EUR".to_owned(),
            ..wire::CreatePayoutRequest::default()
        }
    }

    pub(crate) async fn pay_out(
        &self,
        principal: &Principal,
        request: wire::CreatePayoutRequest,
    ) -> Result<wire::CreatePayoutResponse, CallError> {
        self.call(principal, |mut client| async move {
            client.create_payout(request).await
        })
        .await
    }

    /// A merchant with money that may be paid out.
    pub(crate) fn rich_shop(&self) -> Shop {
        let shop = self.shop("EUR", 0);
        self.fund(&shop.available, 10_000, "EUR");
        shop
    }

    pub(crate) async fn payouts_at_bank(&self) -> u64 {
        let status = self.at_bank("/v1/status", None).await;
        status["payouts"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn p1_a_payout_is_reserved_sent_booked_and_confirmed_by_the_statement() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let mut facts = world.facts().await;
        let owner = world.owner(&shop);
        let answer = world.pay_out(&owner, world.ask(&shop, "k", 8_859)).await;
        let payout = answer.unwrap().payout.unwrap();
        assert_eq!(payout.end_to_end_id, payout.id);
        assert_eq!(payout.destination_token, "ben_acme");
        world.until_payout_is(&payout.id, State::Sent).await;
        world
            .eventually("the reservation is booked", || async {
                let ledger = world.others.ledger.lock();
                ledger.reserved() == 0 && ledger.of(Purpose::PayoutInTransit, "EUR") == 8_859
            })
            .await;
        let imported = world.import_bank().await.statement.unwrap();
        world.until_payout_is(&payout.id, State::Confirmed).await;
        let ledger = world.others.ledger.lock().clone();
        ledger.assert_sound();
        assert_eq!(ledger.of(Purpose::PayoutInTransit, "EUR"), 0);
        assert_eq!(ledger.of(Purpose::BankCash, "EUR"), 8_859);
        assert_eq!(ledger.balance(&shop.available), 10_000 - 8_859);
        assert_eq!(world.lines(&imported.id).await.len(), 1);
        let uuid = paymesh_kernel::id::decode("po", &payout.id).unwrap();
        assert_eq!(
            facts.of(uuid, 3).await,
            ["payout.created.v1", "payout.sent.v1", "payout.confirmed.v1"]
        );
    }
}

#[tokio::test]
async fn p2_a_key_is_one_payout_and_too_little_money_is_no_payout() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let staff = world.harness.person(Role::Finance);
        let first = world
            .pay_out(&staff, world.ask(&shop, "k", 4_000))
            .await
            .unwrap();
        let again = world
            .pay_out(&staff, world.ask(&shop, "k", 4_000))
            .await
            .unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        assert_eq!(again.payout.unwrap().id, first.payout.unwrap().id);
        let other = world.pay_out(&staff, world.ask(&shop, "k", 4_001)).await;
        assert_eq!(reason(other), "IDEMPOTENCY_KEY_REUSED");
        for _ in 0..2 {
            let poor = world.pay_out(&staff, world.ask(&shop, "p", 6_001)).await;
            assert_eq!(reason(poor), "INSUFFICIENT_FUNDS");
        }
        let mut all = world.ask(&shop, "all", 1);
        all.amount = None;
        let rest = world.pay_out(&staff, all).await.unwrap().payout.unwrap();
        assert_eq!(rest.amount, money(6_000, "EUR"));
        let mut none = world.ask(&shop, "none", 1);
        none.amount = None;
        assert_eq!(
            reason(world.pay_out(&staff, none).await),
            "INSUFFICIENT_FUNDS"
        );
        world.until_payout_is(&rest.id, State::Sent).await;
        assert_eq!(world.payouts_at_bank().await, 2);
    }
}

#[tokio::test]
async fn p4_what_the_bank_refuses_is_released() {
    for (destination, why) in [("ben_rejected", "AC01"), ("nobody", "unknown_beneficiary")] {
        let world = world().await;
        let shop = world.rich_shop();
        let staff = world.harness.person(Role::Finance);
        world.banks_at(&shop, destination);
        let request = world.ask(&shop, "k", 5_000);
        let payout = world
            .pay_out(&staff, request)
            .await
            .unwrap()
            .payout
            .unwrap();
        world.until_payout_is(&payout.id, State::Failed).await;
        assert_eq!(world.payout(&payout.id).await.reason, why);
        let ledger = world.others.ledger.lock();
        assert_eq!(
            (ledger.reserved(), ledger.balance(&shop.available)),
            (0, 10_000)
        );
        ledger.assert_sound();
    }
}

#[tokio::test]
async fn p3_a_bank_that_is_silent_is_asked_and_never_sent_a_second_payout() {
    let world = world().await;
    let shop = world.rich_shop();
    let staff = world.harness.person(Role::Finance);
    world.banks_at(&shop, "ben_timeout_with_effect");
    let request = world.ask(&shop, "k", 5_000);
    let payout = world
        .pay_out(&staff, request)
        .await
        .unwrap()
        .payout
        .unwrap();
    world.until_payout_is(&payout.id, State::Unknown).await;
    assert_eq!(world.others.ledger.lock().reserved(), 5_000);
    world.advance(ARRIVAL);
    world.until_payout_is(&payout.id, State::Sent).await;
    assert_eq!(world.payouts_at_bank().await, 1);
}

#[tokio::test]
async fn p3_a_payout_that_did_not_arrive_is_sent_again_after_its_time() {
    let world = world().await;
    let shop = world.rich_shop();
    let staff = world.harness.person(Role::Finance);
    world.banks_at(&shop, "ben_timeout_no_effect");
    let request = world.ask(&shop, "k", 5_000);
    let payout = world
        .pay_out(&staff, request)
        .await
        .unwrap()
        .payout
        .unwrap();
    world.until_payout_is(&payout.id, State::Unknown).await;
    // It is still in the air: the bank does not know it, and nobody sends it again.
    world.advance(ARRIVAL / 2);
    assert_eq!(world.payout(&payout.id).await.state(), State::Unknown);
    assert_eq!(world.payouts_at_bank().await, 0);
    world.advance(ARRIVAL);
    world.until_payout_is(&payout.id, State::Reserved).await;
    assert_eq!(world.others.ledger.lock().reserved(), 5_000);
    world.until_payout_is(&payout.id, State::Unknown).await;
}

#[tokio::test]
async fn p4_what_the_bank_sends_back_makes_the_balance_whole_again() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let staff = world.harness.person(Role::Finance);
        let payout = world.pay_out(&staff, world.ask(&shop, "k", 5_000)).await;
        let id = payout.unwrap().payout.unwrap().id;
        world.until_payout_is(&id, State::Sent).await;
        let empty = serde_json::json!({});
        world
            .at_bank(&format!("/v1/payouts/{id}/return"), Some(empty))
            .await;
        world.import_bank().await;
        world.until_payout_is(&id, State::Returned).await;
        world
            .eventually("everything is booked", || async {
                world.others.ledger.lock().balance(&shop.available) == 10_000
            })
            .await;
        let ledger = world.others.ledger.lock();
        ledger.assert_sound();
        assert_eq!(ledger.of(Purpose::PayoutInTransit, "EUR"), 0);
        assert_eq!(ledger.of(Purpose::BankCash, "EUR"), 0);
    }
}

#[tokio::test]
async fn v1_a_merchant_sees_and_pays_its_own_alone() {
    let world = world().await;
    let (shop, other) = (world.rich_shop(), world.rich_shop());
    let owner = world.owner(&shop);
    let refused = world.pay_out(&owner, world.ask(&other, "k", 1)).await;
    assert_eq!(reason(refused), "OWNER_NOT_FOUND");
    let staff = world.harness.person(Role::Finance);
    let theirs = world.pay_out(&staff, world.ask(&other, "k", 1)).await;
    let payout_id = theirs.unwrap().payout.unwrap().id;
    let own = world.pay_out(&owner, world.ask(&shop, "k", 1)).await;
    let own = own.unwrap().payout.unwrap().id;
    let request = wire::GetPayoutRequest { payout_id };
    let hidden = world.call(&owner, |mut client| async move {
        client.get_payout(request).await
    });
    assert_eq!(reason(hidden.await), "PAYOUT_NOT_FOUND");
    let list = async |principal: &Principal| {
        let request = wire::ListPayoutsRequest {
            page: page(10),
            ..Default::default()
        };
        let answer = world.call(principal, |mut client| async move {
            client.list_payouts(request).await
        });
        let payouts = answer.await.unwrap().payouts;
        payouts.into_iter().map(|of| of.id).collect::<Vec<_>>()
    };
    assert_eq!(list(&owner).await, std::slice::from_ref(&own));
    assert_eq!(list(&staff).await.len(), 2);
    let customer = world.harness.person(Role::Customer);
    let refused = world.pay_out(&customer, world.ask(&shop, "c", 1)).await;
    assert_eq!(reason(refused), "PERMISSION_MISSING");
}

#[tokio::test]
async fn v2_money_goes_to_the_owners_own_bank_account_whoever_asks() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let staff = world.harness.person(Role::Finance);
        for principal in [&staff, &world.owner(&shop)] {
            let mut request = world.ask(&shop, "k", 700);
            request.destination_token = "ben_somebody".to_owned();
            let refused = world.pay_out(principal, request).await;
            assert_eq!(reason(refused), "DESTINATION_FOREIGN");
        }
        let id: UserId = world.harness.platform.ids.next();
        let balance = world.others.ledger.lock().open(
            (OwnerKind::User, &id.to_string()),
            Purpose::CustomerBalance,
            "EUR",
        );
        world.fund(&balance, 700, "EUR");
        let mut request = world.ask(&shop, "p", 700);
        request.owner = user(id);
        request.destination_token = "ben_person".to_owned();
        let refused = world.pay_out(&staff, request).await;
        assert_eq!(reason(refused), "PERSON_WITHDRAWS");
        assert_eq!(world.others.ledger.lock().reserved(), 0);
        let mut named = world.ask(&shop, "n", 700);
        named.destination_token = "ben_acme".to_owned();
        let payout = world.pay_out(&staff, named).await.unwrap().payout.unwrap();
        world.until_payout_is(&payout.id, State::Sent).await;
        world.banks_at(&shop, "");
        let nowhere = world.pay_out(&staff, world.ask(&shop, "w", 1)).await;
        assert_eq!(reason(nowhere), "DESTINATION_MISSING");
    }
}
