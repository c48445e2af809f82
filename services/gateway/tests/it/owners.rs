//! Owners and merchants that a request names: those who do not exist for the caller are 404, and nothing is made.

use axum::http::Method;
use paymesh_kernel::{ErrorKind, Outcome};
use serde_json::{Value, json};

use crate::world::{Fails, World};

const PERSON: &str = "user_01h455vb4pex5vsknk084sn02q";
const SHOP: &str = "mrc_01h455vb4pex5vsknk084sn02q";

fn fails(kind: ErrorKind, reason: &'static str) -> Fails {
    Fails {
        kind,
        reason,
        message: "there is none",
        outcome: Outcome::Unknown,
    }
}

/// What may name somebody: method, path, body, the RPC that would be called, and which object is asked for.
fn cases() -> [(Method, &'static str, Value, &'static str, bool); 4] {
    let account = |kind, id| json!({ "owner": { "kind": kind, "id": id }, "currency": "USD" });
    let key = json!({ "name": "till", "roles": ["merchant"], "merchant_id": SHOP });
    let works_for = json!({ "merchant_id": SHOP });
    let user = "/v1/users/user_01h455vb4pex5vsknk084sn02r";
    [
        (
            Method::POST,
            "/v1/accounts",
            account("user", PERSON),
            "AccountService/OpenAccount",
            true,
        ),
        (
            Method::POST,
            "/v1/accounts",
            account("merchant", SHOP),
            "AccountService/OpenAccount",
            false,
        ),
        (
            Method::POST,
            "/v1/api-keys",
            key,
            "UserService/CreateApiKey",
            false,
        ),
        (
            Method::PATCH,
            user,
            works_for,
            "UserService/UpdateUser",
            false,
        ),
    ]
}

#[tokio::test]
async fn who_does_not_exist_for_the_caller_is_404_and_nothing_is_made() {
    let world = World::new().await;
    world.fakes.fail(
        "UserService/GetUser",
        fails(ErrorKind::NotFound, "USER_NOT_FOUND"),
    );
    world.fakes.fail(
        "MerchantService/GetMerchant",
        fails(ErrorKind::NotFound, "MERCHANT_NOT_FOUND"),
    );
    for (method, path, body, rpc, is_person) in cases() {
        let ask = world.ask(method, path).header("idempotency-key", "key-1");
        let answer = ask.json(&body).send().await;
        let reason = if is_person {
            "USER_NOT_FOUND"
        } else {
            "MERCHANT_NOT_FOUND"
        };
        let problem = answer.problem(404, reason);
        assert_eq!(problem["outcome"], "not_processed", "{path}");
        let calls = world.fakes.calls();
        assert!(
            calls.iter().all(|call| call.method != rpc),
            "{path}: {calls:?}"
        );
    }
}

#[tokio::test]
async fn who_exists_is_taken_and_who_cannot_be_asked_for_is_503_without_effect() {
    let world = World::new().await;
    for (place, (method, path, body, rpc, _)) in cases().into_iter().enumerate() {
        let ask = world
            .ask(method, path)
            .header("idempotency-key", &format!("key-{place}"));
        let answer = ask.json(&body).send().await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert!(
            world.fakes.calls().iter().any(|call| call.method == rpc),
            "{path}"
        );
    }
    for method in ["UserService/GetUser", "MerchantService/GetMerchant"] {
        world
            .fakes
            .fail(method, fails(ErrorKind::Unavailable, "STORAGE_UNAVAILABLE"));
    }
    for (method, path, body, rpc, _) in cases() {
        let ask = world.ask(method, path).header("idempotency-key", "key-9");
        let answer = ask.json(&body).send().await;
        let problem = answer.problem(503, "STORAGE_UNAVAILABLE");
        assert_eq!(problem["outcome"], "not_processed", "{path}");
        assert!(
            world.fakes.calls().iter().all(|call| call.method != rpc),
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_pays_by_a_method_need_not_have_registered() {
    let world = World::new().await;
    let guest = json!({ "customer_id": PERSON, "provider_token": "tok_ok_1" });
    let ask = world.post("/v1/payment-methods").json(&guest);
    let answer = ask.header("idempotency-key", "key-1").send().await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let calls = world.fakes.calls();
    assert!(
        calls
            .iter()
            .all(|call| call.method != "UserService/GetUser")
    );
}

#[tokio::test]
async fn a_wrong_id_is_the_keepers_to_refuse() {
    let world = World::new().await;
    let asked = |method: &str| world.fakes.calls().iter().any(|call| call.method == method);
    world.fakes.fail(
        "MerchantService/GetMerchant",
        fails(ErrorKind::InvalidArgument, "REQUEST_INVALID"),
    );
    let body = json!({ "owner": { "kind": "merchant", "id": "x" }, "currency": "USD" });
    let ask = world
        .post("/v1/accounts")
        .header("idempotency-key", "key-2");
    ask.json(&body).send().await;
    assert!(asked("AccountService/OpenAccount"));
}
