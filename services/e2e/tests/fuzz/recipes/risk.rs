//! Rules, lists, decisions and their past.

use serde_json::json;

use super::Ground;
use crate::walk::{Sent, Walk, text};

/// An amount that no other recipe pays.
const REVIEWED: i64 = 7_777;

pub(crate) async fn rules(walk: &mut Walk, ground: &Ground) {
    let rule = |state: &str| json!({ "name": "walk-review", "expression": format!("amount == {REVIEWED}"), "decision": "review", "state": state });
    let made = walk.post("/v1/risk/rules", &[], rule("enabled")).await;
    let id = text(&made, "/id");
    walk.get("/v1/risk/rules", &[], "state=enabled").await;
    walk.get("/v1/risk/rules/{rule_id}", &[id], "").await;
    for verb in ["approve", "reject"] {
        let body = ground.purchase(&ground.card, REVIEWED);
        let asked = walk.post("/v1/transactions", &[], body).await;
        let path = format!("/v1/transactions/{{transaction_id}}/review/{verb}");
        let note = json!({ "note": "looked at" });
        walk.post(&path, &[text(&asked, "/id")], note).await;
        let decision = text(&asked, "/risk_decision_id");
        walk.get("/v1/risk/decisions/{decision_id}", &[decision], "")
            .await;
    }
    walk.get("/v1/risk/decisions", &[], "decision=review").await;
    walk.get("/v1/risk/alerts", &[], "").await;
    let path = "PUT /v1/risk/rules/{rule_id}";
    walk.call(path, &[id], "", Sent::Json(rule("disabled")))
        .await;
    let path = "DELETE /v1/risk/rules/{rule_id}";
    walk.call(path, &[id], "", Sent::Nothing).await;
}

pub(crate) async fn past(walk: &mut Walk) {
    let entry =
        json!({ "kind": "review", "subject": "terminal", "value": "till-7", "note": "watched" });
    let made = walk.post("/v1/risk/list-entries", &[], entry.clone()).await;
    walk.get("/v1/risk/list-entries", &[], "kind=review").await;
    let id = text(&made, "/id");
    let path = "PUT /v1/risk/list-entries/{entry_id}";
    walk.call(path, &[id], "", Sent::Json(entry)).await;
    let path = "DELETE /v1/risk/list-entries/{entry_id}";
    walk.call(path, &[id], "", Sent::Nothing).await;
    let item = json!({
        "reference": "past-1", "customer_id": "c-1", "terminal_id": "t-1",
        "amount": super::money(2_000), "business_at": "2026-01-15T12:00:00Z",
    });
    let body = json!({ "import_id": "walk", "chunk": 0, "items": [item] });
    walk.post("/v1/risk/history", &[], body).await;
    let rule = json!({ "name": "try", "expression": "amount > 1", "decision": "review" });
    let body =
        json!({ "rules": [rule], "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" });
    walk.post("/v1/risk/backtests", &[], body).await;
}
