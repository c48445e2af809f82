//! Registration, and every place where it may be interrupted (Y1).

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Fault as _, Outcome as Certainty, id::MerchantId};
use paymesh_proto::{
    account::v1::AccountPurpose::{self, MerchantAvailable, MerchantPending, MerchantReserve},
    merchant::v1::{MerchantCreated, MerchantState, NegativeBalance},
    types::v1::Outcome,
    user::v1::TenantMode,
};
use prost::Message as _;

use crate::{
    fakes::Mood,
    world::{World, reason, worlds},
};

const PURPOSES: [AccountPurpose; 3] = [MerchantPending, MerchantAvailable, MerchantReserve];

/// Waits until the registration has ended, and checks that it ended well.
async fn ends_active(world: &World, id: MerchantId) {
    let admin = world.admin();
    world
        .harness
        .eventually("the merchant is active", || async {
            // Time passes until the wake-up is due.
            world.harness.clock.advance(Duration::from_secs(10));
            let merchant = world.get(&admin, &id.to_string()).await;
            merchant.is_ok_and(|merchant| merchant.state() == MerchantState::Active)
        })
        .await;
    let merchant = world.get(&admin, &id.to_string()).await.unwrap();
    world.others.books(|books| {
        assert_eq!(
            books.open.len(),
            3,
            "Y1: three accounts, however often they were asked for"
        );
        for (purpose, account) in [
            (MerchantPending, &merchant.pending_account_id),
            (MerchantAvailable, &merchant.available_account_id),
            (MerchantReserve, &merchant.reserve_account_id),
        ] {
            assert_eq!(books.open[account].purpose(), purpose);
            let ids = books
                .asked
                .iter()
                .filter(|asked| asked.purpose() == purpose);
            assert!(
                ids.clone().all(|asked| asked.account_id == *account),
                "{ids:?}"
            );
        }
    });
    let repeat = world.register(world.request(id)).await.unwrap();
    assert_eq!(
        (repeat.outcome(), repeat.merchant.unwrap()),
        (Outcome::AlreadyApplied, merchant)
    );
}

#[tokio::test]
async fn y1_a_registered_merchant_has_three_open_accounts_and_a_fact_says_so() {
    for world in worlds().await {
        let mut facts = world.facts().await;
        let id = world.new_id();
        let answer = world.register(world.request(id)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::Applied);
        let merchant = answer.merchant.unwrap();
        assert_eq!(
            (merchant.state(), merchant.settlement_currency.as_str()),
            (MerchantState::Active, "EUR")
        );
        let told = facts.about(&merchant.id, 1).await;
        assert_eq!((told[0].0.as_str(), told[0].1), ("merchant.created.v1", 1));
        let fact = MerchantCreated::decode(told[0].2.as_slice()).unwrap();
        assert_eq!((fact.plan, fact.country.as_str()), (merchant.plan, "DE"));
        ends_active(&world, id).await;
    }
}

#[tokio::test]
async fn the_default_plan_settles_at_once_in_sandboxes_and_after_two_days_in_live_tenants() {
    for (mode, delay) in [(TenantMode::Sandbox, 0), (TenantMode::Live, 2)] {
        let world = worlds().await.remove(0);
        world.others.books(|books| books.mode = mode);
        let plan = world.merchant().await.plan.unwrap();
        assert_eq!(
            (plan.fee_bp, plan.settlement_delay_days, plan.version),
            (290, delay, 1)
        );
        let fixed = plan.fee_fixed.clone().unwrap();
        assert_eq!((fixed.minor, fixed.currency.as_str()), (30, "EUR"));
        assert_eq!(
            (plan.negative_balance(), plan.reserve_bp),
            (NegativeBalance::Refused, 0)
        );
        world.merchant().await;
        assert_eq!(
            world.others.books(|books| books.mode_asked),
            1,
            "a mode never changes"
        );
    }
}

#[tokio::test]
async fn a_repeat_answers_the_same_merchant_and_another_body_is_refused() {
    for world in worlds().await {
        let id = world.new_id();
        let first = world.register(world.request(id)).await.unwrap();
        let again = world.register(world.request(id)).await.unwrap();
        assert_eq!(
            (again.outcome(), again.merchant),
            (Outcome::AlreadyApplied, first.merchant)
        );
        let mut other = world.request(id);
        other.name = "Another".to_owned();
        assert_eq!(
            reason(world.register(other).await),
            "IDEMPOTENCY_KEY_REUSED"
        );
        let stranger = paymesh_kernel::Principal {
            tenant: world.harness.platform.ids.next(),
            ..world.admin()
        };
        let request = world.request(id);
        let taken = world
            .call(&stranger, |mut client| async move {
                client.register(request).await
            })
            .await;
        assert_eq!(reason(taken), "MERCHANT_EXISTS");
    }
}

#[tokio::test]
async fn y1_before_the_first_commit_nothing_is_left_and_a_repeat_begins() {
    for mut world in worlds().await {
        let id = world.new_id();
        world
            .others
            .books(|books| books.mode = TenantMode::Unspecified);
        let error = world.register(world.request(id)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Unavailable, Certainty::NotProcessed)
        );
        world.others.books(|books| books.mode = TenantMode::Sandbox);
        assert!(
            world
                .harness
                .platform
                .tasks
                .stop(Duration::from_secs(5))
                .await
        );
        let error = world.register(world.request(id)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Unavailable, Certainty::NotProcessed)
        );
        assert!(world.others.books(|books| books.asked.is_empty()));
        world.restart().await;
        let answer = world.register(world.request(id)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::Applied);
    }
}

#[tokio::test]
async fn y1_interrupted_at_any_call_the_wake_up_finishes() {
    type Trouble = fn(AccountPurpose) -> Mood;
    let troubles: [Trouble; 2] = [Mood::Down, Mood::LosesAnswer];
    for trouble in troubles {
        for purpose in PURPOSES {
            for mut world in worlds().await {
                let id = world.new_id();
                world.others.books(|books| books.mood = trouble(purpose));
                let error = world.register(world.request(id)).await.unwrap_err();
                assert_eq!(
                    (error.reason_text(), error.outcome()),
                    ("ACCOUNTS_PENDING", Certainty::Unknown)
                );
                let shown = world.get(&world.admin(), &id.to_string()).await.unwrap();
                assert_eq!(
                    shown.state(),
                    MerchantState::Suspended,
                    "it takes no payments yet"
                );
                world.restart().await;
                world.others.books(|books| books.mood = Mood::Good);
                ends_active(&world, id).await;
            }
        }
    }
}

#[tokio::test]
async fn y1_when_the_process_dies_during_any_call_the_next_one_finishes() {
    for purpose in PURPOSES {
        for mut world in worlds().await {
            let id = world.new_id();
            world
                .others
                .books(|books| books.mood = Mood::Hangs(purpose));
            let asked = || {
                world
                    .others
                    .books(|books| books.asked.iter().any(|asked| asked.purpose() == purpose))
            };
            tokio::select! {
                answer = world.register(world.request(id)) => panic!("nobody answers: {answer:?}"),
                () = world.harness.eventually("the ledger is asked", || async { asked() }) => {}
            }
            world.restart().await;
            world.others.books(|books| books.mood = Mood::Good);
            ends_active(&world, id).await;
        }
    }
}

#[tokio::test]
async fn y1_a_repeat_of_the_request_finishes_too() {
    for world in worlds().await {
        let id = world.new_id();
        world
            .others
            .books(|books| books.mood = Mood::LosesAnswer(MerchantAvailable));
        assert_eq!(
            reason(world.register(world.request(id)).await),
            "ACCOUNTS_PENDING"
        );
        world.others.books(|books| books.mood = Mood::Good);
        let answer = world.register(world.request(id)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::AlreadyApplied);
        ends_active(&world, id).await;
    }
}

#[tokio::test]
async fn y1_when_one_account_is_refused_the_others_are_closed_and_there_is_no_merchant() {
    for purpose in PURPOSES {
        for world in worlds().await {
            let id = world.new_id();
            world
                .others
                .books(|books| books.mood = Mood::Refuses(purpose));
            assert_eq!(
                reason(world.register(world.request(id)).await),
                "ACCOUNTS_REFUSED"
            );
            assert_eq!(
                reason(world.register(world.request(id)).await),
                "ACCOUNTS_REFUSED"
            );
            assert_eq!(
                reason(world.get(&world.admin(), &id.to_string()).await),
                "MERCHANT_NOT_FOUND"
            );
            world
                .harness
                .eventually("what was opened is closed", || async {
                    world.harness.clock.advance(Duration::from_secs(10));
                    world.others.books(|books| books.open.is_empty())
                })
                .await;
        }
    }
}

#[tokio::test]
async fn every_field_that_breaks_a_rule_is_named() {
    let world = worlds().await.remove(0);
    let mut request = world.request(world.new_id());
    request.merchant_id = "user_01h455vb4pex5vsknk084sn02q".to_owned();
    request.name = String::new();
    request.country = "de".to_owned();
    request.settlement_currency = "EURO".to_owned();
    request.payout_destination_token = "with space".to_owned();
    let error = world.register(request).await.unwrap_err();
    let fields: Vec<String> = error
        .violations()
        .iter()
        .map(|v| v.field.to_string())
        .collect();
    assert_eq!(
        fields,
        [
            "merchant_id",
            "name",
            "country",
            "settlement_currency",
            "payout_destination_token"
        ]
    );
}
