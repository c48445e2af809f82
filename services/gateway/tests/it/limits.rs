//! Limits of rates (G5).

use std::time::Duration;

use axum::http::StatusCode;
use paymesh_chassis::Secret;
use paymesh_gateway::{Config, config::Limit};
use paymesh_kernel::Role;
use paymesh_testkit::servers;
use serde_json::{Value, json};

use crate::world::World;

fn limited(requests: u32) -> Config {
    let mut config = Config::default();
    let limit = Limit {
        requests,
        window_ms: 60_000,
    };
    config.rate_limits.read = limit;
    config.rate_limits.money = limit;
    config.rate_limits.login = limit;
    config
}

fn payment() -> Value {
    json!({ "kind": "transfer", "amount": { "minor": 100, "currency": "USD" } })
}

#[tokio::test]
async fn a_client_is_told_its_limit_and_refused_beyond_it() {
    let world = World::with(limited(3)).await;
    for left in (0..3).rev() {
        let answer = world.get("/v1/users/me").send().await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit-policy"), "\"read\";q=3;w=60");
        assert_eq!(
            answer.header("ratelimit"),
            format!("\"read\";r={left};t=60")
        );
    }
    let refused = world.get("/v1/users/me").send().await;
    let problem = refused.problem(429, "RATE_LIMITED");
    assert_eq!(problem["outcome"], "not_processed");
    assert_eq!(refused.header("ratelimit"), "\"read\";r=0;t=60");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((60..=120).contains(&wait), "{wait}");
    world.harness.clock.advance(Duration::from_secs(wait));
    assert_eq!(
        world.get("/v1/users/me").send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn classes_and_clients_have_limits_of_their_own() {
    let mut world = World::with(limited(1)).await;
    assert_eq!(
        world.get("/v1/users/me").send().await.status,
        StatusCode::OK
    );
    world
        .get("/v1/users/me")
        .send()
        .await
        .problem(429, "RATE_LIMITED");
    assert!(
        world
            .post("/v1/transactions")
            .json(&payment())
            .send()
            .await
            .status
            .is_success()
    );
    world
        .post("/v1/transactions")
        .json(&payment())
        .send()
        .await
        .problem(429, "RATE_LIMITED");
    world.user = "user_01h455vb4pex5vsknk084sn02q".to_owned();
    assert_eq!(
        world.get("/v1/users/me").send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn those_who_log_in_are_counted_by_address() {
    let mut config = limited(1);
    config.trusted_proxies = 1;
    let world = World::with(config).await;
    let body = json!({ "tenant_id": "tnt_1", "email": "a@b.example", "password": "correct horse" });
    let log_in = |address: &str| {
        world
            .post("/v1/sessions")
            .without("authorization")
            .header("x-forwarded-for", address)
            .json(&body)
            .send()
    };
    assert_eq!(
        log_in("10.0.0.1, 203.0.113.7").await.status,
        StatusCode::CREATED
    );
    log_in("10.9.9.9, 203.0.113.7")
        .await
        .problem(429, "RATE_LIMITED");
    assert_eq!(
        log_in("10.0.0.1, 203.0.113.8").await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn several_gateways_count_together_in_redis() {
    let Some(url) = servers::redis_url() else {
        return;
    };
    let mut config = limited(4);
    config.rate_limits.redis_url = Secret::new(url);
    config.rate_limits.redis_timeout_ms = 2_000;
    let mut world = World::with(config.clone()).await;
    // Users differ between runs, so that an earlier run does not count.
    world.user = paymesh_kernel::Ids::new(std::sync::Arc::new(paymesh_kernel::SystemClock))
        .next::<paymesh_kernel::id::UserId>()
        .to_string();
    let second = world.replica(config).await;
    for left in [3, 1] {
        let here = world.get("/v1/users/me").send().await;
        assert!(
            here.header("ratelimit")
                .starts_with(&format!("\"read\";r={left};")),
            "{here:?}"
        );
        let there = world.get("/v1/users/me").send_to(second.clone()).await;
        assert!(
            there
                .header("ratelimit")
                .starts_with(&format!("\"read\";r={};", left - 1)),
            "{there:?}"
        );
    }
    let refused = world.get("/v1/users/me").send().await;
    refused.problem(429, "RATE_LIMITED");
    world
        .get("/v1/users/me")
        .send_to(second)
        .await
        .problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn g5_when_redis_fails_reads_go_on_with_a_local_limit_and_money_does_not() {
    let mut config = limited(2);
    // Nobody listens there.
    config.rate_limits.redis_url = Secret::new("redis://127.0.0.1:1/0");
    let world = World::with(config).await;
    for _ in 0..2 {
        assert_eq!(
            world.get("/v1/users/me").send().await.status,
            StatusCode::OK
        );
    }
    world
        .get("/v1/users/me")
        .send()
        .await
        .problem(429, "RATE_LIMITED");
    let refused = world.post("/v1/transactions").json(&payment()).send().await;
    assert_eq!(
        refused.problem(503, "RATE_LIMIT_UNAVAILABLE")["outcome"],
        "not_processed"
    );
    assert!(
        world
            .fakes
            .requests::<paymesh_proto::transaction::v1::CreateTransactionRequest>(
                "TransactionService/CreateTransaction"
            )
            .is_empty()
    );
    let token = world.token(&[Role::Customer]);
    let read = world
        .get("/v1/users/user_1/transactions")
        .header("authorization", &format!("Bearer {token}"));
    read.send().await.problem(429, "RATE_LIMITED");
}
