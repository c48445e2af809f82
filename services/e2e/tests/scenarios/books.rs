//! What the finance person sees: payouts, statements, reconciliation, reports.

use crate::scenarios;

scenarios![
    a_merchant_is_paid_out,
    a_report_of_money_by_class_agrees_with_the_ledger,
    transactions_of_a_day_are_in_their_report,
];

mod scenario {
    use serde_json::{Value, json};

    use crate::world::{World, money, unique};

    pub(super) async fn a_merchant_is_paid_out(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        world.purchase(&card, &shop, money(10_000, "EUR")).await;
        world
            .eventually("the sale is settled", async || {
                world
                    .held(&shop, "merchant", "merchant_available", "EUR")
                    .await
                    == 9_680
            })
            .await;
        let body = json!({ "owner": { "kind": "merchant", "id": shop }, "currency": "EUR", "amount": money(9_000, "EUR") });
        let payout = world.post("/v1/payouts", body).await;
        let path = format!("/v1/payouts/{}", payout.text("/id"));
        world
            .eventually("the bank took it", async || {
                ["sent", "confirmed"].contains(&world.get(&path).await.text("/state"))
            })
            .await;
        world
            .eventually("the books say so", async || {
                world
                    .held(&shop, "merchant", "merchant_available", "EUR")
                    .await
                    == 680
            })
            .await;
        // More than there is does not leave.
        let body = json!({ "owner": { "kind": "merchant", "id": shop }, "currency": "EUR", "amount": money(681, "EUR") });
        let refused = world
            .staff
            .post("/v1/payouts", &unique("payout"), body)
            .await
            .unwrap();
        assert_eq!(
            (refused.status, refused.text("/reason")),
            (422, "INSUFFICIENT_FUNDS"),
            "{refused:?}"
        );
        world.assert_balanced().await;
    }

    pub(super) async fn a_report_of_money_by_class_agrees_with_the_ledger(world: World) {
        let person = world.person("EUR").await;
        world.top_up(&person, money(1_234, "EUR")).await;
        let file = report(&world, "trial_balance", json!({})).await;
        let lines: Vec<Value> = file
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(
            lines
                .iter()
                .any(|line| line["purpose"] == "customer_balance"),
            "{file}"
        );
    }

    pub(super) async fn transactions_of_a_day_are_in_their_report(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let paid = world.purchase(&card, &shop, money(777, "EUR")).await;
        let id = paid.text("/id");
        world
            .eventually("the report has it", async || {
                report(&world, "transactions", json!({})).await.contains(id)
            })
            .await;
    }

    /// Defines a report of JSON lines over all time, runs it, and gives its file.
    async fn report(world: &World, kind: &str, parameters: Value) -> String {
        let body = json!({ "name": unique(kind), "kind": kind, "format": "json", "parameters": parameters });
        let definition = world.post("/v1/reports/definitions", body).await;
        let body = json!({
            "definition_id": definition.text("/id"), "from": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z",
        });
        let run = world.post("/v1/reports/runs", body).await;
        let done = world
            .get(&format!(
                "/v1/reports/runs/{}?wait_ms=20000",
                run.text("/id")
            ))
            .await;
        assert_eq!(done.text("/state"), "completed", "{done:?}");
        world
            .staff
            .text(&format!("/v1/reports/runs/{}/file", run.text("/id")))
            .await
            .unwrap()
    }
}
