//! Changing merchants and their plans (Y2, Y3, Y5, Y6).

use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role};
use paymesh_mesh::CallError;
use paymesh_proto::{
    merchant::v1::{
        self as wire, MerchantState, MerchantUpdated, UpdateMerchantRequest,
        UpdateMerchantResponse, UpdatePlanRequest, UpdatePlanResponse,
    },
    types::v1::{Money, Outcome},
};
use prost::Message as _;

use crate::world::{World, reason, worlds};

async fn update(
    world: &World,
    principal: &Principal,
    request: UpdateMerchantRequest,
) -> Result<UpdateMerchantResponse, CallError> {
    world
        .call(principal, |mut client| async move {
            client.update_merchant(request).await
        })
        .await
}

async fn update_plan(
    world: &World,
    principal: &Principal,
    request: UpdatePlanRequest,
) -> Result<UpdatePlanResponse, CallError> {
    world
        .call(principal, |mut client| async move {
            client.update_plan(request).await
        })
        .await
}

fn change(merchant: &wire::Merchant) -> UpdateMerchantRequest {
    UpdateMerchantRequest {
        merchant_id: merchant.id.clone(),
        ..UpdateMerchantRequest::default()
    }
}

fn cheaper(merchant: &wire::Merchant) -> UpdatePlanRequest {
    let plan = merchant.plan.clone().unwrap();
    UpdatePlanRequest {
        merchant_id: merchant.id.clone(),
        expected_plan_version: plan.version,
        plan: Some(wire::Plan {
            fee_bp: 150,
            ..plan
        }),
    }
}

#[tokio::test]
async fn y2_a_new_plan_has_the_next_version_and_the_fact_carries_it() {
    for world in worlds().await {
        let mut facts = world.facts().await;
        let merchant = world.merchant().await;
        let finance = world.harness.person(Role::Finance);
        let request = cheaper(&merchant);
        let done = update_plan(&world, &finance, request.clone())
            .await
            .unwrap();
        assert_eq!(done.outcome(), Outcome::Applied);
        let changed = done.merchant.unwrap();
        let plan = changed.plan.clone().unwrap();
        assert_eq!((plan.fee_bp, plan.version), (150, 2));
        let again = update_plan(&world, &finance, request.clone())
            .await
            .unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        let mut other = request;
        other.plan.as_mut().unwrap().fee_bp = 100;
        let error = update_plan(&world, &finance, other).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.reason_text()),
            (ErrorKind::Aborted, "VERSION_CONFLICT")
        );
        let told = facts.about(&merchant.id, 2).await;
        assert_eq!((told[1].0.as_str(), told[1].1), ("merchant.updated.v1", 2));
        let fact = MerchantUpdated::decode(told[1].2.as_slice()).unwrap();
        assert_eq!(
            (fact.plan, fact.changed_fields),
            (Some(plan), vec!["plan".to_owned()])
        );
        assert_eq!(
            world.get(&finance, &merchant.id).await.unwrap(),
            changed,
            "Y5: who wrote reads it"
        );
    }
}

#[tokio::test]
async fn a_plan_that_breaks_a_rule_is_refused_field_by_field() {
    let world = worlds().await.remove(0);
    let merchant = world.merchant().await;
    let finance = world.harness.person(Role::Finance);
    let mut request = cheaper(&merchant);
    let plan = request.plan.as_mut().unwrap();
    plan.fee_bp = 10_001;
    plan.reserve_bp = -1;
    plan.fee_fixed = Some(Money {
        minor: -1,
        currency: "EUR".to_owned(),
    });
    plan.chargeback_fee = None;
    plan.settlement_delay_days = 366;
    plan.negative_balance = 0;
    let error = update_plan(&world, &finance, request).await.unwrap_err();
    let fields: Vec<String> = error
        .violations()
        .iter()
        .map(|v| v.field.to_string())
        .collect();
    assert_eq!(
        fields,
        [
            "plan.fee_bp",
            "plan.reserve_bp",
            "plan.fee_fixed.minor",
            "plan.chargeback_fee",
            "plan.settlement_delay_days",
            "plan.negative_balance"
        ]
    );
    let mut request = cheaper(&merchant);
    request.plan.as_mut().unwrap().fee_fixed = Some(Money {
        minor: 30,
        currency: "USD".to_owned(),
    });
    let error = update_plan(&world, &finance, request).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "plan.fee_fixed.currency");
    let owner = world.owner(&merchant);
    assert_eq!(
        reason(update_plan(&world, &owner, cheaper(&merchant)).await),
        "PERMISSION_MISSING"
    );
}

#[tokio::test]
async fn y3_staff_decides_about_the_state_and_closed_is_closed() {
    for world in worlds().await {
        let merchant = world.merchant().await;
        let (admin, owner) = (world.admin(), world.owner(&merchant));
        let to = |state: MerchantState| UpdateMerchantRequest {
            state: state.into(),
            ..change(&merchant)
        };
        assert_eq!(
            reason(update(&world, &owner, to(MerchantState::Suspended)).await),
            "MERCHANT_STATE_BY_STAFF"
        );
        for (state, outcome) in [
            (MerchantState::Active, Outcome::AlreadyApplied),
            (MerchantState::Suspended, Outcome::Applied),
            (MerchantState::Active, Outcome::Applied),
            (MerchantState::Closed, Outcome::Applied),
            (MerchantState::Closed, Outcome::AlreadyApplied),
        ] {
            assert_eq!(
                update(&world, &admin, to(state)).await.unwrap().outcome(),
                outcome,
                "{state:?}"
            );
        }
        assert_eq!(
            reason(update(&world, &admin, to(MerchantState::Active)).await),
            "MERCHANT_NOT_ACTIVE"
        );
        assert_eq!(
            reason(update_plan(&world, &admin, cheaper(&merchant)).await),
            "MERCHANT_NOT_ACTIVE"
        );
    }
}

#[tokio::test]
async fn a_merchant_changes_its_own_name_and_bank_account() {
    for world in worlds().await {
        let merchant = world.merchant().await;
        let owner = world.owner(&merchant);
        let request = UpdateMerchantRequest {
            name: Some("Other shop".to_owned()),
            payout_destination_token: Some("ba_2".to_owned()),
            expected_version: merchant.version,
            ..change(&merchant)
        };
        let changed = update(&world, &owner, request.clone())
            .await
            .unwrap()
            .merchant
            .unwrap();
        assert_eq!(
            (
                changed.name.as_str(),
                changed.payout_destination_token.as_str()
            ),
            ("Other shop", "ba_2")
        );
        let now = changed.updated_at_us;
        assert!(now > 0);
        assert_eq!(merchant.payout_destination_changed_at_us, 0, "Y7");
        assert_eq!(changed.payout_destination_changed_at_us, now, "Y7");
        let read = world.call(&owner, async |mut client| {
            let request = paymesh_proto::merchant::v1::GetMerchantRequest {
                merchant_id: merchant.id.clone(),
            };
            client.get_merchant(request).await
        });
        let read = read.await.unwrap().merchant.unwrap();
        assert_eq!(read.payout_destination_changed_at_us, now, "Y7");
        assert_eq!(
            update(&world, &owner, request).await.unwrap().outcome(),
            Outcome::AlreadyApplied
        );
        let late = UpdateMerchantRequest {
            name: Some("Third shop".to_owned()),
            expected_version: merchant.version,
            ..change(&merchant)
        };
        assert_eq!(
            reason(update(&world, &owner, late).await),
            "VERSION_CONFLICT"
        );
    }
}

#[tokio::test]
async fn y6_staff_does_not_send_the_money_of_a_merchant_elsewhere() {
    for world in worlds().await {
        let merchant = world.merchant().await;
        let support = world.harness.person(Role::Support);
        let to = |token: &str| UpdateMerchantRequest {
            payout_destination_token: Some(token.to_owned()),
            ..change(&merchant)
        };
        for token in ["ba_2", ""] {
            assert_eq!(
                reason(update(&world, &support, to(token)).await),
                "MERCHANT_DESTINATION_NOT_YOURS"
            );
        }
        // Somebody who is bound to the merchant and does not act for it is staff like others.
        let bound = Principal {
            merchant: Some(merchant.id.parse().unwrap()),
            ..support.clone()
        };
        assert_eq!(
            reason(update(&world, &bound, to("ba_2")).await),
            "MERCHANT_DESTINATION_NOT_YOURS"
        );
        let renamed = UpdateMerchantRequest {
            name: Some("Other shop".to_owned()),
            ..to("ba_1")
        };
        let renamed = update(&world, &support, renamed).await.unwrap();
        assert_eq!(renamed.outcome(), Outcome::Applied);
        let admin = world.admin();
        let moved = update(&world, &admin, to("ba_3")).await.unwrap();
        let moved = moved.merchant.unwrap();
        assert_eq!(moved.payout_destination_token, "ba_3");
    }
}
