//! What is refused before anything is decided, and the limits.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{manual, payment, provider_config, start_provider};

#[tokio::test]
async fn bad_input_gets_a_clear_problem() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let with = |field: &str, value: Value| {
        let mut order = payment("tok_ok", "r");
        order[field] = value;
        order
    };
    let wrong = [
        with("amount", json!({ "minor": 0, "currency": "EUR" })),
        with("amount", json!({ "minor": -5, "currency": "EUR" })),
        with("amount", json!({ "minor": 1.5, "currency": "EUR" })),
        with(
            "amount",
            json!({ "minor": 1_000_000_000_000_i64, "currency": "EUR" }),
        ),
        with("amount", json!({ "minor": 100, "currency": "eur" })),
        with("reference", json!("")),
        with("reference", json!("x".repeat(129))),
        with("reference", json!("tab\there")),
        with(
            "statement_descriptor",
            json!("longer than twenty-two characters"),
        ),
        with("return_url", json!("javascript:alert(1)")),
        with("capture_method", json!("later")),
        with("business_at", json!("yesterday")),
        with("surprise", json!(true)),
        json!([]),
        json!({}),
    ];
    for body in &wrong {
        let reply = caller.post("/v1/payments", body).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
        reply.expect_problem(400, "invalid_request");
    }
    let no_json = caller
        .request(Method::POST, "/v1/payments")
        .body("{\"amount\":");
    caller
        .send(no_json)
        .await
        .unwrap()
        .expect_problem(400, "invalid_request");
    let time = caller
        .request(Method::POST, "/v1/payments")
        .json(&payment("tok_ok", "r"));
    let time = time.header("paymesh-business-at", "noon");
    caller
        .send(time)
        .await
        .unwrap()
        .expect_problem(400, "invalid_request");
    assert!(caller.record().await.is_empty());
}

#[tokio::test]
async fn unknown_things_and_wrong_methods_are_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    for path in [
        "/v1/payments/pay_bbbbbbbbbbbbbbbb",
        "/v1/payments/x",
        "/v1/refunds/x",
        "/v1/disputes/x",
        "/v2",
        "/",
    ] {
        caller.get(path).await.expect_problem(404, "not_found");
    }
    let wrong = caller
        .send(caller.request(Method::DELETE, "/v1/payments"))
        .await
        .unwrap();
    wrong.expect_problem(405, "method_not_allowed");
    for path in [
        "/v1/payments",
        "/v1/payments?reference=a&limit=0",
        "/v1/payments?reference=a&limit=101",
        "/v1/reports/settlement?date=2026-02-30",
        "/v1/record?limit=1001",
        "/v1/record?unknown=1",
    ] {
        caller
            .get(path)
            .await
            .expect_problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn only_the_api_key_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, _caller) = start_provider(provider_config(folder.path())).await;
    let client = reqwest::Client::new();
    for key in ["", "another key"] {
        let reply = client
            .get(format!("{}/v1/record", handle.url()))
            .bearer_auth(key)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 401);
    }
    let health = client
        .get(format!("{}/healthz", handle.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
}

#[tokio::test]
async fn limits_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = provider_config(folder.path());
    config.limits.objects = 2;
    config.limits.requests = 1;
    let (handle, caller) = start_provider(config).await;
    let large = caller
        .request(Method::POST, "/v1/payments")
        .body("x".repeat(64 * 1024 + 1));
    caller
        .send(large)
        .await
        .unwrap()
        .expect_problem(413, "body_too_large");
    caller.pay("tok_ok", "r-1").await;
    let (slow, slower) = (
        payment("tok_delay_200", "r-2"),
        payment("tok_delay_200", "r-3"),
    );
    let (one, other) = tokio::join!(
        caller.post("/v1/payments", &slow),
        caller.post("/v1/payments", &slower)
    );
    let (done, busy) = if one.status == 201 {
        (one, other)
    } else {
        (other, one)
    };
    done.expect(201);
    busy.expect_problem(503, "busy");
    caller
        .post("/v1/payments", &payment("tok_ok", "r-4"))
        .await
        .expect_problem(507, "record_full");
    handle.shutdown().await;

    let mut config = provider_config(folder.path());
    config.limits.journal_bytes = 1;
    let (_handle, caller) = start_provider(config).await;
    caller
        .post("/v1/payments", &manual("tok_ok", "r-5"))
        .await
        .expect_problem(507, "record_full");
    assert!(caller.get("/v1/payments?reference=r-1").await.expect(200)["data"][0].is_object());
}

#[tokio::test]
async fn one_seed_draws_the_same_faults_and_each_only_once() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = provider_config(folder.path());
        config.seed = seed;
        config.faults.error_per_mille = 300;
        config.faults.rate_limit_per_mille = 200;
        config.faults.decline_per_mille = 300;
        let (_handle, caller) = start_provider(config).await;
        let mut run = Vec::new();
        for number in 0..40 {
            let order = payment("tok_ok", &format!("r-{number}"));
            let first = caller.post("/v1/payments", &order).await;
            if first.status != 201 {
                caller.post("/v1/payments", &order).await.expect(201);
            }
            run.push((first.status, first.json()["decline_code"].clone()));
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(
        [201, 429, 500]
            .iter()
            .all(|status| runs[0].iter().any(|(seen, _)| seen == status))
    );
}
