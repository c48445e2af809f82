//! Captures, cancellations, refunds and disputes of an ordinary payment.

use serde_json::json;

use crate::support::{eur, id, manual, payment, provider_config, start_provider};

#[tokio::test]
async fn several_captures_stay_within_what_was_authorized() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let open = caller
        .post("/v1/payments", &manual("tok_ok", "r-1"))
        .await
        .expect(201);
    assert_eq!(
        (&open["status"], &open["capturable_minor"]),
        (&json!("authorized"), &json!(10_000))
    );
    let path = format!("/v1/payments/{}", id(&open));

    let too_much = caller
        .post(
            &format!("{path}/captures"),
            &json!({ "amount": eur(10_001) }),
        )
        .await;
    too_much.expect_problem(422, "amount_too_large");
    let dollars = json!({ "amount": { "minor": 1, "currency": "USD" } });
    caller
        .post(&format!("{path}/captures"), &dollars)
        .await
        .expect_problem(422, "currency_mismatch");
    let first = caller
        .post(
            &format!("{path}/captures"),
            &json!({ "amount": eur(3_000), "reference": "c-1" }),
        )
        .await;
    assert_eq!(first.expect(201)["fee_minor"], 36);
    assert_eq!(
        caller.get(&path).await.expect(200)["status"],
        "partially_captured"
    );
    let last = json!({ "amount": eur(4_000), "final": true });
    caller
        .post(&format!("{path}/captures"), &last)
        .await
        .expect(201);
    let captured = caller.get(&path).await.expect(200);
    assert_eq!(
        (&captured["status"], &captured["released_minor"]),
        (&json!("captured"), &json!(3_000))
    );
    caller
        .post(&format!("{path}/captures"), &json!({}))
        .await
        .expect_problem(409, "not_capturable");
    caller
        .post(&format!("{path}/cancel"), &json!({}))
        .await
        .expect_problem(409, "already_captured");
}

#[tokio::test]
async fn several_refunds_stay_within_what_was_captured() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let mut order = payment("tok_ok", "r-1");
    order["amount"] = eur(7_000);
    let paid = caller.post("/v1/payments", &order).await.expect(201);
    let path = format!("/v1/payments/{}", id(&paid));
    caller
        .post(
            &format!("{path}/refunds"),
            &json!({ "amount": eur(2_000), "reference": "f-1" }),
        )
        .await
        .expect(201);
    let too_much = caller
        .post(&format!("{path}/refunds"), &json!({ "amount": eur(5_001) }))
        .await;
    too_much.expect_problem(422, "amount_too_large");
    assert_eq!(
        caller
            .post(&format!("{path}/refunds"), &json!({}))
            .await
            .expect(201)["amount"],
        eur(5_000)
    );
    caller
        .post(&format!("{path}/refunds"), &json!({}))
        .await
        .expect_problem(409, "not_refundable");
    assert_eq!(caller.get(&path).await.expect(200)["refunded_minor"], 7_000);
}

#[tokio::test]
async fn a_cancellation_releases_and_a_second_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let open = caller
        .post("/v1/payments", &manual("tok_ok", "r-1"))
        .await
        .expect(201);
    let path = format!("/v1/payments/{}", id(&open));
    for _ in 0..2 {
        let canceled = caller
            .post(&format!("{path}/cancel"), &json!({}))
            .await
            .expect(200);
        assert_eq!(
            (&canceled["status"], &canceled["released_minor"]),
            (&json!("canceled"), &json!(10_000))
        );
    }
    let canceled = caller
        .record()
        .await
        .iter()
        .filter(|fact| fact["type"] == "payment_canceled")
        .count();
    assert_eq!(canceled, 1);
    caller
        .post(&format!("{path}/captures"), &json!({}))
        .await
        .expect_problem(409, "not_capturable");

    let waiting = caller.pay("tok_3ds_challenge", "r-2").await;
    let canceled = caller
        .post("/v1/cancellations", &json!({ "reference": "r-2" }))
        .await
        .expect(200);
    assert_eq!(
        (&canceled["id"], &canceled["status"]),
        (&waiting["id"], &json!("canceled"))
    );
    let challenge = waiting["next_action"]["url"]
        .as_str()
        .unwrap()
        .split_once("/v1/")
        .unwrap()
        .1;
    let late = caller
        .post(
            &format!("/v1/{challenge}"),
            &json!({ "outcome": "success" }),
        )
        .await;
    late.expect_problem(409, "challenge_over");
}

#[tokio::test]
async fn a_cancellation_before_its_payment_refuses_the_payment_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, caller) = start_provider(provider_config(folder.path())).await;
    for _ in 0..2 {
        let tombstone = caller
            .post("/v1/cancellations", &json!({ "reference": "late" }))
            .await
            .expect(200);
        assert_eq!(
            (&tombstone["object"], &tombstone["status"]),
            (&json!("cancellation"), &json!("canceled"))
        );
    }
    drop(handle);
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    caller
        .post("/v1/payments", &payment("tok_ok", "late"))
        .await
        .expect_problem(409, "reference_canceled");
}

#[tokio::test]
async fn the_same_reference_twice_is_two_payments_so_that_doubles_show() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    caller.pay("tok_ok", "r-1").await;
    caller.pay("tok_ok", "r-1").await;
    let found = caller.get("/v1/payments?reference=r-1").await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
    let one = caller
        .get("/v1/payments?reference=r-1&limit=1")
        .await
        .expect(200);
    assert_eq!(
        (one["data"].as_array().unwrap().len(), &one["has_more"]),
        (1, &json!(true))
    );
}

#[tokio::test]
async fn disputes_are_opened_and_closed_by_a_test() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let path = format!("/v1/payments/{}", id(&caller.pay("tok_ok", "r-1").await));
    let order = json!({ "amount": eur(4_000), "reason": "not_received" });
    let dispute = caller
        .post(&format!("{path}/disputes"), &order)
        .await
        .expect(201);
    assert_eq!(
        (&dispute["status"], &dispute["fee_minor"]),
        (&json!("needs_response"), &json!(1_500))
    );
    let too_much = caller
        .post(&format!("{path}/refunds"), &json!({ "amount": eur(6_001) }))
        .await;
    too_much.expect_problem(422, "amount_too_large");
    let close = format!("/v1/disputes/{}/close", id(&dispute));
    for _ in 0..2 {
        assert_eq!(
            caller
                .post(&close, &json!({ "outcome": "won" }))
                .await
                .expect(200)["status"],
            "won"
        );
    }
    caller
        .post(&close, &json!({ "outcome": "lost" }))
        .await
        .expect_problem(409, "dispute_over");
    assert_eq!(caller.get(&path).await.expect(200)["charged_back_minor"], 0);
}
