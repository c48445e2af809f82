//! Who comes through (G2).

use std::time::Duration;

use axum::http::StatusCode;
use paymesh_gateway::Config;
use paymesh_kernel::{ErrorKind, Outcome, Role};
use paymesh_mesh::Keys;
use serde_json::{Value, json};

use crate::world::{API_KEY, Fails, World, sign};

const PATH: &str = "/v1/users/me";

async fn with_token(world: &World, token: &str) -> crate::world::Answer {
    world
        .get(PATH)
        .header("authorization", &format!("Bearer {token}"))
        .send()
        .await
}

#[tokio::test]
async fn g2_nobody_comes_through_without_a_proof() {
    let world = World::new().await;
    let nobody = world.get(PATH).without("authorization").send().await;
    nobody.problem(401, "CREDENTIALS_MISSING");
    assert_eq!(
        nobody.header("www-authenticate"),
        "Bearer realm=\"paymesh\""
    );
    for value in ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "token"] {
        world
            .get(PATH)
            .header("authorization", value)
            .send()
            .await
            .problem(401, "CREDENTIALS_MISSING");
    }
    assert!(world.fakes.calls().is_empty());
}

#[tokio::test]
async fn g2_a_token_that_is_expired_forged_or_for_somebody_else_is_refused() {
    let world = World::new().await;
    let good = world.claims(&[Role::Customer]);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let now = good["iat"].as_i64().unwrap();
    let token = |claims: &Value| sign(&world.keys, "at+jwt", claims);
    assert_eq!(
        with_token(&world, &token(&good)).await.status,
        StatusCode::OK
    );
    with_token(&world, &token(&with("exp", json!(now - 31))))
        .await
        .problem(401, "TOKEN_EXPIRED");
    for claims in [
        with("aud", json!("other")),
        with("aud", json!(["other", "another"])),
        with("iss", json!("somebody")),
        with("nbf", json!(now + 60)),
        with("roles", json!([])),
        with("roles", json!(["component"])),
        with("roles", json!(["god"])),
        with("sub", json!("transaction")),
        with("tenant", json!("tnt_1")),
        with("exp", Value::Null),
    ] {
        with_token(&world, &token(&claims))
            .await
            .problem(401, "TOKEN_INVALID");
    }
    assert_eq!(
        with_token(&world, &token(&with("aud", json!(["x", "paymesh"]))))
            .await
            .status,
        StatusCode::OK
    );
    for typ in ["JWT", "refresh+jwt"] {
        with_token(&world, &sign(&world.keys, typ, &good))
            .await
            .problem(401, "TOKEN_INVALID");
    }
    let forger = Keys::ephemeral().unwrap();
    with_token(&world, &sign(&forger, "at+jwt", &good))
        .await
        .problem(401, "TOKEN_INVALID");
    let mut tampered = token(&good);
    tampered.replace_range(tampered.len() - 4.., "AAAA");
    with_token(&world, &tampered)
        .await
        .problem(401, "TOKEN_INVALID");
    with_token(&world, &"x".repeat(5_000))
        .await
        .problem(401, "TOKEN_INVALID");
}

#[tokio::test]
async fn g2_a_token_that_was_good_ends_with_its_time() {
    let world = World::new().await;
    let token = world.token(&[Role::Customer]);
    assert_eq!(with_token(&world, &token).await.status, StatusCode::OK);
    world.harness.clock.advance(Duration::from_secs(931));
    with_token(&world, &token)
        .await
        .problem(401, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn g2_a_new_key_is_looked_for_at_a_bounded_rate_and_an_old_one_ends() {
    let world = World::new().await;
    let old = world.token(&[Role::Customer]);
    assert_eq!(with_token(&world, &old).await.status, StatusCode::OK);
    let next = Keys::ephemeral().unwrap();
    world.publish_keys(&next);
    let new = sign(&next, "at+jwt", &world.claims(&[Role::Customer]));
    world.fakes.calls();
    for _ in 0..5 {
        with_token(&world, &new).await.problem(401, "TOKEN_INVALID");
    }
    assert_eq!(looks(&world), 0);
    world.harness.clock.advance(Duration::from_secs(10));
    assert_eq!(with_token(&world, &new).await.status, StatusCode::OK);
    assert_eq!(looks(&world), 1);
    // A verified token is believed for a minute, then its key must still be there.
    world.harness.clock.advance(Duration::from_secs(60));
    with_token(&world, &old).await.problem(401, "TOKEN_INVALID");
}

fn looks(world: &World) -> usize {
    world
        .fakes
        .calls()
        .iter()
        .filter(|call| call.method == "UserService/GetJwks")
        .count()
}

#[tokio::test]
async fn g2_known_keys_stay_good_while_user_cannot_be_asked() {
    let world = World::new().await;
    assert_eq!(
        with_token(&world, &world.token(&[Role::Customer]))
            .await
            .status,
        StatusCode::OK
    );
    world.fakes.fail(
        "UserService/GetJwks",
        Fails {
            kind: ErrorKind::Unavailable,
            reason: "COMPONENT_UNREACHABLE",
            message: "user cannot be reached",
            outcome: Outcome::NotProcessed,
        },
    );
    world.harness.clock.advance(Duration::from_secs(600));
    assert_eq!(
        with_token(&world, &world.token(&[Role::Customer]))
            .await
            .status,
        StatusCode::OK
    );
    let stranger = Keys::ephemeral().unwrap();
    let token = sign(&stranger, "at+jwt", &world.claims(&[Role::Customer]));
    with_token(&world, &token)
        .await
        .problem(503, "COMPONENT_UNREACHABLE");
}

#[tokio::test]
async fn g2_an_api_key_is_asked_for_once_and_revocation_is_seen_within_half_a_minute() {
    let world = World::new().await;
    for _ in 0..3 {
        assert_eq!(with_token(&world, API_KEY).await.status, StatusCode::OK);
    }
    let calls = world.fakes.calls();
    assert_eq!(
        calls
            .iter()
            .filter(|call| call.method == "UserService/AuthenticateApiKey")
            .count(),
        1
    );
    assert_eq!(
        calls.last().unwrap().subject.as_deref(),
        Some("key_01h455vb4pex5vsknk084sn02q")
    );
    world
        .fakes
        .fail("UserService/AuthenticateApiKey", crate::world::Refused);
    world.harness.clock.advance(Duration::from_secs(29));
    assert_eq!(with_token(&world, API_KEY).await.status, StatusCode::OK);
    world.harness.clock.advance(Duration::from_secs(1));
    with_token(&world, API_KEY)
        .await
        .problem(401, "API_KEY_INVALID");
}

#[tokio::test]
async fn a_wrong_api_key_is_not_asked_for_again_and_again() {
    let world = World::new().await;
    for _ in 0..10 {
        with_token(&world, "sk_wrong")
            .await
            .problem(401, "API_KEY_INVALID");
    }
    assert_eq!(world.fakes.calls().len(), 1);
    world.fakes.fail(
        "UserService/AuthenticateApiKey",
        Fails {
            kind: ErrorKind::Unavailable,
            reason: "STORAGE_UNAVAILABLE",
            message: "the database cannot be reached",
            outcome: Outcome::NotProcessed,
        },
    );
    with_token(&world, "sk_other")
        .await
        .problem(503, "STORAGE_UNAVAILABLE");
}

#[tokio::test]
async fn guessing_is_limited_like_logging_in() {
    let mut config = Config::default();
    config.rate_limits.login.requests = 3;
    let world = World::with(config).await;
    for guess in 0..3 {
        with_token(&world, &format!("sk_guess_{guess}"))
            .await
            .problem(401, "API_KEY_INVALID");
    }
    with_token(&world, "sk_guess_4")
        .await
        .problem(429, "RATE_LIMITED");
    assert_eq!(
        with_token(&world, &world.token(&[Role::Customer]))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_session_of_the_token_is_the_one_that_ends() {
    let world = World::new().await;
    let answer = world
        .ask(axum::http::Method::DELETE, "/v1/sessions/current")
        .send()
        .await;
    assert_eq!(
        (answer.status, answer.bytes.len()),
        (StatusCode::NO_CONTENT, 0)
    );
    let requests: Vec<paymesh_proto::user::v1::LogoutRequest> =
        world.fakes.requests("UserService/Logout");
    assert_eq!(requests[0].session_id, "ses_01h455vb4pex5vsknk084sn02q");
}
