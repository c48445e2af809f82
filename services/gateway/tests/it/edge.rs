//! What stands around every route: ids, headers, limits on time and on requests at once, CORS.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use paymesh_gateway::Config;
use paymesh_mesh::{ServeConfig, serve};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::world::World;

#[tokio::test]
async fn a_sane_request_id_is_kept_and_every_other_is_replaced() {
    let world = World::new().await;
    let kept = world
        .get("/v1/users/me")
        .header("x-request-id", "shop-42.a:b_c")
        .send()
        .await;
    assert_eq!(kept.header("x-request-id"), "shop-42.a:b_c");
    let long = "x".repeat(65);
    for id in ["", "with space", "4242424242424242", "a\"b", long.as_str()] {
        let answer = world
            .get("/v1/users/me")
            .header("x-request-id", id)
            .send()
            .await;
        assert!(answer.header("x-request-id").starts_with("req_"), "{id}");
    }
}

#[tokio::test]
async fn every_answer_has_security_headers_and_no_banner() {
    let world = World::new().await;
    for path in ["/", "/v1/users/me", "/nowhere"] {
        let answer = world.get(path).send().await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert!(answer.headers.get("server").is_none());
    }
}

#[tokio::test]
async fn what_takes_too_long_is_504_and_says_what_is_known() {
    let world = World::with(Config {
        timeout_ms: 2_000,
        longest_wait_ms: 1_000,
        ..Config::default()
    })
    .await;
    let body = json!({ "kind": "transfer", "amount": { "minor": 1, "currency": "USD" } });
    world.fakes.hang("TransactionService/CreateTransaction");
    world.fakes.hang("TransactionService/GetTransaction");
    tokio::time::pause();
    let write = world.post("/v1/transactions").json(&body).send().await;
    assert_eq!(
        write.problem(504, "DEADLINE_EXCEEDED")["outcome"],
        "unknown"
    );
    let read = world.get("/v1/transactions/txn_1").send().await;
    assert_eq!(
        read.problem(504, "DEADLINE_EXCEEDED")["outcome"],
        "not_processed"
    );
}

#[tokio::test]
async fn one_request_too_many_at_once_is_503_at_once() {
    let world = World::with(Config {
        concurrent_requests: 1,
        ..Config::default()
    })
    .await;
    world.fakes.hang("UserService/GetUser");
    let waiting = world.get("/v1/users/me").send();
    tokio::pin!(waiting);
    let is_stuck = tokio::time::timeout(Duration::from_millis(200), &mut waiting)
        .await
        .is_err();
    assert!(is_stuck);
    let refused = world.get("/v1/users/me").send().await;
    refused.problem(503, "GATEWAY_OVERLOADED");
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn cors_is_off_unless_an_origin_is_configured() {
    let origin = "https://shop.example";
    let world = World::new().await;
    let answer = world
        .get("/v1/users/me")
        .header("origin", origin)
        .send()
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let world = World::with(Config {
        cors_origins: vec![origin.to_owned()],
        ..Config::default()
    })
    .await;
    let preflight = world
        .ask(Method::OPTIONS, "/v1/transactions")
        .without("authorization")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .send()
        .await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-origin"), origin);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );
    let answer = world
        .get("/v1/users/me")
        .header("origin", origin)
        .send()
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    let stranger = world
        .get("/v1/users/me")
        .header("origin", "https://evil.example")
        .send()
        .await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn over_a_socket_the_address_of_the_connection_is_what_counts() {
    let mut config = Config::default();
    config.rate_limits.login.requests = 1;
    let world = World::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = world.harness.platform.tasks.clone();
    let serving = serve(
        listener,
        world.router.clone(),
        ServeConfig::default(),
        tasks.clone(),
    );
    tasks.spawn("server", serving);
    let mut answers = Vec::new();
    for spoofed in ["203.0.113.7", "203.0.113.8"] {
        let body = r#"{"tenant_id":"tnt_1","email":"a@b.example","password":"correct horse"}"#;
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST /v1/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {spoofed}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answers.push(answer.lines().next().unwrap().to_owned());
    }
    assert_eq!(
        answers,
        ["HTTP/1.1 201 Created", "HTTP/1.1 429 Too Many Requests"]
    );
}
