//! Ids that the gateway makes, and the keys that they belong to (G3).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use paymesh_gateway::Config;
use paymesh_kernel::{ErrorKind, Outcome};
use paymesh_proto::{currency::v1 as currency, merchant::v1 as merchant, types::v1 as types};
use serde_json::{Value, json};

use crate::world::{Fails, World};

/// Quotes as currency keeps them: one an id.
fn keep_quotes(world: &World) -> Arc<Mutex<Vec<String>>> {
    let known: Arc<Mutex<Vec<String>>> = Arc::default();
    let quotes = Arc::clone(&known);
    world.fakes.answer(
        "CurrencyService/LockQuote",
        move |request: currency::LockQuoteRequest| {
            let mut known = quotes.lock().unwrap();
            let is_repeat = known.contains(&request.quote_id);
            if !is_repeat {
                known.push(request.quote_id.clone());
            }
            let outcome = if is_repeat {
                types::Outcome::AlreadyApplied
            } else {
                types::Outcome::Applied
            };
            Ok(currency::LockQuoteResponse {
                quote: Some(currency::Quote {
                    id: request.quote_id,
                    ..Default::default()
                }),
                outcome: outcome.into(),
            })
        },
    );
    known
}

fn quote(minor: i64) -> Value {
    json!({ "amount": { "minor": minor, "currency": "USD" }, "other_currency": "EUR" })
}

async fn ids_made_here_belong_to_their_keys(world: World) {
    let known = keep_quotes(&world);
    let first = world.post("/v1/quotes").json(&quote(100)).send().await;
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (StatusCode::CREATED, "")
    );
    assert!(first.json["id"].as_str().unwrap().starts_with("qt_"));
    let again = world.post("/v1/quotes").json(&quote(100)).send().await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (StatusCode::CREATED, "true")
    );
    assert_eq!(again.json["id"], first.json["id"]);
    // The order of fields and white space are no other body.
    let text = "{ \"other_currency\":\"EUR\",\n \"amount\": {\"currency\":\"USD\", \"minor\":100}}";
    let same = world
        .post("/v1/quotes")
        .raw("application/json", text.as_bytes().to_vec())
        .send()
        .await;
    assert_eq!(same.json["id"], first.json["id"]);
    world
        .post("/v1/quotes")
        .json(&quote(101))
        .send()
        .await
        .problem(422, "IDEMPOTENCY_KEY_REUSED");
    let other_key = world
        .post("/v1/quotes")
        .header("idempotency-key", "key-2")
        .json(&quote(101))
        .send()
        .await;
    assert_ne!(other_key.json["id"], first.json["id"]);
    assert_eq!(known.lock().unwrap().len(), 2);
    // Thirty days later the key is free again; a replica that starts takes old keys away.
    let mut world = world;
    let month = Duration::from_secs(31 * 24 * 3_600);
    world.harness.clock.advance(month);
    drop(world.replica(Config::default()).await);
    let harness = &world.harness;
    harness
        .eventually("the key is free", || async {
            let answer = world.post("/v1/quotes").json(&quote(101)).send().await;
            answer.status == StatusCode::CREATED && answer.json["id"] != first.json["id"]
        })
        .await;
}

#[tokio::test]
async fn g3_an_id_that_the_gateway_makes_belongs_to_its_key() {
    ids_made_here_belong_to_their_keys(World::new().await).await;
}

#[tokio::test]
async fn g3_an_id_that_the_gateway_makes_belongs_to_its_key_on_postgres() {
    if let Some(world) = World::postgres().await {
        ids_made_here_belong_to_their_keys(world).await;
    }
}

#[tokio::test]
async fn g3_a_key_is_one_principals_and_one_routes() {
    let mut world = World::new().await;
    keep_quotes(&world);
    let first = world.post("/v1/quotes").json(&quote(100)).send().await;
    world.user = "user_01h455vb4pex5vsknk084sn02q".to_owned();
    let other = world.post("/v1/quotes").json(&quote(999)).send().await;
    assert_eq!(other.status, StatusCode::CREATED);
    assert_ne!(other.json["id"], first.json["id"]);
    let merchant = json!({ "name": "Shop", "country": "DE", "settlement_currency": "EUR" });
    assert_eq!(
        world
            .post("/v1/merchants")
            .json(&merchant)
            .send()
            .await
            .status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn g3_a_request_that_was_certainly_not_processed_gives_its_key_back_and_an_unknown_one_does_not()
 {
    let world = World::new().await;
    let fails = |kind, outcome| Fails {
        kind,
        reason: "SOME_REASON",
        message: "words",
        outcome,
    };
    let body = |name: &str| json!({ "name": name, "country": "DE", "settlement_currency": "EUR" });
    let method = "MerchantService/Register";
    world.fakes.fail(
        method,
        fails(ErrorKind::InvalidArgument, Outcome::NotProcessed),
    );
    world
        .post("/v1/merchants")
        .json(&body("Shopp"))
        .send()
        .await
        .problem(400, "SOME_REASON");
    world
        .fakes
        .fail(method, fails(ErrorKind::Unavailable, Outcome::Unknown));
    world.fakes.calls();
    world
        .post("/v1/merchants")
        .json(&body("Shop"))
        .send()
        .await
        .problem(503, "SOME_REASON");
    let first: Vec<merchant::RegisterRequest> = world.fakes.requests(method);
    world
        .post("/v1/merchants")
        .json(&body("Other"))
        .send()
        .await
        .problem(422, "IDEMPOTENCY_KEY_REUSED");
    world
        .post("/v1/merchants")
        .json(&body("Shop"))
        .send()
        .await
        .problem(503, "SOME_REASON");
    let again: Vec<merchant::RegisterRequest> = world.fakes.requests(method);
    assert_eq!(first[0].merchant_id, again[0].merchant_id);
}

#[tokio::test]
async fn g3_a_key_that_another_request_used_meanwhile_is_not_given_back() {
    let world = World::new().await;
    let known = keep_quotes(&world);
    let refused = Fails {
        kind: ErrorKind::FailedPrecondition,
        reason: "SOME_REASON",
        message: "words",
        outcome: Outcome::NotProcessed,
    };
    let held = world.fakes.hold("CurrencyService/LockQuote", refused);
    let first = world.post("/v1/quotes").json(&quote(100)).send();
    let second = async {
        held.arrived.notified().await;
        let second = world.post("/v1/quotes").json(&quote(100)).send().await;
        held.let_go.notify_one();
        second
    };
    let (first, second) = futures::join!(first, second);
    first.problem(422, "SOME_REASON");
    assert_eq!(second.status, StatusCode::CREATED);
    let again = world.post("/v1/quotes").json(&quote(100)).send().await;
    assert_eq!(again.json["id"], second.json["id"]);
    assert_eq!(known.lock().unwrap().len(), 1);
    world
        .post("/v1/quotes")
        .json(&quote(101))
        .send()
        .await
        .problem(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn g3_many_requests_with_one_key_at_once_make_one_thing() {
    let world = World::new().await;
    let known = keep_quotes(&world);
    let asks = (0..20).map(|_| world.post("/v1/quotes").json(&quote(100)).send());
    let answers = futures::future::join_all(asks).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == StatusCode::CREATED),
        "{answers:?}"
    );
    assert_eq!(known.lock().unwrap().len(), 1);
    let fresh = answers
        .iter()
        .filter(|answer| answer.header("idempotent-replayed").is_empty());
    assert_eq!(fresh.count(), 1);
}

#[tokio::test]
async fn g3_a_secret_that_was_shown_is_not_made_again() {
    let world = World::new().await;
    let body = json!({ "name": "ci", "roles": ["merchant"] });
    let made = world.post("/v1/api-keys").json(&body).send().await;
    assert_eq!(
        (made.status, made.json["secret"].as_str()),
        (StatusCode::CREATED, Some("a-secret"))
    );
    world.fakes.calls();
    world
        .post("/v1/api-keys")
        .json(&body)
        .send()
        .await
        .problem(409, "SECRET_SHOWN_ONCE");
    assert!(world.fakes.calls().is_empty());
    assert_eq!(
        world.ask(Method::GET, "/v1/api-keys").send().await.status,
        StatusCode::OK
    );
}
