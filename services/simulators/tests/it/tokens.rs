//! What each token makes the provider do.

use serde_json::{Value, json};

use crate::support::{Caller, eur, id, manual, payment, provider_config, start_provider};

async fn with_reference(caller: &Caller, reference: &str) -> Vec<Value> {
    let found = caller
        .get(&format!("/v1/payments?reference={reference}"))
        .await
        .expect(200);
    found["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_ok_token_is_authorized_and_captured() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let paid = caller.pay("tok_ok_alice.country-DE.fp-card1", "r-1").await;
    assert_eq!(paid["status"], "captured");
    assert_eq!(paid["captured_minor"], 10_000);
    assert_eq!(paid["captures"][0]["fee_minor"], 120);
    assert_eq!(paid["payment_method"]["country"], "DE");
    assert_eq!(paid["payment_method"]["fingerprint"], "card1");
    assert_eq!(with_reference(&caller, "r-1").await, vec![paid.clone()]);
    assert_eq!(
        caller
            .get(&format!("/v1/payments/{}", id(&paid)))
            .await
            .expect(200),
        paid
    );
}

#[tokio::test]
async fn declines_are_answers_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let cases = [
        ("tok_declined_insufficient_funds", "insufficient_funds"),
        ("tok_declined_stolen", "stolen_card"),
        ("tok_declined_do_not_honor", "do_not_honor"),
        ("tok_declined_expired", "expired_card"),
        ("tok_declined_stolen_bob.country-FR", "stolen_card"),
    ];
    for (token, code) in cases {
        let declined = caller.pay(token, token).await;
        assert_eq!(
            (&declined["status"], &declined["decline_code"]),
            (&json!("declined"), &json!(code))
        );
        let path = format!("/v1/payments/{}/captures", id(&declined));
        caller
            .post(&path, &json!({}))
            .await
            .expect_problem(409, "not_capturable");
    }
}

#[tokio::test]
async fn a_timeout_without_effect_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let order = payment("tok_timeout_no_effect", "r-1");
    assert!(
        caller
            .post_in_vain("/v1/payments", "k", &order)
            .await
            .is_timeout()
    );
    assert!(with_reference(&caller, "r-1").await.is_empty());
    assert!(caller.record().await.is_empty());
}

#[tokio::test]
async fn a_timeout_with_effect_is_found_by_reference_and_its_key_replays() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    for (token, reference) in [
        ("tok_timeout_with_effect", "r-1"),
        ("tok_timeout_with_effect_cut", "r-2"),
    ] {
        let order = payment(token, reference);
        let error = caller.post_in_vain("/v1/payments", reference, &order).await;
        assert_eq!(
            error.is_timeout(),
            reference == "r-1",
            "the second is cut off: {error}"
        );
        let found = with_reference(&caller, reference).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["status"], "captured");
        let again = caller
            .post_with_key("/v1/payments", reference, &order)
            .await;
        assert!(again.is_replayed());
        assert_eq!(again.expect(201), found[0]);
    }
}

#[tokio::test]
async fn a_delayed_token_works_although_its_caller_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, caller) = start_provider(provider_config(folder.path())).await;
    assert_eq!(caller.pay("tok_delay_5", "r-1").await["status"], "captured");
    let error = caller
        .post_in_vain("/v1/payments", "k", &payment("tok_delay_600", "r-2"))
        .await;
    assert!(error.is_timeout());
    // A shutdown waits for what was begun.
    handle.shutdown().await;
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    assert_eq!(with_reference(&caller, "r-2").await.len(), 1);
}

#[tokio::test]
async fn errors_and_rate_limits_come_before_any_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, caller) = start_provider(provider_config(folder.path())).await;
    let order = payment("tok_error_500_then_ok", "r-1");
    caller
        .post_with_key("/v1/payments", "k-1", &order)
        .await
        .expect_problem(500, "simulated_failure");
    assert!(with_reference(&caller, "r-1").await.is_empty());
    assert!(
        !caller
            .post_with_key("/v1/payments", "k-1", &order)
            .await
            .is_replayed()
    );
    assert_eq!(with_reference(&caller, "r-1").await.len(), 1);

    for _ in 0..2 {
        let reply = caller
            .post("/v1/payments", &payment("tok_429", "r-2"))
            .await;
        reply.expect_problem(429, "rate_limited");
        assert_eq!(reply.headers["retry-after"], "1");
    }
    let order = payment("tok_429_then_ok", "r-3");
    caller
        .post("/v1/payments", &order)
        .await
        .expect_problem(429, "rate_limited");
    drop(handle);
    // That the failure was shown is remembered over a crash.
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    caller.post("/v1/payments", &order).await.expect(201);
}

#[tokio::test]
async fn a_challenge_ends_with_what_the_payer_does() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    for (outcome, status, code) in [
        ("success", "captured", Value::Null),
        ("failure", "declined", json!("authentication_failed")),
    ] {
        let waiting = caller.pay("tok_3ds_challenge", outcome).await;
        assert_eq!(waiting["status"], "requires_action");
        let url = waiting["next_action"]["url"].as_str().unwrap();
        let path = url.split_once("/v1/").unwrap().1;
        let page = reqwest::get(url).await.unwrap();
        assert!(page.status().is_success() && page.text().await.unwrap().contains("<form"));

        let ended = caller
            .post(&format!("/v1/{path}"), &json!({ "outcome": outcome }))
            .await
            .expect(200);
        assert_eq!(
            (&ended["status"], &ended["decline_code"]),
            (&json!(status), &code)
        );
        assert_eq!(ended["next_action"], Value::Null);
        let again = caller
            .post(&format!("/v1/{path}"), &json!({ "outcome": outcome }))
            .await;
        assert_eq!(again.expect(200), ended);
        let other = if outcome == "success" {
            "failure"
        } else {
            "success"
        };
        let other = caller
            .post(&format!("/v1/{path}"), &json!({ "outcome": other }))
            .await;
        other.expect_problem(409, "challenge_over");
    }
}

#[tokio::test]
async fn the_page_of_a_challenge_sends_the_payer_back() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let mut order = payment("tok_ok", "r-1");
    order["authentication"] = json!("required");
    order["return_url"] = json!("https://shop.example/back");
    let waiting = caller.post("/v1/payments", &order).await.expect(201);
    let url = waiting["next_action"]["url"].as_str().unwrap();
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let sent = browser
        .post(url)
        .form(&[("outcome", "success")])
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 303);
    assert_eq!(sent.headers()["location"], "https://shop.example/back");
    let paid = caller
        .get(&format!("/v1/payments/{}", id(&waiting)))
        .await
        .expect(200);
    assert_eq!(
        (&paid["status"], &paid["authenticated"]),
        (&json!("captured"), &json!("challenge"))
    );
}

#[tokio::test]
async fn a_challenge_nobody_answers_expires_and_frictionless_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let waiting = caller.pay("tok_3ds_challenge", "r-1").await;
    caller.run_timers().await;
    let expired = caller
        .get(&format!("/v1/payments/{}", id(&waiting)))
        .await
        .expect(200);
    assert_eq!(expired["decline_code"], "authentication_expired");

    let paid = caller.pay("tok_3ds_frictionless", "r-2").await;
    assert_eq!(
        (&paid["status"], &paid["authenticated"]),
        (&json!("captured"), &json!("frictionless"))
    );
}

#[tokio::test]
async fn a_chargeback_takes_the_money_back_until_it_is_won() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    for (evidence, status, charged_back) in [
        ("winning_evidence", "won", 0),
        ("losing_evidence", "lost", 10_000),
    ] {
        let payment_id = id(&caller.pay("tok_chargeback", evidence).await);
        caller.run_timers().await;
        let disputed = caller
            .get(&format!("/v1/payments/{payment_id}"))
            .await
            .expect(200);
        assert_eq!(disputed["charged_back_minor"], 10_000);
        let refused = caller
            .post(&format!("/v1/payments/{payment_id}/refunds"), &json!({}))
            .await;
        refused.expect_problem(409, "not_refundable");
        let dispute_id = id(&disputed["disputes"][0]);
        let path = format!("/v1/disputes/{dispute_id}");
        let review = caller
            .post(&format!("{path}/evidence"), &json!({ "text": evidence }))
            .await
            .expect(200);
        assert_eq!(review["status"], "under_review");
        caller.run_timers().await;
        assert_eq!(caller.get(&path).await.expect(200)["status"], status);
        let after = caller
            .get(&format!("/v1/payments/{payment_id}"))
            .await
            .expect(200);
        assert_eq!(after["charged_back_minor"], charged_back);
    }
}

#[tokio::test]
async fn captures_and_refunds_fail_when_the_token_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let open = caller.pay("tok_capture_fails", "r-1").await;
    assert_eq!(
        (&open["status"], &open["captures"][0]["status"]),
        (&json!("authorized"), &json!("failed"))
    );

    let paid = caller.pay("tok_refund_fails", "r-2").await;
    let path = format!("/v1/payments/{}/refunds", id(&paid));
    let failed = caller
        .post(&path, &json!({ "amount": eur(100) }))
        .await
        .expect(201);
    assert_eq!(
        (&failed["status"], &failed["failure_code"]),
        (&json!("failed"), &json!("refund_not_possible"))
    );

    let paid = caller.pay("tok_refund_fails_later", "r-3").await;
    let path = format!("/v1/payments/{}/refunds", id(&paid));
    let refund = caller
        .post(&path, &json!({ "amount": eur(100), "reference": "rf" }))
        .await
        .expect(201);
    assert_eq!(refund["status"], "succeeded");
    caller.run_timers().await;
    let failed = caller
        .get(&format!("/v1/refunds/{}", id(&refund)))
        .await
        .expect(200);
    assert_eq!(failed["status"], "failed");
    assert_eq!(
        caller.get("/v1/refunds?reference=rf").await.expect(200)["data"],
        json!([failed])
    );
    let after = caller
        .get(&format!("/v1/payments/{}", id(&paid)))
        .await
        .expect(200);
    assert_eq!(after["refunded_minor"], 0);
}

#[tokio::test]
async fn captures_and_refunds_time_out_once_with_or_without_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    for (effect, minor) in [("no", 0), ("with", 2_500)] {
        let open = caller
            .post(
                "/v1/payments",
                &manual(&format!("tok_capture_timeout_{effect}_effect"), effect),
            )
            .await;
        let path = format!("/v1/payments/{}", id(&open.expect(201)));
        let part = json!({ "amount": eur(2_500), "reference": format!("cap-{effect}") });
        caller
            .post_in_vain(&format!("{path}/captures"), &format!("c-{effect}"), &part)
            .await;
        assert_eq!(caller.get(&path).await.expect(200)["captured_minor"], minor);
        caller
            .post_with_key(&format!("{path}/captures"), &format!("c-{effect}"), &part)
            .await
            .expect(201);
        assert_eq!(caller.get(&path).await.expect(200)["captured_minor"], 2_500);
        let found = caller
            .get(&format!("/v1/captures?reference=cap-{effect}"))
            .await
            .expect(200);
        assert_eq!(found["data"].as_array().unwrap().len(), 1);

        let paid = caller
            .pay(
                &format!("tok_refund_timeout_{effect}_effect"),
                &format!("rf-{effect}"),
            )
            .await;
        let path = format!("/v1/payments/{}", id(&paid));
        caller
            .post_in_vain(&format!("{path}/refunds"), &format!("r-{effect}"), &part)
            .await;
        assert_eq!(caller.get(&path).await.expect(200)["refunded_minor"], minor);
        caller
            .post_with_key(&format!("{path}/refunds"), &format!("r-{effect}"), &part)
            .await
            .expect(201);
        assert_eq!(caller.get(&path).await.expect(200)["refunded_minor"], 2_500);
    }
}

#[tokio::test]
async fn tokens_are_made_from_aliases_and_never_from_card_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let made = json!({ "alias": "ok_alice", "country": "NG", "fingerprint": "c7" });
    let made = caller.post("/v1/tokens", &made).await.expect(201);
    assert_eq!(made["token"], "tok_ok_alice.country-NG.fp-c7");
    let shown = caller
        .get("/v1/tokens/tok_ok_alice.country-NG.fp-c7")
        .await
        .expect(200);
    assert_eq!(shown, made);

    let number = ["4242 4242 ", "4242 4242"].concat();
    let compact = number.replace(' ', "");
    for body in [
        json!({ "alias": number }),
        json!({ "alias": "ok", "number": compact }),
        json!({ "number": compact.parse::<u64>().unwrap() }),
    ] {
        caller
            .post("/v1/tokens", &body)
            .await
            .expect_problem(422, "card_number_refused");
    }
    caller
        .post("/v1/payments", &payment(&compact, "r"))
        .await
        .expect_problem(422, "card_number_refused");
    caller
        .post("/v1/payments", &payment("tok_ok", &compact))
        .await
        .expect_problem(422, "card_number_refused");
    caller
        .post("/v1/payments", &payment("tok_nonsense", "r"))
        .await
        .expect_problem(422, "unknown_token");
    let journal = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    assert!(!journal.contains(&compact));
}
