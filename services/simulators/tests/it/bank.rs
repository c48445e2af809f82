//! The bank: payouts, returns, deposits, statements.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{bank_config, eur, start_bank};

const DAY: &str = "2026-03-02";

fn payout(end_to_end_id: &str, beneficiary: &str) -> Value {
    json!({ "end_to_end_id": end_to_end_id, "amount": eur(5_000), "beneficiary": beneficiary, "reference": "INV 7" })
}

#[tokio::test]
async fn b1_an_end_to_end_id_names_one_payout() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_bank(bank_config(folder.path())).await;
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let caller = caller.clone();
        callers.spawn(async move { caller.post("/v1/payouts", &payout("e-1", "ben_acme")).await });
    }
    let mut made = 0;
    while let Some(reply) = callers.join_next().await {
        let reply = reply.unwrap();
        made += usize::from(reply.status == 201);
        assert_eq!(reply.json()["status"], "booked");
    }
    assert_eq!(made, 1);
    let mut other = payout("e-1", "ben_acme");
    other["amount"] = eur(5_001);
    caller
        .post("/v1/payouts", &other)
        .await
        .expect_problem(409, "id_reused");
    let (rows, _) = caller.csv(&format!("/v1/statements?date={DAY}")).await;
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn each_beneficiary_does_what_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, caller) = start_bank(bank_config(folder.path())).await;
    let cases = [
        ("ben_acme", "booked", "booked"),
        ("ben_returned", "booked", "returned"),
        ("ben_delayed", "processing", "booked"),
        ("ben_rejected", "rejected", "rejected"),
    ];
    for (beneficiary, first, _) in cases {
        assert_eq!(
            caller
                .post("/v1/payouts", &payout(beneficiary, beneficiary))
                .await
                .expect(201)["status"],
            first
        );
    }
    let order = payout("timeout", "ben_timeout_with_effect");
    assert!(
        caller
            .post_in_vain("/v1/payouts", "k", &order)
            .await
            .is_timeout()
    );
    assert_eq!(
        caller.get("/v1/payouts/timeout").await.expect(200)["status"],
        "booked"
    );
    let order = payout("none", "ben_timeout_no_effect");
    assert!(
        caller
            .post_in_vain("/v1/payouts", "n", &order)
            .await
            .is_timeout()
    );
    caller
        .get("/v1/payouts/none")
        .await
        .expect_problem(404, "not_found");
    let order = payout("error", "ben_error_500_then_ok");
    caller
        .post("/v1/payouts", &order)
        .await
        .expect_problem(500, "simulated_failure");
    caller.post("/v1/payouts", &order).await.expect(201);
    drop(handle);

    // Timers are in the journal, so they outlive a crash.
    let (_handle, caller) = start_bank(bank_config(folder.path())).await;
    caller.run_timers().await;
    for (beneficiary, _, last) in cases {
        let payout = caller
            .get(&format!("/v1/payouts/{beneficiary}"))
            .await
            .expect(200);
        assert_eq!(payout["status"], last, "{beneficiary}");
    }
    assert_eq!(
        caller.get("/v1/payouts/ben_returned").await.expect(200)["reason"],
        "AC04"
    );
    assert_eq!(
        caller.get("/v1/payouts/ben_rejected").await.expect(200)["reason"],
        "AC01"
    );
}

#[tokio::test]
async fn b2_statement_lines_add_up_to_the_balance_and_to_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_bank(bank_config(folder.path())).await;
    let deposit =
        json!({ "id": "d-1", "amount": eur(100_000), "source": "provider", "reference": "stl" });
    caller.post("/v1/deposits", &deposit).await.expect(201);
    caller.post("/v1/deposits", &deposit).await.expect(200);
    let other = json!({ "id": "d-1", "amount": eur(1), "source": "provider" });
    caller
        .post("/v1/deposits", &other)
        .await
        .expect_problem(409, "id_reused");
    caller
        .post(
            "/v1/deposits",
            &json!({ "id": "d-2", "amount": eur(-2_500) }),
        )
        .await
        .expect(201);
    for number in 0..5 {
        caller
            .post("/v1/payouts", &payout(&format!("e-{number}"), "ben_acme"))
            .await
            .expect(201);
    }
    caller
        .post("/v1/payouts/e-0/return", &json!({}))
        .await
        .expect(200);
    caller
        .post("/v1/payouts/e-0/return", &json!({}))
        .await
        .expect(200);

    let (rows, _) = caller.csv(&format!("/v1/statements?date={DAY}")).await;
    let number = |row: &Value, field: &str| -> i64 { row[field].as_i64().unwrap() };
    let mut balance = 0;
    for row in &rows {
        balance += number(row, "amount_minor");
        assert_eq!(number(row, "balance_minor"), balance);
    }
    assert_eq!(balance, 100_000 - 2_500 - 4 * 5_000);
    assert_eq!(
        caller.get("/v1/balances").await.expect(200)["data"],
        json!([eur(balance)])
    );
    let record = caller.record().await;
    let booked = record.iter().filter(|fact| fact["type"] == "entry_booked");
    let sum: i64 = booked
        .map(|fact| fact["entry"]["amount"]["minor"].as_i64().unwrap())
        .sum();
    assert_eq!((sum, rows.len()), (balance, 8));
}

#[tokio::test]
async fn a_business_time_decides_the_statement() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_bank(bank_config(folder.path())).await;
    let mut order = payout("e-1", "ben_acme");
    order["business_at"] = json!("2026-07-01T08:00:00Z");
    caller.post("/v1/payouts", &order).await.expect(201);
    let header = caller.request(Method::POST, "/v1/payouts/e-1/return");
    let header = header.header("paymesh-business-at", "2026-07-03T08:00:00Z");
    caller.send(header).await.unwrap().expect(200);
    for (day, kind) in [("2026-07-01", "payout"), ("2026-07-03", "payout_return")] {
        let (rows, _) = caller.csv(&format!("/v1/statements?date={day}")).await;
        assert_eq!((rows.len(), &rows[0]["type"]), (1, &json!(kind)));
    }
}

#[tokio::test]
async fn bad_payouts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_bank(bank_config(folder.path())).await;
    let mut free = payout("e", "ben_acme");
    free["amount"] = eur(0);
    caller
        .post("/v1/payouts", &free)
        .await
        .expect_problem(400, "invalid_request");
    let iban = ["DE8937040044", "0532013000"].concat();
    caller
        .post("/v1/payouts", &payout("e", &iban))
        .await
        .expect_problem(422, "account_number_refused");
    caller
        .post("/v1/payouts", &payout("e", "acme"))
        .await
        .expect_problem(422, "unknown_beneficiary");
    caller
        .post("/v1/deposits", &json!({ "id": "d", "amount": eur(0) }))
        .await
        .expect_problem(400, "invalid_request");
    caller
        .post("/v1/payouts/e/return", &json!({}))
        .await
        .expect_problem(404, "not_found");
}
