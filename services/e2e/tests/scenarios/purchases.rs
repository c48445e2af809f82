//! Card purchases: paid, declined, challenged, unknown, captured in parts, refunded, charged back.

use crate::scenarios;

scenarios![
    a_purchase_is_paid_and_booked_to_the_cent,
    a_purchase_in_another_currency_is_exchanged,
    a_decline_is_an_answer_and_books_nothing,
    a_challenge_is_answered,
    an_authorization_is_captured_in_parts_and_the_rest_is_released,
    refunds_never_exceed_what_was_captured,
    an_answer_that_was_lost_is_found_again,
    a_chargeback_takes_the_money_back,
    a_denied_customer_is_declined_by_risk,
];

mod scenario {
    use paymesh_e2e::Client;
    use serde_json::json;

    use crate::world::{World, money, purchase, unique};

    pub(super) async fn a_purchase_is_paid_and_booked_to_the_cent(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let paid = world.purchase(&card, &shop, money(10_000, "EUR")).await;
        assert_eq!((paid.status, paid.text("/status")), (201, "completed"));
        assert_eq!(paid.number("/captured/minor"), Some(10_000));
        // 2.9 % and 30 cents.
        assert_eq!(paid.number("/fee/minor"), Some(320));
        assert_eq!(
            world
                .held(&shop, "merchant", "merchant_pending", "EUR")
                .await
                + world
                    .held(&shop, "merchant", "merchant_available", "EUR")
                    .await,
            9_680
        );
        world.assert_balanced().await;
        let history = world
            .get(&format!("/v1/transactions/{}/history", paid.text("/id")))
            .await;
        assert!(
            history.body["steps"]
                .as_array()
                .is_some_and(|steps| !steps.is_empty()),
            "{history:?}"
        );
    }

    pub(super) async fn a_purchase_in_another_currency_is_exchanged(world: World) {
        let (person, shop) = (world.person("USD").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let body = json!({
            "kind": "purchase", "amount": money(10_000, "USD"), "business_at": "2026-10-30T12:00:00Z",
            "payer": { "payment_method_id": card }, "payee": { "merchant_id": shop },
        });
        let paid = world.post("/v1/transactions", body).await;
        assert_eq!(paid.text("/status"), "completed", "{paid:?}");
        let settled = world
            .held(&shop, "merchant", "merchant_pending", "EUR")
            .await
            + world
                .held(&shop, "merchant", "merchant_available", "EUR")
                .await;
        assert!((7_000..10_000).contains(&settled), "{settled}");
        world.assert_balanced().await;
    }

    pub(super) async fn a_decline_is_an_answer_and_books_nothing(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_declined_insufficient_funds").await;
        let declined = world.purchase(&card, &shop, money(500, "EUR")).await;
        assert_eq!(
            (declined.status, declined.text("/status")),
            (201, "declined")
        );
        assert_eq!(declined.text("/decline_reason"), "insufficient_funds");
        assert_eq!(
            world
                .held(&shop, "merchant", "merchant_pending", "EUR")
                .await,
            0
        );
    }

    pub(super) async fn a_challenge_is_answered(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_3ds_challenge").await;
        let asked = world.purchase(&card, &shop, money(2_500, "EUR")).await;
        assert_eq!(asked.text("/status"), "requires_action", "{asked:?}");
        let id = asked.text("/id");
        let page = asked
            .text("/required_action/url")
            .strip_prefix("http://")
            .unwrap();
        let (provider, path) = page.split_once('/').unwrap();
        let answer = json!({ "outcome": "success" });
        let payer = Client::new(provider, None);
        payer
            .post(&format!("/{path}"), &unique("challenge"), answer)
            .await
            .unwrap();
        world.ends_as(id, "completed").await;
    }

    pub(super) async fn an_authorization_is_captured_in_parts_and_the_rest_is_released(
        world: World,
    ) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let mut body = purchase(&card, &shop, money(9_000, "EUR"));
        body["capture_method"] = json!("manual");
        let authorized = world.post("/v1/transactions", body).await;
        assert_eq!(authorized.text("/status"), "authorized", "{authorized:?}");
        assert_eq!(authorized.number("/captured/minor"), Some(0));
        let id = authorized.text("/id");
        for (minor, is_final) in [(3_000, false), (2_000, true)] {
            let body = json!({ "amount": money(minor, "EUR"), "final": is_final });
            world
                .post(&format!("/v1/transactions/{id}/captures"), body)
                .await;
        }
        world.ends_as(id, "completed").await;
        let end = world.get(&format!("/v1/transactions/{id}")).await;
        assert_eq!(end.number("/captured/minor"), Some(5_000));
        world.assert_balanced().await;
    }

    pub(super) async fn refunds_never_exceed_what_was_captured(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let paid = world.purchase(&card, &shop, money(5_000, "EUR")).await;
        let path = format!("/v1/transactions/{}/refunds", paid.text("/id"));
        let refund = async |minor| {
            let body = json!({ "amount": money(minor, "EUR"), "reason": "returned" });
            world
                .staff
                .post(&path, &unique("refund"), body)
                .await
                .unwrap()
        };
        assert_eq!(refund(1_500).await.text("/operation/state"), "completed");
        // The fee stays with the platform, so the merchant cannot cover the rest yet.
        let uncovered = refund(3_500).await;
        assert_eq!(
            uncovered.text("/operation/decline_reason"),
            "refund_not_covered",
            "{uncovered:?}"
        );
        world.purchase(&card, &shop, money(2_000, "EUR")).await;
        // What another purchase brought counts as soon as it is settled.
        world
            .eventually("the rest is covered", async || {
                refund(3_500).await.text("/operation/state") == "completed"
            })
            .await;
        let refunded = world
            .get(&format!("/v1/transactions/{}", paid.text("/id")))
            .await;
        assert_eq!(
            refunded.number("/refunded/minor"),
            Some(5_000),
            "{refunded:?}"
        );
        assert_eq!(refund(1).await.status, 422);
        world.assert_balanced().await;
    }

    pub(super) async fn an_answer_that_was_lost_is_found_again(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_timeout_with_effect_cut").await;
        let asked = world.purchase(&card, &shop, money(4_200, "EUR")).await;
        world.ends_as(asked.text("/id"), "completed").await;
        let attempts = world
            .get(&format!(
                "/v1/attempts?transaction_id={}",
                asked.text("/id")
            ))
            .await;
        assert_eq!(
            attempts.body["data"].as_array().unwrap().len(),
            1,
            "{attempts:?}"
        );
        world.assert_balanced().await;
    }

    pub(super) async fn a_chargeback_takes_the_money_back(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_chargeback").await;
        let paid = world.purchase(&card, &shop, money(6_000, "EUR")).await;
        let disputes = format!("/v1/disputes?transaction_id={}", paid.text("/id"));
        world
            .eventually("a dispute is open", async || {
                world.get(&disputes).await.body["data"] != json!([])
            })
            .await;
        world
            .eventually("the merchant's money is taken back", async || {
                world
                    .held(&shop, "merchant", "merchant_pending", "EUR")
                    .await
                    + world
                        .held(&shop, "merchant", "merchant_available", "EUR")
                        .await
                    <= 0
            })
            .await;
        world.assert_balanced().await;
    }

    pub(super) async fn a_denied_customer_is_declined_by_risk(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let entry =
            json!({ "kind": "deny", "subject": "customer", "value": person.id, "note": "known" });
        world.post("/v1/risk/list-entries", entry).await;
        world
            .eventually("risk denies", async || {
                world
                    .purchase(&card, &shop, money(700, "EUR"))
                    .await
                    .text("/status")
                    == "declined"
            })
            .await;
    }
}
