//! How each operation is done, by the people and things that the operations before have made.

mod books;
mod payments;
mod people;
mod risk;
mod settlement;

use paymesh_e2e::Platform;
use serde_json::{Value, json};

use crate::walk::{Walk, text};

/// Who and what the walk works with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ground {
    pub(crate) tenant: String,
    pub(crate) email: String,
    pub(crate) password: String,
    /// A customer with a wallet in EUR and a card.
    pub(crate) person: String,
    pub(crate) account: String,
    pub(crate) card: String,
    /// A merchant that settles in EUR.
    pub(crate) shop: String,
    /// A session of the administrator, for what a person must do.
    pub(crate) first: String,
    /// A session of a second member of staff, who approves what the first asks for.
    pub(crate) second: String,
}

/// Does everything.
pub(crate) async fn all(walk: &mut Walk, platform: &Platform) {
    let access = platform.folder().join("data/first-access.json");
    let access: Value = serde_json::from_str(&std::fs::read_to_string(access).unwrap()).unwrap();
    let mut ground = Ground {
        tenant: text(&access, "/tenant_id").to_owned(),
        email: text(&access, "/email").to_owned(),
        password: text(&access, "/password").to_owned(),
        ..Ground::default()
    };
    people::open_to_all(walk).await;
    people::staff(walk, &mut ground).await;
    people::customers(walk, &mut ground).await;
    people::merchants(walk, &mut ground).await;
    payments::rates(walk).await;
    payments::purchases(walk, &ground).await;
    payments::steps(walk, &ground).await;
    payments::disputes(walk, &ground, platform).await;
    payments::stuck(walk, &ground, platform).await;
    risk::rules(walk, &ground).await;
    risk::past(walk).await;
    settlement::batches(walk, &ground).await;
    settlement::payouts(walk, &ground).await;
    settlement::differences(walk, &ground).await;
    books::accounts(walk, &ground).await;
    books::ledger(walk, &ground).await;
    books::reports(walk).await;
    people::leave(walk, &ground).await;
}

pub(crate) fn money(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "EUR" })
}

impl Ground {
    /// A purchase of the customer.
    pub(crate) fn purchase(&self, card: &str, minor: i64) -> Value {
        json!({
            "kind": "purchase", "amount": money(minor),
            "payer": { "payment_method_id": card }, "payee": { "merchant_id": self.shop },
        })
    }
}
