//! Problems: every wrong request has one, and it names what is wrong without repeating it.

use axum::http::{Method, StatusCode};
use paymesh_gateway::Config;
use paymesh_kernel::{ErrorKind, Outcome};
use serde_json::{Value, json};

use crate::world::{Fails, World};

const CARD: &str = "4242 4242 4242 4242";

fn payment() -> Value {
    json!({
        "kind": "transfer",
        "amount": { "minor": 100, "currency": "USD" },
        "payer": { "account_id": "acct_1" },
        "payee": { "user_id": "user_1" },
    })
}

fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

/// Whatever was refused, no component was asked for anything but the keys of tokens.
fn nothing_was_asked(world: &World) {
    let calls = world.fakes.calls();
    assert!(
        calls
            .iter()
            .all(|call| call.method == "UserService/GetJwks"),
        "{calls:?}"
    );
}

#[tokio::test]
async fn g7_each_wrong_field_is_named_with_its_rule_and_all_of_them_at_once() {
    let world = World::new().await;
    let mut body = payment();
    body["kind"] = json!("theft");
    body["amount"] = json!({ "minor": "100", "currency": "usd", "scale": 2 });
    body["payee"] = json!({ "user_id": "user_1", "account_id": "acct_1" });
    body["colour"] = json!("red");
    body["metadata"] = json!({ "a": 1 });
    body["business_at"] = json!("yesterday");
    let answer = world.post("/v1/transactions").json(&body).send().await;
    let problem = answer.problem(400, "FIELDS_INVALID");
    let named = fields(problem);
    for field in [
        "kind",
        "amount.minor",
        "amount.currency",
        "amount.scale",
        "payee",
        "colour",
        "metadata",
        "business_at",
    ] {
        assert!(named.contains(&field), "{field} {named:?}");
    }
    assert_eq!(problem["outcome"], "not_processed");
    assert!(
        problem["errors"]
            .to_string()
            .contains("must be one of transfer, purchase"),
        "{problem}"
    );
    assert!(
        world
            .fakes
            .requests::<paymesh_proto::transaction::v1::CreateTransactionRequest>(
                "TransactionService/CreateTransaction"
            )
            .is_empty()
    );
}

#[tokio::test]
async fn g7_a_body_that_is_missing_or_no_json_or_too_large_has_its_own_problem() {
    let world = World::with(Config {
        body_limit_bytes: 512,
        ..Config::default()
    })
    .await;
    let path = "/v1/transactions";
    let empty = world.post(path).send().await;
    assert_eq!(
        fields(empty.problem(400, "FIELDS_INVALID")),
        ["kind", "amount"]
    );
    let broken = world
        .post(path)
        .raw("application/json", b"{\"kind\": ".to_vec())
        .send()
        .await;
    assert!(
        broken.problem(400, "BODY_NOT_JSON")["detail"]
            .as_str()
            .unwrap()
            .contains("line 1")
    );
    let text = world
        .post(path)
        .raw("text/plain", b"{}".to_vec())
        .send()
        .await;
    text.problem(415, "MEDIA_TYPE_UNSUPPORTED");
    let list = world.post(path).json(&json!([])).send().await;
    list.problem(400, "FIELDS_INVALID");
    let large = world
        .post(path)
        .raw("application/json", vec![b' '; 600])
        .send()
        .await;
    large.problem(413, "BODY_TOO_LARGE");
    let announced = world
        .post(path)
        .raw("application/json", vec![b' '; 9])
        .header("content-length", "99999")
        .send()
        .await;
    announced.problem(413, "BODY_TOO_LARGE");
    let charset = world
        .post(path)
        .raw(
            "application/json; charset=utf-8",
            payment().to_string().into_bytes(),
        )
        .send()
        .await;
    assert!(charset.status.is_success());
}

#[tokio::test]
async fn g7_an_unknown_route_and_a_wrong_method_are_problems_too() {
    let world = World::new().await;
    for path in ["/v2/transactions", "/v1/transactions/", "/v1", "/%00"] {
        world
            .get(path)
            .without("authorization")
            .send()
            .await
            .problem(404, "ROUTE_UNKNOWN");
    }
    let answer = world.ask(Method::DELETE, "/v1/transactions").send().await;
    answer.problem(405, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.header("allow"), "POST,GET,HEAD");
}

#[tokio::test]
async fn g7_wrong_queries_are_named() {
    let world = World::new().await;
    for (path, field) in [
        ("/v1/transactions?limit=0", "limit"),
        ("/v1/transactions?limit=101", "limit"),
        ("/v1/transactions?limit=ten", "limit"),
        ("/v1/transactions?state=completed", "state"),
        ("/v1/transactions?status=done", "status"),
        ("/v1/transactions?from=now", "from"),
        ("/v1/transactions?kind=transfer&kind=purchase", "kind"),
        ("/v1/accounts?owner_id=user_1", "owner_kind"),
        ("/v1/accounts/acct_1/balance?height=-1", "height"),
        ("/v1/ledger/batches/first", "height"),
        ("/v1/transactions/txn_1?wait_ms=99999", "wait_ms"),
        ("/v1/convert?minor=1.5&currency=USD&to=EUR", "minor"),
        ("/v1/convert?currency=USD&to=EUR", "minor"),
    ] {
        let answer = world.get(path).send().await;
        assert_eq!(
            fields(answer.problem(400, "FIELDS_INVALID")),
            [field],
            "{path}"
        );
    }
}

#[tokio::test]
async fn g4_a_card_number_is_refused_wherever_it_stands_and_never_repeated() {
    let world = World::new().await;
    let mut number = payment();
    number["metadata"] = json!({ "note": 4_242_424_242_424_242_u64 });
    let mut name = payment();
    name["metadata"] = json!({ CARD: "x" });
    let mut text = payment();
    text["description"] = json!(format!("charge {CARD} please"));
    let mut unknown = payment();
    unknown["card"] = json!({ "number": ["x", CARD] });
    for (body, field) in [
        (number, "metadata.note"),
        (name, "metadata"),
        (text, "description"),
        (unknown, "card.number[1]"),
    ] {
        let answer = world.post("/v1/transactions").json(&body).send().await;
        assert_eq!(fields(answer.problem(422, "CARD_NUMBER_REFUSED")), [field]);
        let shown = String::from_utf8_lossy(&answer.bytes).replace(' ', "");
        assert!(!shown.contains("42424242"), "{shown}");
    }
    let query = world
        .get("/v1/transactions?purpose=4242-4242-4242-4242")
        .send()
        .await;
    query.problem(422, "CARD_NUMBER_REFUSED");
    let key = world
        .post("/v1/transactions")
        .header("idempotency-key", CARD)
        .json(&payment())
        .send()
        .await;
    assert_eq!(
        fields(key.problem(422, "CARD_NUMBER_REFUSED")),
        ["Idempotency-Key"]
    );
    nothing_was_asked(&world);
}

#[tokio::test]
async fn g7_every_kind_of_error_has_its_status_and_keeps_its_reason_and_outcome() {
    let world = World::new().await;
    for kind in ErrorKind::ALL
        .into_iter()
        .filter(|kind| *kind != ErrorKind::Internal)
    {
        for outcome in [Outcome::NotProcessed, Outcome::Unknown] {
            world.fakes.fail(
                "TransactionService/CreateTransaction",
                Fails {
                    kind,
                    reason: "SOME_REASON",
                    message: "words for the caller",
                    outcome,
                },
            );
            let answer = world.post("/v1/transactions").json(&payment()).send().await;
            let problem = answer.problem(kind.http_status(), "SOME_REASON");
            assert_eq!(problem["outcome"], outcome.as_str());
            assert_eq!(problem["title"], "Some reason");
        }
    }
}

#[tokio::test]
async fn g7_internal_texts_never_leave() {
    let world = World::new().await;
    world.fakes.answer(
        "AccountService/GetAccount",
        |_: paymesh_proto::account::v1::GetAccountRequest| {
            Err::<paymesh_proto::account::v1::GetAccountResponse, _>(tonic::Status::unknown(
                "SELECT secret FROM accounts",
            ))
        },
    );
    let answer = world.get("/v1/accounts/acct_1").send().await;
    answer.problem(500, "INTERNAL");
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("SELECT"));
    // The gateway's own standing with a component is nothing that the caller could mend.
    world.fakes.fail(
        "AccountService/GetAccount",
        Fails {
            kind: ErrorKind::Unauthenticated,
            reason: "SERVICE_TOKEN_INVALID",
            message: "the calling component did not prove who it is",
            outcome: Outcome::NotProcessed,
        },
    );
    world
        .get("/v1/accounts/acct_1")
        .send()
        .await
        .problem(500, "INTERNAL");
    world.fakes.answer(
        "AccountService/GetAccount",
        |_: paymesh_proto::account::v1::GetAccountRequest| {
            Ok(paymesh_proto::account::v1::GetAccountResponse { account: None })
        },
    );
    world
        .get("/v1/accounts/acct_1")
        .send()
        .await
        .problem(500, "INTERNAL");
}

#[tokio::test]
async fn a_permission_that_is_missing_is_said_by_the_callee_and_is_403() {
    let world = World::new().await;
    let customer = format!("Bearer {}", world.token(&[paymesh_kernel::Role::Customer]));
    let answer = world
        .get("/v1/ledger/trial-balance")
        .header("authorization", &customer)
        .send()
        .await;
    assert!(
        answer.problem(403, "PERMISSION_MISSING")["detail"]
            .as_str()
            .unwrap()
            .contains("account.audit")
    );
    assert_eq!(
        world.get("/v1/ledger/trial-balance").send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn fields_of_a_component_are_named_as_the_caller_wrote_them() {
    #[derive(Debug, thiserror::Error)]
    #[error("two fields are wrong")]
    struct Wrong;
    impl paymesh_kernel::Fault for Wrong {
        fn kind(&self) -> ErrorKind {
            ErrorKind::InvalidArgument
        }
        fn reason(&self) -> &'static str {
            "FIELDS_INVALID"
        }
        fn violations(&self) -> Vec<paymesh_kernel::FieldViolation> {
            ["page.token", "expires_at_us", "amount.minor"]
                .map(|field| paymesh_kernel::FieldViolation::new(field, "is wrong"))
                .to_vec()
        }
    }
    let world = World::new().await;
    world
        .fakes
        .fail("TransactionService/ListTransactions", Wrong);
    let answer = world.get("/v1/transactions").send().await;
    assert_eq!(
        fields(answer.problem(400, "FIELDS_INVALID")),
        ["page", "expires_at", "amount.minor"]
    );
}

#[tokio::test]
async fn g4_a_card_number_is_refused_in_whatever_digits_and_groups_and_an_iban_is_taken() {
    let world = World::new().await;
    for text in [
        "4242/4242/4242/4242",
        "4242_4242_4242_4242",
        "4242\t4242\u{a0}4242\u{200b}4242",
        "\u{ff14}\u{ff12}424242 42424242",
        "card4242424242424242, please",
    ] {
        let mut body = payment();
        body["description"] = json!(text);
        let answer = world.post("/v1/transactions").json(&body).send().await;
        answer.problem(422, "CARD_NUMBER_REFUSED");
    }
    nothing_was_asked(&world);
    let mut body = payment();
    // Its digits alone are a card number.
    body["description"] = json!("FI40 1111 1111 1113 77");
    body["metadata"] = json!({ "rate": 1.234_567_890_123_456_7 });
    let answer = world.post("/v1/transactions").json(&body).send().await;
    assert_ne!(answer.json["reason"], "CARD_NUMBER_REFUSED", "{answer:?}");
}

#[tokio::test]
async fn g4_a_statement_with_a_card_number_is_refused_and_its_line_is_named() {
    let world = World::new().await;
    let path = "/v1/settlement/statements?kind=bank&source=acme";
    let file = b"date,amount,text\n2026-01-31,100,\"paid with 4242-4242-4242-4242\"\n".to_vec();
    let answer = world.post(path).raw("text/csv", file).send().await;
    let problem = answer.problem(422, "CARD_NUMBER_REFUSED");
    assert_eq!(fields(problem), ["line 2 of the body"]);
    assert!(!answer.json.to_string().contains("4242"), "{problem}");
    nothing_was_asked(&world);
}
