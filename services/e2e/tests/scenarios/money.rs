//! Wallets: paid in, sent on, paid out.

use crate::scenarios;

scenarios![
    a_transfer_moves_exactly_what_it_says,
    a_transfer_without_funds_is_declined,
    a_withdrawal_reaches_the_bank,
    a_transfer_between_currencies_keeps_the_books_balanced,
];

mod scenario {
    use serde_json::{Value, json};

    use crate::world::{Person, World, money};

    fn transfer(from: &Person, to: &Person, amount: Value) -> Value {
        json!({
            "kind": "transfer", "amount": amount,
            "payer": { "account_id": from.account }, "payee": { "account_id": to.account },
        })
    }

    pub(super) async fn a_transfer_moves_exactly_what_it_says(world: World) {
        let (from, to) = (world.person("EUR").await, world.person("EUR").await);
        world.top_up(&from, money(10_000, "EUR")).await;
        let before = world.balance(&from.account).await;
        let sent = world
            .post(
                "/v1/transactions",
                transfer(&from, &to, money(2_345, "EUR")),
            )
            .await;
        assert_eq!(
            (sent.status, sent.text("/status")),
            (201, "completed"),
            "{sent:?}"
        );
        assert_eq!(world.balance(&from.account).await, before - 2_345);
        assert_eq!(world.balance(&to.account).await, 2_345);
        let statement = world
            .get(&format!("/v1/accounts/{}/statement", to.account))
            .await;
        assert_eq!(
            statement.body["data"].as_array().unwrap().len(),
            1,
            "{statement:?}"
        );
        world.assert_balanced().await;
    }

    pub(super) async fn a_transfer_without_funds_is_declined(world: World) {
        let (from, to) = (world.person("EUR").await, world.person("EUR").await);
        world.top_up(&from, money(100, "EUR")).await;
        let sent = world
            .post("/v1/transactions", transfer(&from, &to, money(101, "EUR")))
            .await;
        assert_eq!(
            (sent.status, sent.text("/status")),
            (201, "declined"),
            "{sent:?}"
        );
        assert_eq!(sent.text("/decline_reason"), "insufficient_funds");
        assert_eq!(world.balance(&to.account).await, 0);
    }

    pub(super) async fn a_withdrawal_reaches_the_bank(world: World) {
        let person = world.person("EUR").await;
        world.top_up(&person, money(5_000, "EUR")).await;
        let before = world.balance(&person.account).await;
        let body = json!({
            "kind": "withdrawal", "amount": money(2_000, "EUR"),
            "payer": { "account_id": person.account }, "payee": { "bank_token": "ben_person" },
        });
        let asked = world.post("/v1/transactions", body).await;
        world.ends_as(asked.text("/id"), "completed").await;
        assert_eq!(world.balance(&person.account).await, before - 2_000);
        world.assert_balanced().await;
    }

    pub(super) async fn a_transfer_between_currencies_keeps_the_books_balanced(world: World) {
        let (from, to) = (world.person("USD").await, world.person("EUR").await);
        world.top_up(&from, money(10_000, "USD")).await;
        let mut body = transfer(&from, &to, money(5_000, "USD"));
        body["target_currency"] = json!("EUR");
        body["business_at"] = json!("2026-10-30T12:00:00Z");
        let sent = world.post("/v1/transactions", body).await;
        assert_eq!(sent.text("/status"), "completed", "{sent:?}");
        let received = world.balance(&to.account).await;
        assert!((3_500..5_000).contains(&received), "{received}");
        world.assert_balanced().await;
    }
}
