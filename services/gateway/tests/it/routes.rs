//! Every route once: a request made from the document is taken, the RPC behind it is called, and the answer is as documented.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::world::{Answer, World};

const DEPTH: usize = 8;

/// A value that the schema allows.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        if reference.ends_with("/Party") {
            return json!({ "account_id": "acct_1" });
        }
        return example(
            document,
            &document.pointer(&reference[1..]).unwrap().clone(),
            depth,
        );
    }
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    if !schema["anyOf"].is_null() {
        return example(document, &schema["anyOf"][0], depth);
    }
    // What may be null comes with a value.
    let kind = schema["type"].as_str().or(schema["type"][0].as_str());
    match kind {
        Some("object") if schema["additionalProperties"].is_object() => json!({ "key": "value" }),
        Some("object") => {
            let fields = schema["properties"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|_| depth > 0);
            let all: Map<String, Value> = fields
                .map(|(name, field)| {
                    (
                        name.clone(),
                        named(name, example(document, field, depth - 1)),
                    )
                })
                .collect();
            Value::Object(all)
        }
        Some("array") => json!([example(document, &schema["items"], depth - 1)]),
        Some("integer") => json!(7),
        Some("number") => json!(0.5),
        Some("boolean") => json!(true),
        Some("string") if schema["format"] == "date-time" => json!("2026-01-31T12:00:00Z"),
        Some("string") if schema["contentEncoding"] == "base64" => json!("AQI="),
        _ => json!("text"),
    }
}

fn named(name: &str, value: Value) -> Value {
    if name == "currency" {
        json!("USD")
    } else {
        value
    }
}

/// Checks a value against a schema, as far as the schemas of the document go.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return check(
            document,
            document.pointer(&reference[1..]).unwrap(),
            value,
            place,
        );
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(
            words.contains(value),
            "{place}: {value} is none of {words:?}"
        );
    }
    match schema["type"].as_str() {
        Some("object") => {
            let fields = value
                .as_object()
                .unwrap_or_else(|| panic!("{place}: {value} is no object"));
            for required in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    fields.contains_key(required.as_str().unwrap()),
                    "{place} lacks {required}"
                );
            }
            let properties = schema["properties"].as_object();
            for (name, field) in fields {
                let known = properties.and_then(|properties| properties.get(name));
                let schema = known.unwrap_or(&schema["additionalProperties"]);
                assert!(!schema.is_null(), "{place}.{name} is not documented");
                check(document, schema, field, &format!("{place}.{name}"));
            }
        }
        Some("array") => {
            for item in value
                .as_array()
                .unwrap_or_else(|| panic!("{place}: {value} is no array"))
            {
                check(document, &schema["items"], item, &format!("{place}[]"));
            }
        }
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{place}: {value}"),
        Some("number") => assert!(value.is_number(), "{place}: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{place}: {value}"),
        Some("string") => assert!(value.is_string(), "{place}: {value}"),
        _ => {}
    }
}

async fn call(
    world: &World,
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
) -> Answer {
    let concrete: Vec<&str> = path
        .split('/')
        .map(|part| match part {
            "{height}" => "7",
            part if part.starts_with('{') => "an-id",
            part => part,
        })
        .collect();
    let mut uri = concrete.join("/");
    let parameters = operation["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let query: Vec<String> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap();
            let value = named(name, example(document, &parameter["schema"], DEPTH));
            format!(
                "{name}={}",
                value.to_string().trim_matches('"').replace('+', "%2B")
            )
        })
        .collect();
    if !query.is_empty() {
        uri = format!("{uri}?{}", query.join("&"));
    }
    let method: Method = method.to_uppercase().parse().unwrap();
    let mut ask = world.ask(method, &uri);
    if parameters
        .iter()
        .any(|parameter| parameter["name"] == "Idempotency-Key")
    {
        ask = ask.header("idempotency-key", &format!("key for {path}"));
    }
    let content = &operation["requestBody"]["content"];
    if let Some(json) = content.get("application/json") {
        ask = ask.json(&example(document, &json["schema"], DEPTH));
    } else if !content.is_null() {
        ask = ask.raw("text/csv", b"a,b\n1,2\n".to_vec());
    }
    ask.send().await
}

#[tokio::test]
async fn every_documented_route_takes_what_the_document_says_and_answers_as_it_says() {
    let world = World::new().await;
    let document = world.get("/openapi.json").send().await.json;
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if path == "/v1/events" {
            continue;
        }
        for (method, operation) in methods.as_object().unwrap() {
            let answer = call(&world, &document, path, method, operation).await;
            let place = format!("{method} {path}");
            assert!(answer.status.is_success(), "{place}: {answer:?}");
            let status = answer.status.as_u16().to_string();
            let documented = &operation["responses"][&status];
            assert!(
                !documented.is_null(),
                "{place} answers {status}, which is not documented"
            );
            let schema = &documented["content"]["application/json"]["schema"];
            if answer.header("content-type") == "application/json" && path != "/openapi.json" {
                check(&document, schema, &answer.json, &place);
                assert_ne!(answer.json, json!({}), "{place} answers nothing");
            }
            let is_local =
                ["/", "/openapi.json", "/docs", "/.well-known/jwks.json"].contains(&path.as_str());
            let calls = world.fakes.calls();
            assert!(is_local || !calls.is_empty(), "{place} calls nobody");
            for call in calls
                .iter()
                .filter(|call| call.method != "UserService/GetJwks")
            {
                let is_public = operation["security"] == json!([]);
                assert_eq!(
                    call.subject.is_some(),
                    !is_public,
                    "{place} for {:?}",
                    call.subject
                );
                assert_eq!(call.request_id, answer.header("x-request-id"), "{place}");
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[tokio::test]
async fn a_payment_reads_as_people_write_it() {
    let world = World::new().await;
    let body = json!({
        "kind": "purchase",
        "amount": { "minor": 1_999, "currency": "USD" },
        "payer": { "payment_method_id": "pm_1", "customer_id": "user_1" },
        "payee": { "merchant_id": "mrc_1", "terminal_id": "term_1" },
        "capture_method": "manual",
        "metadata": { "order": "42" },
        "business_at": "2026-01-31T12:00:00Z",
    });
    let answer = world.post("/v1/transactions").json(&body).send().await;
    assert!(answer.status.is_success(), "{answer:?}");
    let requests = world.fakes.requests("TransactionService/CreateTransaction");
    let request: &paymesh_proto::transaction::v1::CreateTransactionRequest = &requests[0];
    assert_eq!(request.idempotency_key, "key-1");
    assert_eq!(request.amount.as_ref().unwrap().minor, 1_999);
    assert_eq!(request.business_at_us, 1_769_860_800_000_000);
    assert_eq!(
        request.metadata.get("order").map(String::as_str),
        Some("42")
    );
    assert_eq!(request.wait_ms, None);
    let payer = request.payer.as_ref().unwrap().party.as_ref().unwrap();
    assert!(format!("{payer:?}").contains("pm_1"));
}

#[tokio::test]
async fn the_home_page_links_to_the_document_and_the_document_is_for_machines_and_people() {
    let world = World::new().await;
    let home = world.get("/").without("authorization").send().await;
    assert_eq!(home.status, StatusCode::OK);
    for link in ["documentation", "openapi", "jwks"] {
        let path = home.json["links"][link].as_str().unwrap();
        let answer = world.get(path).without("authorization").send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let keys = world.get("/.well-known/jwks.json").send().await;
    assert_eq!(keys.json["keys"][0]["kid"], world.keys.id());
}

#[tokio::test]
async fn the_file_of_a_report_is_passed_on_and_goes_on_where_it_broke() {
    let world = World::new().await;
    let whole = world.get("/v1/reports/runs/run_1/file").send().await;
    assert_eq!(
        (whole.status, whole.bytes.as_ref()),
        (StatusCode::OK, [1_u8, 2].as_slice())
    );
    assert_eq!(whole.header("content-type"), "text/csv; charset=utf-8");
    let rest = world
        .get("/v1/reports/runs/run_1/file")
        .header("range", "bytes=0-")
        .send()
        .await;
    assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(rest.header("content-range"), "bytes 0-0/1");
    let wrong = world
        .get("/v1/reports/runs/run_1/file")
        .header("range", "lines=1-2")
        .send()
        .await;
    wrong.problem(400, "FIELDS_INVALID");
}

#[tokio::test]
async fn a_webhook_is_passed_on_byte_by_byte_without_credentials() {
    let world = World::new().await;
    let body = b"{\"card\": \"4242424242424242\" , \"raw\":\xff}".to_vec();
    let answer = world
        .post("/v1/webhooks/acme/live")
        .header("x-acme-signature", "t=1,v1=abc")
        .raw("application/json", body.clone())
        .send()
        .await;
    assert_eq!(
        (answer.status, &answer.json),
        (StatusCode::OK, &json!({ "received": true }))
    );
    let requests = world.fakes.requests("PaymentService/HandleWebhook");
    let request: &paymesh_proto::payment::v1::HandleWebhookRequest = &requests[0];
    assert_eq!(
        (
            request.connector.as_str(),
            request.connector_account.as_str()
        ),
        ("acme", "live")
    );
    assert_eq!(request.body, body);
    let names: Vec<&str> = request
        .headers
        .iter()
        .map(|header| header.name.as_str())
        .collect();
    assert!(
        names.contains(&"x-acme-signature") && !names.contains(&"authorization"),
        "{names:?}"
    );
}
