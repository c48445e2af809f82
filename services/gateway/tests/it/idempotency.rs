//! Idempotency keys, to the letter (G3).

use axum::http::StatusCode;
use paymesh_kernel::{ErrorKind, Outcome};
use paymesh_proto::{transaction::v1 as transaction, types::v1 as types};
use serde_json::{Value, json};

use crate::world::{Fails, World};

fn payment() -> Value {
    json!({ "kind": "transfer", "amount": { "minor": 100, "currency": "USD" } })
}

fn answer_with(world: &World, status: transaction::TransactionStatus, outcome: types::Outcome) {
    world.fakes.answer(
        "TransactionService/CreateTransaction",
        move |_: transaction::CreateTransactionRequest| {
            Ok(transaction::CreateTransactionResponse {
                transaction: Some(transaction::Transaction {
                    id: "txn_1".to_owned(),
                    kind: transaction::TransactionKind::Transfer.into(),
                    status: status.into(),
                    decline_reason: types::DeclineReason::InsufficientFunds.into(),
                    ..Default::default()
                }),
                outcome: outcome.into(),
            })
        },
    );
}

#[tokio::test]
async fn g3_a_key_is_needed_and_must_be_a_sane_one() {
    let world = World::new().await;
    let long = "k".repeat(256);
    let missing = world
        .post("/v1/transactions")
        .without("idempotency-key")
        .json(&payment())
        .send()
        .await;
    assert_eq!(
        missing.problem(400, "IDEMPOTENCY_KEY_MISSING")["errors"][0]["field"],
        "Idempotency-Key"
    );
    for key in ["", " ", long.as_str()] {
        let answer = world
            .post("/v1/transactions")
            .header("idempotency-key", key)
            .json(&payment())
            .send()
            .await;
        answer.problem(400, "IDEMPOTENCY_KEY_MALFORMED");
    }
    let longest = world
        .post("/v1/transactions")
        .header("idempotency-key", &long[1..])
        .json(&payment())
        .send()
        .await;
    assert!(longest.status.is_success());
}

#[tokio::test]
async fn g3_a_decline_is_201_what_still_runs_is_202_and_a_repeat_says_so() {
    use transaction::TransactionStatus as Status;
    let world = World::new().await;
    let (applied, again) = (types::Outcome::Applied, types::Outcome::AlreadyApplied);
    let (made, taken) = (StatusCode::CREATED, StatusCode::ACCEPTED);
    for (status, outcome, http, replayed) in [
        (Status::Completed, applied, made, ""),
        (Status::Completed, again, made, "true"),
        (Status::Declined, applied, made, ""),
        (Status::Declined, again, made, "true"),
        (Status::RequiresAction, applied, made, ""),
        (Status::InReview, applied, made, ""),
        (Status::Authorized, applied, made, ""),
        (Status::Initiated, applied, taken, ""),
        (Status::Processing, again, taken, "true"),
        (Status::Unknown, applied, taken, ""),
    ] {
        answer_with(&world, status, outcome);
        let answer = world.post("/v1/transactions").json(&payment()).send().await;
        assert_eq!(answer.status, http, "{status:?}");
        assert_eq!(answer.header("idempotent-replayed"), replayed, "{status:?}");
        assert_eq!(answer.header("location"), "/v1/transactions/txn_1");
        if status == Status::Declined {
            assert_eq!(answer.json["status"], "declined");
            assert_eq!(answer.json["decline_reason"], "insufficient_funds");
        }
    }
}

#[tokio::test]
async fn g3_what_the_owner_of_the_effect_says_of_a_key_is_passed_on() {
    let world = World::new().await;
    let fails = |kind, reason| Fails {
        kind,
        reason,
        message: "words",
        outcome: Outcome::NotProcessed,
    };
    world.fakes.fail(
        "TransactionService/CreateTransaction",
        fails(ErrorKind::FailedPrecondition, "IDEMPOTENCY_KEY_REUSED"),
    );
    world
        .post("/v1/transactions")
        .json(&payment())
        .send()
        .await
        .problem(422, "IDEMPOTENCY_KEY_REUSED");
    let reason = "IDEMPOTENCY_IN_PROGRESS";
    world.fakes.fail(
        "TransactionService/CreateTransaction",
        fails(ErrorKind::Aborted, reason),
    );
    let answer = world.post("/v1/transactions").json(&payment()).send().await;
    assert_eq!(answer.problem(409, reason)["retry_after_ms"], 1_000);
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_caller_says_how_long_to_wait_within_bounds() {
    let world = World::new().await;
    let wait = |prefer: &'static str, wait_ms: Option<i32>| {
        let mut body = payment();
        if let Some(wait_ms) = wait_ms {
            body["wait_ms"] = json!(wait_ms);
        }
        let ask = world.post("/v1/transactions").json(&body);
        if prefer.is_empty() {
            ask
        } else {
            ask.header("prefer", prefer)
        }
    };
    for (prefer, wait_ms, passed_on) in [
        ("", None, None),
        ("wait=3", None, Some(3_000)),
        ("respond-async, wait=0", None, Some(0)),
        ("wait=9999", None, Some(25_000)),
        ("wait=soon", None, None),
        ("wait=3", Some(500), Some(500)),
        ("", Some(0), Some(0)),
    ] {
        assert!(wait(prefer, wait_ms).send().await.status.is_success());
        let requests = world.fakes.requests("TransactionService/CreateTransaction");
        let request: &transaction::CreateTransactionRequest = &requests[0];
        assert_eq!(request.wait_ms, passed_on, "{prefer} {wait_ms:?}");
    }
    wait("", Some(25_001))
        .send()
        .await
        .problem(400, "FIELDS_INVALID");
    wait("", Some(-1))
        .send()
        .await
        .problem(400, "FIELDS_INVALID");
}
