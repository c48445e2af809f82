//! Accounts, the ledger, and reports of both.

use serde_json::json;

use super::{Ground, people};
use crate::walk::{Sent, Walk, text};

pub(crate) async fn accounts(walk: &mut Walk, ground: &Ground) {
    let owner = json!({ "kind": "user", "id": ground.person });
    let body = json!({ "currency": "USD", "purpose": "customer_balance", "owner": owner });
    let made = walk.post("/v1/accounts", &[], body).await;
    let id = text(&made, "/id");
    walk.get("/v1/accounts", &[], "currency=USD").await;
    walk.get("/v1/accounts/{account_id}", &[id], "").await;
    walk.get("/v1/accounts/{account_id}/balance", &[id], "")
        .await;
    walk.get(
        "/v1/accounts/{account_id}/statement",
        &[&ground.account],
        "",
    )
    .await;
    for verb in ["suspend", "resume", "close"] {
        let path = format!("/v1/accounts/{{account_id}}/{verb}");
        walk.post(&path, &[id], json!({ "reason": "a walk" })).await;
    }
    // So that the ledger has something of a person's to show.
    let card = people::card(walk, ground, "tok_ok_top_up").await;
    let body = json!({
        "kind": "top_up", "amount": super::money(2_500),
        "payer": { "payment_method_id": card }, "payee": { "account_id": ground.account },
    });
    walk.post("/v1/transactions", &[], body).await;
}

pub(crate) async fn ledger(walk: &mut Walk, ground: &Ground) {
    let query = format!("account_id={}", ground.account);
    let transfers = walk.get("/v1/ledger/transfers", &[], &query).await;
    let transfer = text(&transfers, "/data/0/id");
    walk.get("/v1/ledger/transfers/{transfer_id}", &[transfer], "")
        .await;
    let body = json!({ "transfer_ids": [transfer] });
    walk.post("/v1/ledger/transfers/lookup", &[], body).await;
    walk.get("/v1/ledger/trial-balance", &[], "").await;
    walk.get("/v1/ledger/batches", &[], "limit=2").await;
    let first = walk.get("/v1/ledger/batches/{height}", &["1"], "").await;
    let size = |batch: &serde_json::Value| batch["size"].as_u64().unwrap_or(1);
    let second = walk.get("/v1/ledger/batches/{height}", &["2"], "").await;
    let path = "/v1/ledger/proofs/transfers/{transfer_id}";
    walk.get(path, &[transfer], "").await;
    let query = format!("first_size={}&second_size={}", size(&first), size(&second));
    walk.get("/v1/ledger/proofs/consistency", &[], &query).await;
    walk.get("/v1/ledger/periods", &[], "").await;
    let body = json!({ "until": "2020-01-01T00:00:00Z" });
    walk.post("/v1/ledger/periods", &[], body).await;
}

pub(crate) async fn reports(walk: &mut Walk) {
    let definition = json!({ "name": "walk", "kind": "trial_balance", "format": "json" });
    let made = walk
        .post("/v1/reports/definitions", &[], definition.clone())
        .await;
    let id = text(&made, "/id").to_owned();
    let path = "/v1/reports/definitions/{definition_id}";
    walk.get("/v1/reports/definitions", &[], "").await;
    walk.get(path, &[&id], "").await;
    let put = format!("PUT {path}");
    walk.call(&put, &[&id], "", Sent::Json(definition.clone()))
        .await;
    let body = json!({ "definition_id": id, "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z" });
    let run = walk.post("/v1/reports/runs", &[], body).await;
    let run = text(&run, "/id");
    walk.get("/v1/reports/runs", &[], "").await;
    let place = ("/v1/reports/runs/{run_id}", &[run][..], "wait_ms=1000");
    walk.until(place, |run| run["state"] == "completed").await;
    walk.get("/v1/reports/runs/{run_id}/file", &[run], "").await;
    let body = json!({ "definition_id": id, "cadence": "daily" });
    let made = walk.post("/v1/reports/schedules", &[], body).await;
    let schedule = text(&made, "/id");
    walk.get("/v1/reports/schedules", &[], "").await;
    let path = "/v1/reports/schedules/{schedule_id}";
    walk.get(path, &[schedule], "").await;
    let body = json!({ "cadence": "weekly", "enabled": true, "minute_of_day": 60 });
    walk.call(&format!("PUT {path}"), &[schedule], "", Sent::Json(body))
        .await;
    walk.call(&format!("DELETE {path}"), &[schedule], "", Sent::Nothing)
        .await;
    let spare = walk.post("/v1/reports/definitions", &[], {
        let mut spare = definition;
        spare["name"] = json!("walk-spare");
        spare
    });
    let spare = spare.await;
    let path = "DELETE /v1/reports/definitions/{definition_id}";
    walk.call(path, &[text(&spare, "/id")], "", Sent::Nothing)
        .await;
}
