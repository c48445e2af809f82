//! Batches, payouts, statements and what does not agree.

use serde_json::json;

use super::{Ground, money};
use crate::walk::{Sent, Walk, text};

const REPORT: &str = "type,payment_id,operation_id,reference,currency,gross_minor,fee_minor,business_at,settlement_id\n\
                      capture,pay_walk,op_walk,txn_walk:authorize:forward,EUR,555,0,2026-01-15T12:00:00Z,\n";

pub(crate) async fn batches(walk: &mut Walk, ground: &Ground) {
    let body = json!({ "currency": "EUR" });
    let made = walk.post("/v1/settlement/batches", &[], body).await;
    let id = text(&made, "/id");
    walk.get("/v1/settlement/batches", &[], "currency=EUR")
        .await;
    walk.get("/v1/settlement/batches/{batch_id}", &[id], "")
        .await;
    let path = "/v1/settlement/batches/{batch_id}/close";
    walk.post(path, &[id], json!({})).await;
    let query = format!("merchant_id={}", ground.shop);
    walk.get("/v1/settlement/positions", &[], &query).await;
}

pub(crate) async fn payouts(walk: &mut Walk, ground: &Ground) {
    let query = format!(
        "owner_kind=merchant&owner_id={}&purpose=merchant_available",
        ground.shop
    );
    let place = ("/v1/accounts", &[][..], query.as_str());
    let held = "/data/0/balance/available_minor";
    walk.until(place, |page| {
        page.pointer(held).and_then(serde_json::Value::as_i64) >= Some(100)
    })
    .await;
    let owner = json!({ "kind": "merchant", "id": ground.shop });
    let body = json!({ "owner": owner, "currency": "EUR", "amount": money(100) });
    let made = walk.post("/v1/payouts", &[], body).await;
    walk.get("/v1/payouts", &[], "").await;
    walk.get("/v1/payouts/{payout_id}", &[text(&made, "/id")], "")
        .await;
}

pub(crate) async fn differences(walk: &mut Walk, ground: &Ground) {
    let query = "kind=provider&source=simulated";
    let file = Sent::Raw(
        vec![("content-type", "text/csv".to_owned())],
        REPORT.to_owned(),
    );
    let made = walk
        .call("POST /v1/settlement/statements", &[], query, file)
        .await;
    walk.get("/v1/settlement/statements", &[], "kind=provider")
        .await;
    let path = "/v1/settlement/statements/{statement_id}/lines";
    walk.get(path, &[text(&made, "/id")], "").await;
    let body = json!({ "currency": "EUR", "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" });
    let run = walk.post("/v1/settlement/reconciliations", &[], body).await;
    walk.get("/v1/settlement/reconciliations", &[], "").await;
    let path = "/v1/settlement/reconciliations/{reconciliation_id}";
    walk.get(path, &[text(&run, "/id")], "").await;
    let found = walk.get("/v1/settlement/breaks", &[], "").await;
    let id = text(&found, "/data/0/id");
    walk.get("/v1/settlement/breaks/{break_id}", &[id], "")
        .await;
    let body = json!({ "assignee": ground.person, "note": "please look" });
    let path = "/v1/settlement/breaks/{break_id}/assign";
    walk.post(path, &[id], body).await;
    let path = "/v1/settlement/breaks/{break_id}/write-off";
    // An API key is nobody: two people write a difference off.
    let key = walk.become_with(&ground.first);
    walk.post(path, &[id], json!({ "note": "too small to follow" }))
        .await;
    walk.become_with(&ground.second);
    let path = "/v1/settlement/breaks/{break_id}/write-off/approve";
    walk.post(path, &[id], json!({})).await;
    walk.become_with(&key);
}
