//! Rates and quotes, purchases and their steps, disputes, and transactions that need people.

use hmac::{Hmac, KeyInit as _, Mac as _};
use paymesh_e2e::Platform;
use paymesh_kernel::{Clock as _, SystemClock};
use sea_orm::{ConnectionTrait as _, Database};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Ground, money, people};
use crate::walk::{Sent, Walk, text};

const TRANSACTION: &str = "/v1/transactions/{transaction_id}";
const RATES: &str = "Date,USD,\n2026-01-15,1.16,\n";

pub(crate) async fn rates(walk: &mut Walk) {
    walk.get(
        "/v1/rates",
        &[],
        "base_currency=EUR&quote_currency=USD&limit=3",
    )
    .await;
    walk.get("/v1/rates/sources", &[], "").await;
    let pair = "/v1/rates/{base_currency}/{quote_currency}";
    walk.get(pair, &["EUR", "USD"], "").await;
    walk.get("/v1/convert", &[], "currency=EUR&minor=1000&to=USD")
        .await;
    let file = Sent::Raw(
        vec![("content-type", "text/csv".to_owned())],
        RATES.to_owned(),
    );
    let query = "format=ecb_csv&source=walk";
    walk.call("POST /v1/rates/import", &[], query, file).await;
    let body = json!({ "amount": money(1_000), "other_currency": "USD" });
    let quote = walk.post("/v1/quotes", &[], body).await;
    walk.get("/v1/quotes", &[], "").await;
    walk.get("/v1/quotes/{quote_id}", &[text(&quote, "/id")], "")
        .await;
}

pub(crate) async fn purchases(walk: &mut Walk, ground: &Ground) {
    let body = ground.purchase(&ground.card, 5_000);
    let paid = walk.post("/v1/transactions", &[], body).await;
    let id = text(&paid, "/id");
    walk.get(TRANSACTION, &[id], "wait_ms=1000").await;
    walk.get("/v1/transactions", &[], "status=completed").await;
    walk.get("/v1/transactions/summary", &[], "").await;
    walk.get("/v1/transactions/{transaction_id}/history", &[id], "")
        .await;
    let body = json!({ "amount": money(1_000), "reason": "returned" });
    walk.post("/v1/transactions/{transaction_id}/refunds", &[id], body)
        .await;
    walk.get("/v1/attempts", &[], &format!("transaction_id={id}"))
        .await;
    let attempt = text(&paid, "/attempt_id");
    let attempt = walk.get("/v1/attempts/{attempt_id}", &[attempt], "").await;
    let query = format!("reference={}", text(&attempt, "/reference"));
    walk.get("/v1/attempts/lookup", &[], &query).await;
}

pub(crate) async fn steps(walk: &mut Walk, ground: &Ground) {
    let held = authorize(walk, ground).await;
    let path = "/v1/transactions/{transaction_id}/captures";
    walk.post(path, &[&held], json!({ "amount": money(500) }))
        .await;
    let held = authorize(walk, ground).await;
    let path = "/v1/transactions/{transaction_id}/cancel";
    walk.post(path, &[&held], json!({ "reason": "sold out" }))
        .await;
    let card = people::card(walk, ground, "tok_3ds_challenge_walk").await;
    let body = ground.purchase(&card, 700);
    let waiting = walk.post("/v1/transactions", &[], body).await;
    let action = text(&waiting, "/required_action/action_id");
    let path = "/v1/transactions/{transaction_id}/action";
    let body = json!({ "action_id": action, "response": "success" });
    walk.post(path, &[text(&waiting, "/id")], body).await;
}

async fn authorize(walk: &mut Walk, ground: &Ground) -> String {
    let mut body = ground.purchase(&ground.card, 900);
    body["capture_method"] = json!("manual");
    let held = walk.post("/v1/transactions", &[], body).await;
    text(&held, "/id").to_owned()
}

pub(crate) async fn disputes(walk: &mut Walk, ground: &Ground, platform: &Platform) {
    let card = people::card(walk, ground, "tok_chargeback_walk").await;
    let body = ground.purchase(&card, 1_200);
    let paid = walk.post("/v1/transactions", &[], body).await;
    let query = format!("transaction_id={}", text(&paid, "/id"));
    let place = ("/v1/disputes", &[][..], query.as_str());
    let opened = walk.until(place, |page| page["data"][0].is_object()).await;
    let dispute = text(&opened, "/data/0/id");
    walk.get("/v1/disputes/{dispute_id}", &[dispute], "").await;
    let body = json!({ "evidence": [{ "kind": "receipt", "text": "signed: winning_evidence" }] });
    let path = "/v1/disputes/{dispute_id}/evidence";
    walk.post(path, &[dispute], body).await;
    // Of a payment that nobody disputed at the provider.
    let body = ground.purchase(&ground.card, 1_300);
    let paid = walk.post("/v1/transactions", &[], body).await;
    let body = json!({
        "dispute_id": "dp_01h455vb4pex5vsknk084sn02q", "stage": "opened", "amount": money(1_300), "reason": "fraud",
    });
    let path = "/v1/transactions/{transaction_id}/chargebacks";
    walk.post(path, &[text(&paid, "/id")], body).await;
    let kept = platform.folder().join("data/sandbox.json");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(kept).unwrap()).unwrap();
    for (path, parameters) in [
        ("POST /v1/webhooks/{connector}", &["simulated"][..]),
        (
            "POST /v1/webhooks/{connector}/{account}",
            &["simulated", "default"][..],
        ),
    ] {
        let body = json!({
            "id": walk.unique("evt_walk"), "type": "payment.captured", "sequence": 1, "created_at": "2026-01-15T12:00:00Z",
            "data": { "object": "payment", "payment_id": "pay_walk", "payment_reference": "walk" },
        });
        let body = body.to_string();
        let signature = sign(text(&kept, "/webhook_secret"), &body);
        let sent = Sent::Raw(vec![("Paymesh-Simulator-Signature", signature)], body);
        walk.call(path, parameters, "", sent).await;
    }
}

/// As the simulated provider signs.
fn sign(secret: &str, body: &str) -> String {
    let seconds = SystemClock.now().as_millis() / 1_000;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!(
        "t={seconds},v1={}",
        hex::encode(mac.finalize().into_bytes())
    )
}

/// No simulated party makes a transaction stuck by itself, so the row is made so.
#[allow(
    clippy::disallowed_methods,
    reason = "a look into the database of another process, as an operator has it"
)]
pub(crate) async fn stuck(walk: &mut Walk, ground: &Ground, platform: &Platform) {
    let held = authorize(walk, ground).await;
    let database = Database::connect(platform.database("transaction"))
        .await
        .unwrap();
    let made = database
        .execute_unprepared("UPDATE transactions SET status = 'stuck' WHERE status = 'authorized'")
        .await
        .unwrap();
    assert!(made.rows_affected() > 0, "the transaction is authorized");
    database.close().await.unwrap();
    let path = "/v1/transactions/{transaction_id}/resolutions";
    let body = json!({ "resolution": "abandon", "reason": "nobody knows" });
    let key = walk.become_with(&ground.first);
    let asked = walk.post(path, &[&held], body).await;
    let resolution = text(&asked, "/resolution_request/id");
    walk.become_with(&ground.second);
    let path = "/v1/transactions/{transaction_id}/resolutions/{resolution_id}/approve";
    walk.post(path, &[&held, resolution], json!({})).await;
    walk.become_with(&key);
}
