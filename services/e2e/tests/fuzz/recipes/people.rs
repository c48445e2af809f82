//! Tenants, staff, customers, merchants, and what is open to everyone.

use serde_json::json;

use super::Ground;
use crate::walk::{Sent, Walk, text};

const PASSWORD: &str = "a long enough password";

pub(crate) async fn open_to_all(walk: &mut Walk) {
    for path in [
        "/",
        "/docs",
        "/openapi.json",
        "/.well-known/jwks.json",
        "/v1/events",
    ] {
        walk.get(path, &[], "").await;
    }
}

pub(crate) async fn staff(walk: &mut Walk, ground: &mut Ground) {
    let tenants = walk.get("/v1/tenants", &[], "limit=5").await;
    walk.get(
        "/v1/tenants/{tenant_id}",
        &[text(&tenants, "/data/0/id")],
        "",
    )
    .await;
    let body = json!({
        "name": "Another", "mode": "sandbox", "country": "DE", "default_currency": "EUR",
        "admin_email": "root@another.example", "admin_name": "Root", "admin_password": PASSWORD,
    });
    walk.post("/v1/tenants", &[], body).await;
    let body =
        json!({ "tenant_id": ground.tenant, "email": ground.email, "password": ground.password });
    let session = walk.post("/v1/sessions", &[], body.clone()).await;
    let stays = walk.post("/v1/sessions", &[], body).await;
    ground.first = text(&stays, "/tokens/access_token").to_owned();
    let body = json!({ "refresh_token": text(&session, "/tokens/refresh_token") });
    let next = walk.post("/v1/sessions/refresh", &[], body).await;
    // A session ends by its own token.
    let key = walk.become_with(text(&next, "/access_token"));
    let id = text(&next, "/session_id");
    walk.call("DELETE /v1/sessions/{session_id}", &[id], "", Sent::Nothing)
        .await;
    walk.become_with(&key);
    let body = json!({ "name": "walk", "roles": ["auditor"] });
    let made = walk.post("/v1/api-keys", &[], body).await;
    walk.get("/v1/api-keys", &[], "").await;
    let id = text(&made, "/api_key/id");
    walk.call("DELETE /v1/api-keys/{api_key_id}", &[id], "", Sent::Nothing)
        .await;
    let second = person(walk, ground, "second@paymesh.example").await;
    let roles = Sent::Json(json!({ "roles": ["finance"] }));
    walk.call("PUT /v1/users/{user_id}/roles", &[&second.0], "", roles)
        .await;
    let body = json!({
        "tenant_id": ground.tenant, "email": "second@paymesh.example", "password": PASSWORD,
    });
    let session = walk.post("/v1/sessions", &[], body).await;
    ground.second = text(&session, "/tokens/access_token").to_owned();
}

pub(crate) async fn customers(walk: &mut Walk, ground: &mut Ground) {
    (ground.person, ground.account) = person(walk, ground, "person@paymesh.example").await;
    walk.get("/v1/users", &[], "role=customer").await;
    walk.get("/v1/users/{user_id}", &[&ground.person], "").await;
    let change = Sent::Json(json!({ "name": "Another Name" }));
    walk.call("PATCH /v1/users/{user_id}", &[&ground.person], "", change)
        .await;
    walk.get("/v1/users/{user_id}/transactions", &[&ground.person], "")
        .await;
    ground.card = card(walk, ground, "tok_ok_walk").await;
    walk.get(
        "/v1/payment-methods",
        &[],
        &format!("customer_id={}", ground.person),
    )
    .await;
    walk.get(
        "/v1/payment-methods/{payment_method_id}",
        &[&ground.card],
        "",
    )
    .await;
    let spare = card(walk, ground, "tok_ok_spare").await;
    let path = "DELETE /v1/payment-methods/{payment_method_id}";
    walk.call(path, &[&spare], "", Sent::Nothing).await;
}

pub(crate) async fn merchants(walk: &mut Walk, ground: &mut Ground) {
    let body = json!({
        "name": "Walk's", "country": "DE", "settlement_currency": "EUR", "payout_destination_token": "ben_walk",
    });
    let made = walk.post("/v1/merchants", &[], body).await;
    ground.shop = text(&made, "/id").to_owned();
    let shop = ground.shop.as_str();
    walk.get("/v1/merchants", &[], "state=active").await;
    let place = ("/v1/merchants/{merchant_id}", &[shop][..], "");
    walk.until(place, |shop| shop["state"] == "active").await;
    let change = Sent::Json(json!({ "name": "Walk's and Sons" }));
    walk.call("PATCH /v1/merchants/{merchant_id}", &[shop], "", change)
        .await;
    let plan = json!({ "plan": {
        "fee_bp": 290, "fee_fixed": super::money(30), "settlement_delay_days": 0, "reserve_bp": 0,
        "negative_balance": "refused", "chargeback_fee": super::money(1_500),
    } });
    let path = "PUT /v1/merchants/{merchant_id}/plan";
    walk.call(path, &[shop], "", Sent::Json(plan)).await;
    let path = "/v1/merchants/{merchant_id}/terminals";
    let made = walk.post(path, &[shop], json!({ "name": "Till 1" })).await;
    walk.get(path, &[shop], "").await;
    let terminal = text(&made, "/id");
    walk.get("/v1/terminals/{terminal_id}", &[terminal], "")
        .await;
    let change = Sent::Json(json!({ "state": "disabled" }));
    walk.call("PATCH /v1/terminals/{terminal_id}", &[terminal], "", change)
        .await;
}

/// What cannot be taken back comes last.
pub(crate) async fn leave(walk: &mut Walk, ground: &Ground) {
    let (person, _) = person(walk, ground, "leaves@paymesh.example").await;
    let reason = json!({ "reason": "asked for" });
    walk.post("/v1/users/{user_id}/erasure", &[&person], reason)
        .await;
}

/// A new person and the account that came with it.
pub(crate) async fn person(walk: &mut Walk, ground: &Ground, email: &str) -> (String, String) {
    let body = json!({
        "tenant_id": ground.tenant, "email": email, "name": "A Person", "password": PASSWORD, "country": "DE", "currency": "EUR",
    });
    let made = walk.post("/v1/users", &[], body).await;
    let part = |pointer: &str| text(&made, pointer).to_owned();
    (part("/user/id"), part("/account_id"))
}

/// A stored card that does as its token says.
pub(crate) async fn card(walk: &mut Walk, ground: &Ground, token: &str) -> String {
    let body = json!({ "customer_id": ground.person, "provider_token": token });
    let made = walk.post("/v1/payment-methods", &[], body).await;
    text(&made, "/id").to_owned()
}
